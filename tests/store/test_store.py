import itertools
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from simstudy.errors import RunError, TableError
from simstudy.store import Run, RunWriter, study_difference, write_performance
from simstudy.store.frames import KEYS
from simstudy.store.parts import as_table
from simstudy.store.schema import CHAINS, FITS, GROUPS, PERFORMANCE, TIMINGS, estimates_schema

LEVELS = [0.5, 0.95]
SCHEMAS = {"groups": GROUPS, "chains": CHAINS, "estimates": estimates_schema((0.5, 0.95)), "timings": TIMINGS}
SCHEMAS["fits"] = FITS
N_GROUPS = 3
N_CHAINS = 2
PATIENCE_SECONDS = 60


def make_study(**changes):
    study = {
        "schema_version": 1,
        "study": {"name": "small", "aim": "Does it keep?", "seed": 1, "replicates": 4, "kind": "estimation"},
        "mechanism": {"kind": "exchangeable", "likelihood": "normal", "tau": [0.0, 1.0], "mu": 0.0},
        "methods": [
            {"name": "none", "structure": "none", "priors": {"theta": "Normal(0, 10)"}},
            {"name": "partial", "structure": "partial", "target_accept": 0.8},
        ],
        "summary": {"levels": LEVELS},
        "diagnostics": {"max_rhat": 1.01},
    }
    for place, value in changes.items():
        part, key = place.split("__")
        study[part] = study[part] | {key: value}
    return study


def make_block(*, method="none", replicates=range(4), scenario="s1", seed=0):
    rng = np.random.default_rng([seed, len(method), *replicates])
    replicates = np.array(list(replicates))
    n = len(replicates)
    labels = {"scenario": scenario, "method": method}
    per_group = np.repeat(replicates, N_GROUPS)
    group = np.tile(np.arange(N_GROUPS), n)
    mu = {"estimand": ["mu"] * n, "group": np.full(n, np.nan), "replicate": replicates}
    theta = {"estimand": ["theta"] * n * N_GROUPS, "group": group, "replicate": per_group}
    estimates = {name: np.concatenate([theta[name], mu[name]]) for name in mu}
    return {
        "fits": labels | {"replicate": replicates, "status": "ok", "min_ess_bulk": rng.normal(size=n)},
        "chains": labels
        | {"replicate": np.repeat(replicates, N_CHAINS), "chain": np.tile(np.arange(N_CHAINS), n), "ebfmi": 1.0},
        "estimates": labels | estimates | {"mean": rng.normal(size=n * (N_GROUPS + 1)), "scale": "natural"},
        "groups": {"scenario": scenario, "replicate": per_group, "group": group, "y_mean": 1.0 * per_group + group},
        "timings": {"method": method, "n_fits": n, "warm": False, "started": pd.Timestamp("2026-01-01", tz="UTC")},
    }


def write_labels(writer):
    writer.write_scenarios(pd.DataFrame({"scenario": ["s2", "s1"], "label": ["b", "a"], "tau": [1, 0]}))
    writer.write_methods(pd.DataFrame({"method": ["partial", "none"], "identity": ["p", "n"], "tau": ["N(0)", None]}))


@pytest.fixture
def folder(tmp_path):
    """A run of two methods and two blocks."""
    with RunWriter.create_or_continue(tmp_path / "run", make_study()) as writer:
        write_labels(writer)
        for method in ("none", "partial"):
            writer.write_block(f"{method}-0", **make_block(method=method))
    return tmp_path / "run"


def assert_whole(run):
    """Every table has exactly the rows of the fits."""
    fits = run.fits[["scenario", "replicate", "method"]]
    n = len(fits)
    assert not fits.duplicated().any()
    assert len(run.chains) == N_CHAINS * n
    assert len(run.estimates) == (N_GROUPS + 1) * n
    assert sorted(run.timings["batch"]) == sorted(set(run.fits["batch"])) == list(run.batches)
    pairs = fits[["scenario", "replicate"]].drop_duplicates()
    assert len(pairs.merge(run.groups, on=["scenario", "replicate"])) == N_GROUPS * len(pairs) == len(run.groups)


