"""A run on a user's own data keeps them, and what its groups are called, so that it can be moved and refitted."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import simstudy
from simstudy.cli import main
from simstudy.errors import RunError, StudyError, TableError
from simstudy.fitting.kept import write_draws
from simstudy.report.publishing import group_table
from simstudy.store.data import DATA
from simstudy.store.run import Run
from simstudy.store.verification import verify

LABELS = ["001", "01", "NA", "Zürich", "a, b"]
REST = {
    "study": {"name": "own", "seed": 1, "replicates": 1},
    "method": [{"name": "partial", "structure": "partial"}, {"name": "none", "structure": "none"}],
    "sampler": {"kind": "exact", "draws": 100},
}
TOML = """
[study]
name = "own"
seed = 1
replicates = 1

[mechanism]
kind = "dataset"
{mechanism}

[[method]]
name = "partial"
structure = "partial"

[sampler]
kind = "exact"
draws = 100
"""


def frame():
    rng = np.random.default_rng(3)
    return pd.DataFrame({"school": np.repeat(LABELS, 4), "score": rng.normal(50, 5, 20).round(1), "size": 3})


def study_of(data, **columns):
    return simstudy.Study.from_dict(REST | {"mechanism": {"kind": "dataset", "data": data, **columns}})


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run on a frame, with its draws."""
    out = tmp_path_factory.mktemp("runs") / "own"
    return simstudy.run(study_of(frame(), group="school", value="score"), out=out, workers=0, quiet=True, keep_draws=1)


@pytest.fixture
def moved(run, tmp_path):
    """The run somewhere else, as its receiver has it."""
    shutil.copytree(run.folder, tmp_path / "received")
    return tmp_path / "received"


def refitted(folder, **options):
    scenario = Run.open(folder).scenarios["scenario"].iloc[0]
    return simstudy.refit(folder, scenario=scenario, replicate=0, method="partial", **options)


def test_a_run_keeps_the_columns_that_it_used(run):
    """Labels as written, numbers, and no other column; the study says in words what they were."""
    kept = pd.read_parquet(run.folder / DATA)
    pd.testing.assert_frame_equal(kept, frame()[["school", "score"]], check_dtype=False)
    assert run.study["mechanism"]["data"] == "a table of 20 rows (school, score)"
    assert verify(run.folder) == []


def test_a_received_run_is_refitted(moved):
    """Without the frame, bit for bit, with the names of the groups."""
    again = refitted(moved)
    assert again.is_equal
    assert again.group_names == dict(enumerate(LABELS))
    assert again.draws.labels == tuple(LABELS)


@pytest.mark.parametrize("damage", ["edit", "swap", "remove", "link"])
def test_other_data_are_not_refitted(moved, damage):
    """What is not the data of the run is found, whoever wrote it."""
    path = moved / DATA
    if damage == "edit":
        frame().assign(score=1.0).to_parquet(path)
    elif damage == "swap":
        frame()[["school", "score"]].to_parquet(path)
    elif damage == "remove":
        path.unlink()
    else:
        path.rename(moved.parent / "x.parquet")
        path.symlink_to(moved.parent / "x.parquet")
    assert any("data.parquet" in problem for problem in verify(moved))
    with pytest.raises(RunError, match=r"data\.parquet"):
        refitted(moved)


def test_data_of_a_run_without_manifest_are_held_to_the_scenario(moved):
    """A run that was copied without its hidden files is read on trust, but its identity is that of its rows."""
    shutil.rmtree(moved / ".simstudy")
    assert refitted(moved).is_equal
    frame()[["school", "score"]].assign(score=1.0).to_parquet(moved / DATA)
    with pytest.raises(StudyError, match="its mechanism or its data file is another one now"):
        refitted(moved)


def test_other_rows_are_no_continuation(run):
    """A frame of the same words with another number is refused; the same frame goes on with nothing to do."""
    methods = run.study["methods"]
    for data in (frame(), frame().assign(score=lambda f: f["score"].where(f.index > 0, 0))):
        # The priors are given, so that the study is the same but for the rows.
        study = simstudy.Study.from_dict(
            REST
            | {
                "mechanism": {"kind": "dataset", "data": data, "group": "school", "value": "score"},
                "method": [{k: v for k, v in m.items() if v is not None and k != "sampler"} for m in methods],
            }
        )
        if data.equals(frame()):
            assert simstudy.run(study, out=run.folder, workers=0, quiet=True).batches == run.batches
            continue
        with pytest.raises(RunError, match=r"holds fits of other data: the rows of 'a table of 20 rows"):
            simstudy.run(study, out=run.folder, workers=0, quiet=True)
    assert verify(run.folder) == []


