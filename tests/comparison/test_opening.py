"""Runs in folders: verified before they are compared, refused where nothing can be compared."""

import dataclasses
import hashlib
import json
import shutil

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

import simstudy
from simstudy.errors import ComparisonError, RunError
from simstudy.report.comparing.sentences import answers
from simstudy.store import Run
from tests.comparison.runs import METHODS, small_run, store
from tests.fakes import fake_run


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A run in a folder."""
    return store(small_run(replicates=30), tmp_path_factory.mktemp("runs") / "run")


@pytest.fixture
def copy(folder, tmp_path):
    """A copy of it, hidden files included."""
    return shutil.copytree(folder, tmp_path / "copy")


def edit(path, **changes):
    """Rewrite a Parquet part with columns changed by functions."""
    table = pq.read_table(path)
    frame = table.to_pandas()
    for name, change in changes.items():
        frame[name] = change(frame[name])
    pq.write_table(type(table).from_pandas(frame, schema=table.schema, preserve_index=False), path)


def test_a_copy_is_the_same_run(folder, copy):
    """A faithful copy is identical, read from disk."""
    comparison = simstudy.compare(folder, copy)
    assert set(comparison.table["evidence"]) == {"identical"}
    assert comparison.exit_code == 0
    assert comparison.names == ("run", "copy")


@pytest.mark.parametrize(
    ("table", "changes"),
    [
        ("estimates", {"mean": lambda x: x + 0.2}),
        ("fits", {"n_divergent": lambda x: 0 * x}),
        ("timings", {"run_seconds": lambda x: x / 2}),
        ("chains", {"step_size": lambda x: 2 * x}),
        ("groups", {"data_digest": lambda x: "0" + x.str[1:]}),
        ("methods", {"identity": lambda x: x + "0"}),
    ],
)
def test_a_copy_edited_by_hand_is_refused(folder, copy, table, changes):
    """A part that was rewritten is named and nothing is compared, on either side, whether its table is read or not."""
    path = sorted((copy / table).glob("*.parquet"))[0]
    edit(path, **changes)
    for pair in ((folder, copy), (copy, folder), (copy, copy)):
        with pytest.raises(RunError, match=rf"{table}/{path.name} is damaged"):
            simstudy.compare(*pair)
    with pytest.raises(RunError, match="is not as its run wrote it"):
        simstudy.compare(Run.open(folder), Run.open(copy))


def test_parts_that_are_lost_added_or_unrecorded_are_refused(folder, copy):
    """A missing part, one of another run, and a run without its checksums are refused."""
    parts = sorted((copy / "estimates").glob("*.parquet"))
    parts[0].rename(copy / "estimates" / "other.parquet")
    with pytest.raises(RunError, match=r"other\.parquet is no part of this run") as error:
        simstudy.compare(folder, copy)
    assert f"estimates/{parts[0].name} is missing" in str(error.value)
    shutil.rmtree(copy / ".simstudy")
    with pytest.raises(RunError, match="no checksum records"):
        simstudy.compare(folder, copy)


def test_edits_with_new_checksums_show_as_changes(folder, copy):
    """Forged checksums are held to the manifest; without it there is another run, whose moved means are a change."""
    path = sorted((copy / "estimates").glob("*.parquet"))[0]
    edit(path, mean=lambda x: x + 0.2)
    record = copy / ".simstudy" / "checksums" / f"{path.stem}.json"
    digests = json.loads(record.read_text())
    digests["estimates"] = [hashlib.sha256(path.read_bytes()).hexdigest()]
    record.write_text(json.dumps(digests))
    with pytest.raises(RunError, match=rf"estimates/{path.name} is damaged"):
        simstudy.compare(folder, copy)
    (copy / ".simstudy" / "manifest.jsonl").unlink()
    comparison = simstudy.compare(folder, copy)
    bias = comparison.table.query("measure == 'bias' and estimand == 'theta' and evidence == 'paired'")
    assert len(bias) == 2
    assert set(bias["verdict"]) == {"changed"}


def test_methods_are_compared_across_names():
    """Two methods of one run or of two are paired on the same data; a method is the same as itself."""
    run = small_run()
    comparison = simstudy.compare(run, run, baseline_method=METHODS[0], candidate_method=METHODS[1])
    assert set(comparison.table["method"]) == {f"{METHODS[1]} against {METHODS[0]}"}
    assert set(comparison.table["evidence"]) == {"paired"}
    same = simstudy.compare(run, run, baseline_method=METHODS[0], candidate_method=METHODS[0])
    assert set(same.table["evidence"]) == {"identical"}
    renamed = {
        name: getattr(run, name).assign(method=lambda t: t["method"].astype(str) + " 64")
        for name in ("methods", "fits", "estimates", "chains", "timings")
    }
    other = dataclasses.replace(run, **renamed)
    again = simstudy.compare(run, other, baseline_method="none", candidate_method="none 64")
    assert set(again.table["verdict"]) == {"same"}


def without(run, **kept):
    """Return the run with rows of its tables chosen by query."""
    return dataclasses.replace(run, **{name: getattr(run, name).query(query) for name, query in kept.items()})


def test_nothing_comparable_is_refused():
    """No common scenario, method, estimand, or finite fit, and other kinds of study: refused, with the reason."""
    run = small_run()
    kinds = run.study | {"study": {**run.study["study"], "kind": "calibration"}}
    failed = run.fits.assign(status="failed")
    renamed = run.estimates.assign(estimand=run.estimates["estimand"].astype(str) + "_2")
    cases = {
        "no scenario in common: the baseline has groups=4": small_run(tau=(1.0,)),
        "no method in common": small_run(methods=("complete",)),
        "no estimand in common": dataclasses.replace(run, estimates=renamed),
        "none of the 160 fits of the candidate that could be compared is finite": dataclasses.replace(run, fits=failed),
        "has no fit of the scenarios and methods": dataclasses.replace(run, fits=run.fits.iloc[:0]),
        "two kinds of study, 'simulation' and 'calibration'": dataclasses.replace(run, study=kinds),
        "real data": fake_run(replication="sampler", replicates=5),
    }
    for words, other in cases.items():
        with pytest.raises(ComparisonError, match=words):
            simstudy.compare(run, other)
    with pytest.raises(ComparisonError, match="no measure of the rules has a value in both"):
        simstudy.compare(run, run, margins={"measures": ["mean_estimate"]})
    with pytest.raises(ComparisonError, match="give both, or neither"):
        simstudy.compare(run, run, baseline_method="none")
    with pytest.raises(ComparisonError, match=r"the candidate has no such method; did you mean 'none'\?"):
        simstudy.compare(run, run, baseline_method="none", candidate_method="non")
    with pytest.raises(ComparisonError, match=r"estimands: the runs have no 'thetta'; did you mean 'theta'\?"):
        simstudy.compare(run, run, margins={"estimands": ["thetta"]})


def test_what_is_left_out_or_differs_is_said():
    """Notes name methods and scenarios that one run lacks, missing replicates, and values of the study that differ."""
    run = small_run()
    other = small_run(methods=METHODS[:1], tau=(0.5,), seed=5)
    notes = " ".join(simstudy.compare(run, other).notes)
    assert f"the baseline alone has them: {METHODS[1]} (methods)" in notes
    assert "the baseline alone has them: groups=4, group_size=5, tau=0 (scenarios)" in notes
    assert "study.seed: baseline 1, candidate 5" in notes
    assert "Unpaired" in notes
    tables = {name: f"replicate < {n}" for name, n in (("fits", 30), ("estimates", 30))}
    assert "candidate has 30 of the 40 replicates" in " ".join(simstudy.compare(run, without(run, **tables)).notes)


def test_times_need_a_reference_on_one_machine():
    """Without a reference times are left out, and it is said; with one, a method that is twice as slow is named."""
    here = {"machine": {"processor": "p", "cores": 2}}
    run = dataclasses.replace(small_run(), provenance=here)
    rng = np.random.default_rng(0)
    batches = pd.concat([run.timings] * 12, ignore_index=True)
    batches = batches.assign(batch=np.arange(len(batches)).astype(str), n_fits=10)
    base = dataclasses.replace(run, timings=batches.assign(run_seconds=rng.uniform(0.9, 1.1, len(batches))))
    slow = np.where(batches["method"] == METHODS[1], 2.0, 1.0) * 3.0 * rng.uniform(0.9, 1.1, len(batches))
    candidate = dataclasses.replace(run, timings=batches.assign(run_seconds=slow))
    assert "no reference was timed" in " ".join(simstudy.compare(base, candidate).notes)
    timed = simstudy.compare(base, candidate, margins={"time_reference": "none"})
    rows = timed.table.query("measure == 'time_ratio'")
    assert rows["method"].tolist() == [METHODS[1]]
    assert rows["baseline"].iloc[0] == pytest.approx(1, abs=0.1)
    assert rows["candidate"].iloc[0] == pytest.approx(2, abs=0.2)
    assert rows["direction"].tolist() == ["worse"]
    elsewhere = dataclasses.replace(candidate, provenance={"machine": {"processor": "q", "cores": 2}})
    notes = simstudy.compare(base, elsewhere, margins={"time_reference": "none"}).notes
    assert "not made on one and the same kind of machine" in " ".join(notes)
    with pytest.raises(
        ComparisonError, match=r"time_reference: the baseline has no method 'nonne'; did you mean 'none'"
    ):
        simstudy.compare(base, candidate, margins={"time_reference": "nonne"})


@pytest.mark.parametrize(
    ("blocks", "told"),
    [
        (1, "it or the reference was timed in one block of fits, and one time has no known error. More replicates"),
        (3, "blocks of fits, of 3 so far."),
    ],
)
def test_times_that_cannot_be_told_say_what_would(blocks, told):
    """One block has no spread, so that no number of replicates is named; of several, as many blocks as would do."""
    run = dataclasses.replace(small_run(), provenance={"machine": {"processor": "p", "cores": 2}})
    batches = pd.concat([run.timings.drop_duplicates("method")] * blocks, ignore_index=True)
    batches = batches.assign(batch=np.arange(len(batches)).astype(str), n_fits=10)
    seconds = 1.0 + 0.2 * (np.arange(len(batches)) // 2)
    base = dataclasses.replace(run, timings=batches.assign(run_seconds=seconds))
    is_slow = (batches["method"] == METHODS[1]).to_numpy()
    candidate = dataclasses.replace(run, timings=batches.assign(run_seconds=np.where(is_slow, 1.25, 1.0) * seconds))
    compared = simstudy.compare(base, candidate, margins={"time_reference": METHODS[0], "measures": ["time_ratio"]})
    open_ = " ".join(answers(compared)["What cannot be told"])
    assert f"“{METHODS[1]}”, time over the reference 1.00 and 1.25: " in open_
    assert told in open_
    assert "million" not in open_