class TestRoundTrip:
    """What is written is what is read."""

    def test_parts_have_the_explicit_schema(self, folder):
        """Every part on disk has the names and types of the schema, whatever values it holds."""
        for table, schema in SCHEMAS.items():
            for part in (folder / table).iterdir():
                assert pq.read_schema(part).remove_metadata() == schema, part

    @pytest.mark.parametrize("table", [*SCHEMAS, "scenarios", "methods"])
    def test_pandas_reads_every_folder(self, folder, table):
        """pandas.read_parquet(folder) gives the rows that Run gives."""
        assert len(pd.read_parquet(folder / table)) == len(getattr(Run.open(folder), table)) > 0

    def test_every_type_keeps_its_values_and_gaps(self, tmp_path):
        """Random values and gaps in every column of every schema come back as they went in."""
        rng = np.random.default_rng(1)
        n = 50
        makers = {
            "int64": lambda: rng.integers(-9, 9, n).astype(float),
            "double": lambda: rng.normal(size=n),
            "string": lambda: rng.integers(0, 9, n).astype(str).astype(object),
            "bool": lambda: rng.random(n) < 0.5,
            "timestamp[us, tz=UTC]": lambda: pd.to_datetime(rng.integers(0, 10**9, n), unit="s", utc=True),
        }
        for schema in SCHEMAS.values():
            columns = {f.name: makers.get(str(f.type), makers["string"])() for f in schema}
            gaps = {name: rng.random(n) < 0.3 for name in columns}
            masked = {name: pd.Series(values).astype(object).mask(gaps[name], None) for name, values in columns.items()}
            table = as_table(masked, schema)
            assert table.schema == schema
            for name, values in columns.items():
                back = table[name].to_pylist()
                expected = [None if gap else value for value, gap in zip(list(values), gaps[name], strict=True)]
                assert back == expected, name

    def test_all_null_group_beside_whole_group(self, tmp_path):
        """A part without any group and one with groups read together, group staying a nullable integer."""
        with RunWriter.create_or_continue(tmp_path, make_study()) as writer:
            write_labels(writer)
            block = make_block(replicates=[0])
            block["estimates"] = {"scenario": "s1", "replicate": [0], "method": "none", "estimand": "mu", "mean": 1.0}
            writer.write_block("a", **block)
            writer.write_block("b", **make_block(replicates=[1]))
        run = Run.open(tmp_path)
        assert str(run.estimates["group"].dtype) == "Int64"
        assert run.estimates["group"].isna().tolist() == [True, True, False, False, False]
        assert len(pd.read_parquet(tmp_path / "estimates")) == 5

    def test_missing_integers(self, folder):
        """Integers without gaps are int64; a column with gaps has NaN where they are."""
        run = Run.open(folder)
        assert run.fits["replicate"].dtype == run.chains["chain"].dtype == np.int64
        assert run.fits["n_divergent"].isna().all()

    def test_factors_take_their_type_from_the_values(self, folder):
        """Factors are floats where all values are numbers, text otherwise; rows keep the study's order."""
        run = Run.open(folder)
        assert run.scenarios.to_dict("list") == {"scenario": ["s2", "s1"], "label": ["b", "a"], "tau": [1.0, 0.0]}
        assert run.methods["tau"].tolist()[0] == "N(0)"
        assert run.methods["tau"].isna().tolist() == [False, True]

    def test_order_of_writing_does_not_show(self, tmp_path):
        """Any order of the blocks gives the same frames, with labels in the order of the study."""
        blocks = [("a", "none", [0, 1]), ("b", "none", [2]), ("c", "partial", [0, 1, 2])]
        runs = []
        for k, order in enumerate(itertools.permutations(blocks)):
            with RunWriter.create_or_continue(tmp_path / str(k), make_study()) as writer:
                write_labels(writer)
                for batch, method, replicates in order:
                    writer.write_block(batch, **make_block(method=method, replicates=replicates))
            runs.append(Run.open(tmp_path / str(k)))
        for run in runs:
            for table in SCHEMAS:
                pd.testing.assert_frame_equal(getattr(run, table), getattr(runs[0], table))
        assert runs[0].fits["method"].tolist()[:2] == ["partial", "none"]

    @pytest.mark.parametrize("rows", [1, 10**6])
    @pytest.mark.parametrize("table", ["groups", "fits", "chains", "estimates", "timings"])
    def test_parts_are_the_table(self, folder, monkeypatch, table, rows):
        """A table read piece by piece, however large the pieces, is the table."""
        monkeypatch.setattr("simstudy.store.run.PIECE_ROWS", rows)
        run = Run.open(folder)
        whole = getattr(run, table)
        pieces = list(run.parts(table))
        n_files = len(list((folder / table).glob("*.parquet")))
        assert len(pieces) == (n_files if rows == 1 else 1)
        together = pd.concat(pieces).sort_values(list(KEYS[table]), ignore_index=True)
        pd.testing.assert_frame_equal(together.astype(whole.dtypes), whole, check_categorical=False)

    def test_parts_have_the_columns_and_labels_asked_for(self, folder):
        """Columns come in the order asked for, labels filter rows, and what nothing has is one empty piece."""
        run = Run.open(folder)
        (piece,) = run.parts("estimates", ["estimand", "mean"], where={"method": {"partial"}})
        expected = run.estimates[run.estimates["method"] == "partial"]
        assert list(piece) == ["estimand", "mean"]
        assert sorted(piece["mean"]) == sorted(expected["mean"])
        (piece,) = run.parts("estimates", ["mean"], where={"scenario": {"s1"}, "replicate": {0}})
        one = run.estimates[(run.estimates["scenario"] == "s1") & (run.estimates["replicate"] == 0)]
        assert sorted(piece["mean"]) == sorted(one["mean"])
        (nothing,) = run.parts("estimates", ["mean"], where={"scenario": {"absent"}})
        assert (list(nothing), len(nothing)) == (["mean"], 0)

    def test_performance_is_a_table_of_its_schema(self, folder):
        """The performance table reads back with its schema."""
        write_performance(folder, pd.DataFrame({"measure": ["bias"], "value": [0.5], "n_used": [3]}))
        table = pq.read_table(folder / "performance.parquet")
        assert table.schema.remove_metadata() == PERFORMANCE
        assert table.select(["measure", "value", "n_used"]).to_pylist() == [
            {"measure": "bias", "value": 0.5, "n_used": 3}
        ]

    @pytest.mark.parametrize(
        ("columns", "message"),
        [
            ({"rnak": [1]}, "no column 'rnak' in this table; did you mean 'rank'?"),
            ({"rank": [1, 2], "mean": [1.0]}, "column 'mean' has 1 rows, others have 2"),
            ({"rank": [0.5]}, "column 'rank' cannot be int64"),
            ({"mean": ["much"]}, "column 'mean' cannot be double"),
        ],
    )
    def test_columns_that_do_not_fit(self, columns, message):
        """Columns that a schema cannot hold are refused by name."""
        with pytest.raises(TableError) as caught:
            as_table(columns, SCHEMAS["estimates"])
        assert message in str(caught.value)

    def test_no_jax(self):
        """Reading a run imports neither jax nor numpyro."""
        code = "import sys, simstudy.store, simstudy.store.provenance; print({'jax', 'numpyro'} & set(sys.modules))"
        assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "set()"


