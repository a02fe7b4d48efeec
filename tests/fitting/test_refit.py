"""A stored fit can be run again alone, and comes out as it is stored."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.io import netcdf_file

import simstudy
from simstudy.cli import main
from simstudy.errors import RunError, StudyError
from simstudy.store import RunWriter
from simstudy.store.run import read_study
from tests.random_walk import registered
from tests.running.test_runner import STUDY

OPTIONS = ["--replicate", "3", "--method", "partial"]


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The study of the runner's tests, whose programs it shares, in blocks of many fits."""
    out = tmp_path_factory.mktemp("runs") / "small"
    return simstudy.run(simstudy.Study.from_dict(STUDY), out=out, workers=0, quiet=True)


@pytest.mark.parametrize("method", ["complete", "partial"])
def test_a_fit_alone_is_the_stored_fit(run, method):
    """Status, counters and every summary are equal bit for bit, though the fit was one of many in its block."""
    scenario = run.scenarios["scenario"].iloc[2]
    before = contents(run.folder)
    again = simstudy.refit(run.folder, scenario=scenario[:6], replicate=4, method=method)
    assert again.differences == ()
    stored = run.estimates.query("scenario == @scenario and replicate == 4 and method == @method")
    assert len(again.estimates) == len(stored) > 5
    np.testing.assert_array_equal(again.estimates["mean"], stored["mean"])
    assert contents(run.folder) == before


def test_draws_are_those_behind_the_summary(run):
    """The mean over the draws is the stored mean; two chains of 60 draws come back."""
    scenario = run.scenarios["scenario"].iloc[0]
    again = simstudy.refit(run, scenario=scenario, replicate=0, method="partial")
    tau = again.draws.estimands["tau"]
    assert tau.shape == (2, 60)
    stored = run.estimates.query("scenario == @scenario and replicate == 0 and method == 'partial'")
    assert tau.mean() == pytest.approx(stored.set_index("estimand").loc["tau", "mean"], rel=1e-5)


@pytest.mark.parametrize("method", ["walk", "NUTS", "exact"])
def test_a_fit_beside_a_sampler_with_options_of_its_own_is_the_stored_fit(walk, method):
    """A method has the options that its own sampler has: those of the first are not asked of the others."""
    with registered():
        again = simstudy.refit(walk, scenario=walk.scenarios["scenario"].iloc[0], replicate=1, method=method)
    assert again.differences == ()


def test_a_changed_row_is_told(run, tmp_path):
    """Where the run holds another number than the fit gives, the column is named with the size of the difference."""
    scenario = run.scenarios["scenario"].iloc[0]
    estimates, fits = run.estimates, run.fits
    one = (estimates["scenario"] == scenario) & (estimates["replicate"] == 0) & (estimates["method"] == "partial")
    row = fits[(fits["scenario"] == scenario) & (fits["replicate"] == 0) & (fits["method"] == "partial")]
    with RunWriter.create_or_continue(tmp_path / "copy", read_study(run.folder)) as writer:
        writer.write_scenarios(run.scenarios)
        writer.write_methods(run.methods)
        moved = estimates[one].assign(mean=lambda table: table["mean"] * 1.01)
        writer.write_block("moved", fits=row.assign(batch="moved"), estimates=moved, timings=run.timings.head(1))
    again = simstudy.refit(tmp_path / "copy", scenario=scenario, replicate=0, method="partial")
    assert again.differences == ("mean: differs from the stored by up to 9.9e-03 of its size",)


def test_the_command_writes_draws_and_says_equal(run, tmp_path, monkeypatch, capsys):
    """`simstudy refit` prints the summary table and the verdict, and writes two NetCDF files and nothing else."""
    monkeypatch.chdir(tmp_path)
    scenario = run.scenarios["scenario"].iloc[1]
    before = contents(run.folder)
    with pytest.raises(SystemExit) as end:
        main(["refit", str(run.folder), "--scenario", scenario, *OPTIONS, "--out", "fit.nc"])
    printed = capsys.readouterr().out
    assert end.value.code == 0
    assert "equal: the stored fit, bit for bit" in printed
    assert {"mean", "rhat", "tau", "theta"} <= set(printed.split())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["fit.nc", "fit.sample_stats.nc"]
    with netcdf_file("fit.nc", mmap=False) as file:
        assert file.variables["theta"].shape == (2, 60, 3)
    assert contents(run.folder) == before


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"scenario": "zz"}, "has no scenario 'zz'; expected the id or the label of one of\n  "),
        ({"scenario": ""}, "has no scenario ''"),
        ({"scenario": " , "}, "has no scenario ' , '"),
        ({"scenario": "tau=0.55"}, "has no scenario 'tau=0.55'"),
        ({"scenario": "tau=0."}, "has no scenario 'tau=0.'"),
        ({"scenario": "groups=3, groups=4"}, "has no scenario 'groups=3, groups=4'"),
        ({"replicate": 6}, "no replicate 6 of scenario"),
        ({"replicate": 6}, "stored are 0 to 5"),
        ({"method": "partia"}, "did you mean 'partial'?; expected one of 'complete', 'partial'"),
    ],
)
def test_what_is_not_there_is_named(run, options, words):
    """A scenario, replicate or method that the run lacks is refused with what there is."""
    known = {"scenario": run.scenarios["scenario"].iloc[0], "replicate": 0, "method": "partial"}
    with pytest.raises(RunError) as error:
        simstudy.refit(run, **(known | options))
    assert words in str(error.value)