def test_names_are_coordinates_of_kept_draws(run, tmp_path):
    """xarray, and so ArviZ, shows theta of each group by its name; estimands without groups have none."""
    xarray = pytest.importorskip("xarray")
    scenario = run.scenarios["scenario"].iloc[0]
    with xarray.open_dataset(run.folder / "draws" / scenario / "partial" / "0.posterior.nc") as draws:
        assert draws["theta"].coords["theta_group"].to_numpy().tolist() == LABELS
        assert "mu_group" not in draws.coords
        theta = draws["theta"].sel(theta_group="Zürich")
        assert theta.dims == ("chain", "draw")
    again = refitted(run.folder)
    write_draws(tmp_path / "x.nc", again.draws)
    with xarray.open_dataset(tmp_path / "x.nc") as draws:
        np.testing.assert_array_equal(draws["theta"].sel(theta_group="Zürich"), theta)


def test_tables_and_report_name_the_groups(run, tmp_path):
    """The table of groups has them, and the page's summary and sentences."""
    assert run.groups["label"].tolist() == LABELS
    assert run.labels["label"].tolist() == LABELS
    page = simstudy.report(run, tmp_path / "x.html").read_text()
    for shown in ("theta[001]", "theta[NA]", "theta[Zürich]", "theta[a, b]"):
        assert shown in page
    assert ">theta[0]<" not in page


def test_groups_are_a_table_for_a_paper(run):
    """By name, with what was observed; posterior means and sds are those of the estimates."""
    table = group_table(run)
    assert table["group"].tolist() == LABELS
    means = frame().groupby("school", sort=False)["score"].mean()
    np.testing.assert_allclose(table["mean"].astype(float), means, rtol=6e-3)
    theta = run.estimates.query("estimand == 'theta' and method == 'none'")
    shown = table["none"].str.extract(r"([\d.]+) \(([\d.]+)\)").astype(float)
    np.testing.assert_allclose(shown[0], theta["mean"], atol=0.051)
    np.testing.assert_allclose(shown[1], theta["sd"], atol=0.051)
    with pytest.raises(TableError, match="simstudy table --groups has its groups by their names"):
        simstudy.table(run)


def done(*arguments: str) -> object:
    """Return the exit code of a command."""
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    return ended.value.code


def _write(folder: Path, kind: str) -> str:
    if kind == "values":
        values = [group["score"].tolist() for _, group in frame().groupby("school", sort=False)]
        return f"values = {values}\nlabels = {json.dumps(LABELS, ensure_ascii=False)}"
    name = f"scores.{kind}"
    frame().to_csv(folder / name, index=False) if kind == "csv" else frame().to_parquet(folder / name)
    return f'data = "{name}"\ngroup = "school"\nvalue = "score"'


@pytest.mark.parametrize("kind", ["csv", "parquet", "values"])
def test_from_the_command_line(kind, tmp_path, monkeypatch, capsys):
    """Run, lose the file, move the run, refit: the fit is the stored one and its groups have their names."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.toml").write_text(TOML.replace("{mechanism}", _write(tmp_path, kind)))
    assert done("run", "own.toml", "--workers", "0", "--keep-draws", "1") == 0
    page = Path("runs/own/report.html").read_text()
    assert "Zürich" in page
    assert f"data: {'values in the study' if kind == 'values' else f'scores.{kind}'}" in page
    assert "all factors crossed" not in page
    for path in tmp_path.glob("scores.*"):
        path.unlink()
    shutil.move("runs/own", "received")
    scenario = Run.open("received").scenarios["scenario"].iloc[0]
    capsys.readouterr()
    assert done("refit", "received", "--scenario", scenario, "--replicate", "0", "--method", "partial") == 0
    out = capsys.readouterr().out
    assert "equal: the stored fit, bit for bit" in out
    assert "Zürich" in out
    assert done("table", "received", "--groups", "--format", "csv") == 0
    names = [row[0] for row in csv.reader(capsys.readouterr().out.splitlines())]
    assert names == ["group", *LABELS]
    assert done("verify", "received") == 0
    assert capsys.readouterr().out.startswith("clean")


def test_a_run_of_before_needs_the_folder(tmp_path):
    """Runs that were made before runs kept their data are refitted from the file, whose folder is named."""
    frame().to_csv(tmp_path / "scores.csv", index=False)
    (tmp_path / "own.toml").write_text(TOML.replace("{mechanism}", _write(tmp_path, "csv")))
    study = simstudy.Study.from_toml(tmp_path / "own.toml")
    canonical = json.loads(json.dumps(study.canonical))
    with pytest.raises(StudyError, match=r"name the folder where it lies \(--folder\)"):
        simstudy.Study.from_canonical(canonical)
    again = simstudy.Study.from_canonical(canonical, folder=tmp_path)
    assert again.scenarios[0].identity == study.scenarios[0].identity
    assert again.canonical == study.canonical