class TestBlocks:
    """Rows that are stored are stored once."""

    def test_stored_fits(self, folder):
        """Stored fits are known by scenario and method, as sorted replicates, before and after reopening."""
        with RunWriter.create_or_continue(folder, make_study()) as writer:
            writer.write_block("more", **make_block(replicates=[9, 5]))
            stored = writer.stored_fits()
            assert {key: list(r) for key, r in stored.items()} == {
                ("s1", "none"): [0, 1, 2, 3, 5, 9],
                ("s1", "partial"): [0, 1, 2, 3],
            }
        with RunWriter.create_or_continue(folder, make_study()) as writer:
            assert {key: list(r) for key, r in writer.stored_fits().items()} == {k: list(r) for k, r in stored.items()}

    @pytest.mark.parametrize("batch", ["none-0", "other"])
    def test_nothing_is_stored_twice(self, folder, batch):
        """A block or a fit that is stored is refused and leaves no trace."""
        writer = RunWriter.create_or_continue(folder, make_study())
        with writer, pytest.raises(RunError, match=r"stored already|a second time"):
            writer.write_block(batch, **make_block(replicates=[3, 4]))
        assert_whole(Run.open(folder))

    @pytest.mark.parametrize("batch", ["../up", ".hidden", "_x", "", "methods", "a/b"])
    def test_names_of_blocks_stay_in_the_folder(self, folder, batch):
        """A block's name is a plain file name."""
        writer = RunWriter.create_or_continue(folder, make_study())
        with writer, pytest.raises(RunError, match="cannot name a block"):
            writer.write_block(batch, **make_block(replicates=[7]))

    def test_groups_are_shared_by_methods(self, folder):
        """The rows of a replicate's groups are stored with the first method only."""
        assert [path.stem for path in (folder / "groups").iterdir()] == ["none-0"]
        assert_whole(Run.open(folder))

    def test_groups_come_back_with_their_block(self, folder):
        """Where the block that holds shared groups is set aside, fitting it again brings the same rows back."""
        before = Run.open(folder).groups
        flip_bit(folder / "estimates" / "none-0.parquet")
        with RunWriter.create_or_continue(folder, make_study()) as writer:
            assert set(writer.stored_fits()) == {("s1", "partial")}
            writer.write_block("none-0", **make_block())
        pd.testing.assert_frame_equal(Run.open(folder).groups, before)
        assert_whole(Run.open(folder))

    def test_sampler_without_chains_and_groups(self, tmp_path):
        """A block without chains and groups is whole, and its folders read."""
        block = make_block() | {"chains": None, "groups": None}
        with RunWriter.create_or_continue(tmp_path, make_study()) as writer:
            write_labels(writer)
            writer.write_block("a", **block)
        assert len(Run.open(tmp_path).chains) == len(pd.read_parquet(tmp_path / "chains")) == 0
        assert Run.open(tmp_path).groups.empty

    @pytest.mark.parametrize("share", [0.3, 0.7, 0.95])
    def test_full_disk(self, folder, share):
        """A block that the disk does not take is not there, the message says what to do, and writing goes on after."""
        block = make_block(replicates=range(100, 900))
        with RunWriter.create_or_continue(folder.with_name("other"), make_study()) as writer:
            writer.write_block("big", **block)
        largest = max(path.stat().st_size for path in folder.with_name("other").rglob("big.parquet"))
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        with RunWriter.create_or_continue(folder, make_study()) as writer:
            resource.setrlimit(resource.RLIMIT_FSIZE, (int(share * largest), hard))
            try:
                with pytest.raises(RunError, match=r"cannot be written \(File too large\); what is finished is stored"):
                    writer.write_block("big", **block)
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
            assert not list((folder / ".simstudy" / "staging").iterdir())
            assert_whole(Run.open(folder))
            writer.write_block("big", **block)
        assert len(Run.open(folder).fits) == 808