def test_a_beginning_of_several_ids_is_refused(run):
    """A prefix that more than one scenario has is refused with those that have it."""
    twins = run.scenarios.assign(scenario=["aa00", "aa11", "bb00", "cc00"])
    changed = replace(run)
    changed.__dict__["scenarios"] = twins
    with pytest.raises(RunError, match="2 scenarios that begin with 'aa'") as error:
        simstudy.refit(changed, scenario="aa", replicate=0, method="partial")
    assert [line.split()[0] for line in str(error.value).splitlines()[1:]] == ["aa00", "aa11"]


def labeled(run, labels):
    """Return the run with these labels in place of its own."""
    changed = replace(run)
    changed.__dict__["scenarios"] = run.scenarios.assign(label=labels)
    return changed


@pytest.mark.parametrize(
    ("called", "place"),
    [
        ("tau=1, groups=3", 1),
        ("groups=3, tau=10", 2),
        ("groups=3,tau=10", 2),
        ("tau=10", 2),
        ("groups=3", 0),
        ("plain", 3),
    ],
)
def test_a_scenario_is_called_by_its_label_or_a_part(run, called, place):
    """Every part given is whole in the label, in any order; a label that is just that comes before longer ones."""
    labels = ["groups=3", "groups=3, tau=1", "groups=3, tau=10", "plain"]
    scenario = run.scenarios["scenario"].iloc[place]
    with pytest.raises(RunError, match=f"no replicate 99 of scenario {scenario}"):
        simstudy.refit(labeled(run, labels), scenario=called, replicate=99, method="partial")


def test_a_fit_is_found_by_its_label(run):
    """The label that the run prints leads to the stored fit, as its id does."""
    label, scenario = run.scenarios[["label", "scenario"]].iloc[2]
    again = simstudy.refit(run, scenario=label, replicate=1, method="complete")
    assert again.is_equal
    assert again.fit["scenario"] == scenario


def test_a_part_of_several_labels_is_refused(run):
    """Parts that several labels have are refused with those scenarios and no others."""
    labels = run.scenarios.set_index("scenario")["label"]
    with pytest.raises(RunError, match=r"2 scenarios labeled 'tau=0\.5'; expected the id or the label of") as error:
        simstudy.refit(run, scenario="tau=0.5", replicate=0, method="partial")
    listed = dict(line.split(maxsplit=1) for line in str(error.value).splitlines()[1:])
    assert listed == {identity: label for identity, label in labels.items() if label.endswith("tau=0.5")}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"mechanism": {"kind": "dataset", "data": "eight_schools"}},
        {
            "method": [
                {"name": "a", "structure": "partial", "priors": {"tau": 1.5, "mu": ["Normal(0, 1)", "Cauchy(0, 2.5)"]}},
                {"name": "b", "structure": "none", "sampler": {"kind": "exact", "draws": [100, 200]}},
            ]
        },
    ],
)
def test_a_study_comes_back_from_its_canonical_form(changes):
    """The study of a run's study.json has the same scenarios, methods and keys as the one it came from."""
    study = simstudy.Study.from_dict(STUDY | changes)
    again = simstudy.Study.from_canonical(json.loads(json.dumps(study.canonical)))
    assert again.canonical == study.canonical
    assert [s.identity for s in again.scenarios] == [s.identity for s in study.scenarios]
    assert [m.identity for m in again.methods] == [m.identity for m in study.methods]


def test_a_model_that_has_changed_is_refused():
    """A run of a user's model is not refitted with another model of the same name."""
    contents = STUDY | {"mechanism": {"kind": simstudy.register_mechanism("steady", lambda key, scenario: ({}, {}))}}
    model = simstudy.register_model("drifting", lambda data: None, estimands=dict)
    study = simstudy.Study.from_dict(contents | {"method": [{"name": "m", "model": model}]})
    simstudy.register_model("drifting", lambda data: data, estimands=dict)
    with pytest.raises(StudyError, match="'drifting' is another one now"):
        simstudy.Study.from_canonical(study.canonical)


def test_public_names_stay_functions():
    """A name of the package is a function at every use, though a module may have the same name."""
    for name in simstudy.__all__:
        first, second = getattr(simstudy, name), getattr(simstudy, name)
        assert callable(first)
        assert first is second