class TestExtension:
    """A study extends a run, or is refused with the difference."""

    @pytest.mark.parametrize(
        "new",
        [
            make_study(),
            make_study(study__replicates=9),
            make_study(study__replicates=1),
            make_study(study__aim="Another question"),
            make_study(mechanism__tau=[2.0, 1.0, 0.0]),
            make_study(diagnostics__max_rhat=1.1),
            make_study() | {"methods": [*make_study()["methods"], {"name": "complete", "structure": "complete"}]},
            make_study() | {"methods": make_study()["methods"][::-1]},
        ],
    )
    def test_extensions(self, new):
        """More or fewer replicates, more scenarios or methods, another aim, order or diagnostics extend."""
        assert study_difference(make_study(), new) == []

    @pytest.mark.parametrize(
        ("new", "text"),
        [
            (make_study(study__seed=2), "study.seed: stored 1, new 2"),
            (make_study(study__name="big"), 'study.name: stored "small", new "big"'),
            (make_study(mechanism__kind="t"), 'mechanism.kind: stored "exchangeable", new "t"'),
            (make_study(mechanism__tau=[1.0, 3.0]), "mechanism.tau: stored [0.0, 1.0], new [1.0, 3.0]"),
            (make_study(mechanism__nu=[3]), "mechanism.nu: stored (absent), new [3]"),
            (make_study(mechanism__mu=False), "mechanism.mu: stored 0.0, new false"),
            (make_study(summary__levels=[0.5]), "summary.levels: stored [0.5, 0.95], new [0.5]"),
            (make_study() | {"schema_version": 2}, "schema_version: stored 1, new 2"),
        ],
    )
    def test_changes(self, new, text):
        """Every other change is a difference that shows the stored and the new value."""
        assert [str(difference) for difference in study_difference(make_study(), new)] == [text]

    def test_lists_of_data_are_no_factors(self):
        """Numbers that stand in the study are its data: more of them are other data."""
        stored, new = (make_study() | {"mechanism": {"kind": "dataset", "values": v}} for v in ([1, 2], [1, 2, 3]))
        assert study_difference(stored, stored) == []
        differences = [str(difference) for difference in study_difference(stored, new)]
        assert differences == ["mechanism.values: stored [1, 2], new [1, 2, 3]"]

    def test_changed_and_missing_methods(self):
        """A method of the same name with another option, and a method that is gone, are differences."""
        changed = make_study()
        changed["methods"] = [changed["methods"][0] | {"priors": {"theta": "Normal(0, 1)"}}]
        assert [str(difference) for difference in study_difference(make_study(), changed)] == [
            'method \'none\' priors.theta: stored "Normal(0, 10)", new "Normal(0, 1)"',
            "method 'partial': stored (present), new (absent)",
        ]

    def test_refusal(self, folder):
        """A changed study is refused with every difference and what to do, and the folder stays as it was."""
        before = (folder / "study.json").read_bytes()
        with pytest.raises(RunError) as caught:
            RunWriter.create_or_continue(folder, make_study(study__seed=2, mechanism__mu=1.0))
        assert str(caught.value) == (
            f"{folder} holds a run of another study:\n"
            "  mechanism.mu: stored 0.0, new 1.0\n"
            "  study.seed: stored 1, new 2\n"
            "Give another folder with --out, or restore these values; "
            "more replicates, scenarios or methods would have extended the run."
        )
        assert (folder / "study.json").read_bytes() == before
        RunWriter.create_or_continue(folder, make_study()).close()

    def test_the_folder_describes_all_that_it_holds(self, folder):
        """study.json is canonical, takes extensions, and keeps the larger number of replicates."""
        with RunWriter.create_or_continue(folder, make_study(study__replicates=2, study__aim="More")) as writer:
            assert writer.study["study"] | {"aim": ""} == make_study(study__aim="")["study"]
        text = (folder / "study.json").read_text()
        assert text == json.dumps(json.loads(text), sort_keys=True, indent=2) + "\n"
        assert json.loads(text) == make_study(study__aim="More")

    def test_new_scenarios_replace_the_table(self, folder):
        """The tables of scenarios and methods are replaced as a whole, and damage to them is mended by the next run."""
        frame = pd.DataFrame({"scenario": ["s1", "s2", "s3"], "label": list("abc"), "tau": [0.0, 1.0, 2.0]})
        with RunWriter.create_or_continue(folder, make_study()) as writer:
            writer.write_scenarios(frame)
        pd.testing.assert_frame_equal(Run.open(folder).scenarios, frame)
        flip_bit(folder / "scenarios" / "scenarios.parquet")
        with pytest.raises(RunError, match=r"scenarios\.parquet is damaged"):
            _ = Run.open(folder).scenarios
        with RunWriter.create_or_continue(folder, make_study()) as writer:
            writer.write_scenarios(frame)
        pd.testing.assert_frame_equal(Run.open(folder).scenarios, frame)


def flip_bit(path, seed=0):
    content = bytearray(path.read_bytes())
    place = random.Random(seed).randrange(len(content))
    content[place] ^= 1 << random.Random(seed).randrange(8)
    path.write_bytes(content)


def truncate(path):
    path.write_bytes(path.read_bytes()[:-7])


def replace_by_text(path):
    path.write_text("no table at all")


class TestDamage:
    """Damage is found, named, set aside, and only whole blocks stay."""

    @pytest.mark.parametrize("table", SCHEMAS)
    @pytest.mark.parametrize(
        ("damage", "word"),
        [(flip_bit, "damaged"), (truncate, "damaged"), (replace_by_text, "damaged"), (Path.unlink, "missing")],
    )
    def test_damaged_part(self, folder, table, damage, word):
        """The reader names a damaged part; the writer sets its block aside, keeps the other, and it is refitted."""
        damage(folder / table / "none-0.parquet")
        if not (word == "missing" and table == "fits"):
            with pytest.raises(RunError, match=rf"{table}/none-0\.parquet .*; run the study again in this folder"):
                getattr(Run.open(folder), table)
        with RunWriter.create_or_continue(folder, make_study()) as writer:
            (notice,) = writer.notices
            assert notice.startswith(f"{table}/none-0.parquet ")
            assert notice.endswith(": block none-0 was moved to .simstudy/set_aside and will be fitted again")
            assert set(writer.stored_fits()) == {("s1", "partial")}
            assert not list(folder.glob("[!.]*/none-0*"))
            writer.write_block("none-0", **make_block())
        assert_whole(Run.open(folder))

    @pytest.mark.parametrize("seed", range(40))
    def test_any_flipped_bit_is_found(self, folder, seed):
        """A flipped bit anywhere in a part is found."""
        flip_bit(folder / random.Random(seed).choice(sorted(SCHEMAS)) / "none-0.parquet", seed)
        with RunWriter.create_or_continue(folder, make_study()) as writer:
            assert len(writer.notices) == 1
        assert Run.open(folder).batches == ("partial-0",)

    def test_the_same_damage_twice(self, folder):
        """What was set aside before is kept beside what is set aside now."""
        for _ in range(2):
            truncate(folder / "fits" / "none-0.parquet")
            with RunWriter.create_or_continue(folder, make_study()) as writer:
                writer.write_block("none-0", **make_block())
        aside = folder / ".simstudy" / "set_aside" / "fits"
        assert sorted(path.name for path in aside.iterdir()) == ["none-0.1.parquet", "none-0.parquet"]

    def test_foreign_files(self, folder, tmp_path):
        """A part of another run, any other file and a folder in a table's folder are named and moved out of it."""
        shutil.copy(folder / "fits" / "none-0.parquet", folder / "fits" / "alien.parquet")
        (folder / "estimates" / "notes.txt").write_text("hello")
        (folder / "chains" / "old").mkdir()
        with pytest.raises(RunError, match=r"fits/alien\.parquet is no part of this run"):
            _ = Run.open(folder).fits
        with RunWriter.create_or_continue(folder, make_study()) as writer:
            assert [notice.split()[0] for notice in writer.notices] == [
                "chains/old",
                "estimates/notes.txt",
                "fits/alien.parquet",
            ]
        assert_whole(Run.open(folder))
        assert len(pd.read_parquet(folder / "estimates")) == len(Run.open(folder).estimates)

    def test_other_columns(self, folder):
        """A part whose columns have other types is refused by name, also where there are no checksums."""
        shutil.rmtree(folder / ".simstudy")
        pq.write_table(pa.table({"scenario": [1.5]}), folder / "fits" / "none-0.parquet")
        with pytest.raises(RunError, match=r"none-0\.parquet has other columns than this version of simstudy writes"):
            _ = Run.open(folder).fits

    def test_copied_without_hidden_files(self, folder):
        """A run copied without its checksums reads, but is not continued: nothing tells it from damage."""
        shutil.rmtree(folder / ".simstudy")
        assert_whole(Run.open(folder))
        with pytest.raises(RunError, match="has lost its checksum records"):
            RunWriter.create_or_continue(folder, make_study())
        assert_whole(Run.open(folder))

    @pytest.mark.parametrize(
        ("make", "message"),
        [
            (lambda path: None, "is no run folder: it does not exist"),
            (lambda path: path.mkdir(), "is no run folder: it holds no study.json"),
            (lambda path: RunWriter.create_or_continue(path, make_study()).close(), "is a run without a finished fit"),
        ],
    )
    def test_no_run(self, tmp_path, make, message):
        """A folder that is no run, or holds no fit, is refused in words."""
        make(tmp_path / "x")
        with pytest.raises(RunError) as caught:
            Run.open(tmp_path / "x")
        assert message in str(caught.value)

    def test_damaged_study(self, folder):
        """A study.json that is no JSON is named."""
        (folder / "study.json").write_text("{")
        for opened in (Run.open, lambda path: RunWriter.create_or_continue(path, make_study())):
            with pytest.raises(RunError, match=r"study\.json cannot be read"):
                opened(folder)

    def test_other_folders_are_left_alone(self, tmp_path):
        """A folder that holds other files, or a file, is not written into."""
        (tmp_path / "thesis.tex").write_text("")
        with pytest.raises(RunError, match="holds other files and no run"):
            RunWriter.create_or_continue(tmp_path, make_study())
        with pytest.raises(RunError, match="is a file"):
            RunWriter.create_or_continue(tmp_path / "thesis.tex", make_study())
        assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


WRITE_FOR_EVER = textwrap.dedent("""
    import itertools, sys
    sys.path.insert(0, sys.argv[2])
    from tests.store.test_store import RunWriter, make_block, make_study, write_labels
    with RunWriter.create_or_continue(sys.argv[1], make_study()) as writer:
        write_labels(writer)
        first = max((r.max() + 1 for r in writer.stored_fits().values()), default=0)
        print("writing", flush=True)
        for replicate in itertools.count(first):
            for method in ("none", "partial"):
                if replicate not in writer.stored_fits().get(("s1", method), []):
                    writer.write_block(f"{method}-{replicate}", **make_block(method=method, replicates=[replicate]))
""")


def start_writer(folder):
    command = [sys.executable, "-c", WRITE_FOR_EVER, str(folder), str(Path(__file__).parents[2])]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "writing\n"
    return process


def wait_for_blocks(folder, n_blocks):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while len(list((folder / "fits").glob("*"))) < n_blocks:
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.002)


class TestProcesses:
    """Other processes write, and die."""

    def test_second_writer_is_refused(self, tmp_path):
        """While a process writes, another is refused with the first one's pid; reading stays possible throughout."""
        with start_writer(tmp_path) as process:
            wait_for_blocks(tmp_path, 3)
            with pytest.raises(RunError) as caught:
                RunWriter.create_or_continue(tmp_path, make_study())
            assert str(caught.value) == (
                f"{tmp_path} is being written by process {process.pid}; wait until it ends, or give another folder "
                "with --out"
            )
            assert_whole(Run.open(tmp_path))
            process.kill()
        RunWriter.create_or_continue(tmp_path, make_study()).close()

    def test_second_writer_in_the_same_process(self, tmp_path):
        """One process cannot open a folder twice for writing either, and can once it is closed."""
        writer = RunWriter.create_or_continue(tmp_path, make_study())
        with writer, pytest.raises(RunError, match=f"is being written by process {os.getpid()}"):
            RunWriter.create_or_continue(tmp_path, make_study())
        RunWriter.create_or_continue(tmp_path, make_study()).close()

    def test_killed_writer(self, tmp_path):
        """Killed at any moment, a writer leaves whole blocks only, and all that it had finished."""
        moments = random.Random(3)
        n_finished = 0
        for _ in range(6):
            with start_writer(tmp_path) as process:
                wait_for_blocks(tmp_path, n_finished + moments.randrange(1, 9))
                time.sleep(moments.uniform(0, 0.01))
                process.send_signal(signal.SIGKILL)
            assert_whole(Run.open(tmp_path))
            with RunWriter.create_or_continue(tmp_path, make_study()) as writer:
                assert all("never written" in notice for notice in writer.notices)
                n_stored = sum(len(replicates) for replicates in writer.stored_fits().values())
            assert n_stored > n_finished
            n_finished = n_stored
        assert_whole(Run.open(tmp_path))
