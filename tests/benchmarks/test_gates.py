"""The gates go red for what they are there for: a slowdown, a biased estimate, nothing measured. All of it planted."""

import copy
import dataclasses
import json
from pathlib import Path

import pytest

import simstudy
from benchmarks.gate import BASELINE, REFERENCE, SLOWER, find_failures, load, main, read_measured
from simstudy.store import Run
from tests.comparison.runs import moved, with_fits
from tests.fakes import FakeRun

REGRESS = Path(__file__).parents[2] / "benchmarks" / "regress"
MARGINS = REGRESS / "margins.toml"
MOST_BYTES = 1_000_000


@pytest.fixture
def measured():
    """A pytest-benchmark document that agrees with the stored baseline, on a machine half as fast."""
    unit = 2e-3
    rows = [
        {"name": name, "stats": {"min": reading.time_ratio * unit}, "extra_info": dict(reading.counters)}
        for name, reading in load(BASELINE).items()
    ]
    return {"benchmarks": rows}


def row_of(document, name):
    return next(row for row in document["benchmarks"] if row["name"] == name)


def run_gate(document, tmp_path, *options):
    """Return the exit code of the gate."""
    path = tmp_path / "measured.json"
    path.write_text(json.dumps(document))
    return main([str(path), *options])


def test_the_baseline_passes(measured, tmp_path, capsys):
    """Times that all grew alike, as on a slower machine, and equal counters pass."""
    assert run_gate(measured, tmp_path) == 0
    assert "benchmarks are as in baseline.json" in capsys.readouterr().out


@pytest.mark.parametrize("name", sorted(set(load(BASELINE)) - {REFERENCE}))
def test_a_slowdown_is_found(measured, tmp_path, capsys, name):
    """One benchmark that takes ten times as long fails and is named, none beside it; within the noise it passes."""
    row_of(measured, name)["stats"]["min"] *= 10
    assert run_gate(measured, tmp_path) == 1
    assert capsys.readouterr().err == f"{name}: 10.0 times as slow as in the baseline, over the reference; " + (
        f"allowed is {8 if name == 'test_store' else SLOWER:g} times\n"
    )
    row_of(measured, name)["stats"]["min"] *= 0.9 * SLOWER / 10
    assert run_gate(measured, tmp_path) == 0


@pytest.mark.parametrize(
    ("name", "counter", "factor", "red"),
    [
        ("test_store", "rows", 1.001, True),
        ("test_simulate", "fits", 0.5, True),
        ("test_advance", "leapfrogs", 1.2, True),
        ("test_advance", "leapfrogs", 1.01, False),
        ("test_fit_block", "ess", 0.8, True),
        ("test_fit_block", "ess", 0.97, False),
    ],
)
def test_counters_are_held(measured, tmp_path, capsys, name, counter, factor, red):
    """Whole counters must be equal; those that hang on the last bits may move by their tolerance."""
    counters = row_of(measured, name)["extra_info"]
    counters[counter] *= factor
    assert run_gate(measured, tmp_path) == int(red)
    assert (f"{name}: {counter} " in capsys.readouterr().err) == red


def test_nothing_measured_is_red(measured, tmp_path, capsys):
    """No benchmarks, no reference, one missing, one unknown, a counter gone, no file: each fails and says why."""
    without = copy.deepcopy(measured)
    without["benchmarks"] = [row for row in measured["benchmarks"] if row["name"] != REFERENCE]
    fewer = copy.deepcopy(measured)
    fewer["benchmarks"] = [row for row in measured["benchmarks"] if row["name"] != "test_score"]
    more = copy.deepcopy(measured)
    more["benchmarks"].append(row_of(measured, "test_score") | {"name": "test_new"})
    gone = copy.deepcopy(measured)
    row_of(gone, "test_score")["extra_info"].clear()
    cases = {
        "nothing was measured": {"benchmarks": []},
        f"{REFERENCE} was not measured": without,
        "test_score: not measured, but in the baseline": fewer,
        "test_new: not in the baseline": more,
        "test_score: rows none, expected": gone,
    }
    for words, document in cases.items():
        assert run_gate(document, tmp_path) == 1
        assert words in capsys.readouterr().err
    assert main([str(tmp_path / "none.json")]) == 1
    assert "none.json" in capsys.readouterr().err


def test_update_writes_what_was_measured(measured, tmp_path):
    """After an update the same document passes, and what it was measured against is a small file."""
    row_of(measured, "test_score")["stats"]["min"] *= 20
    path = tmp_path / "baseline.json"
    assert run_gate(measured, tmp_path, str(path)) == 1
    assert run_gate(measured, tmp_path, str(path), "--update") == 0
    assert run_gate(measured, tmp_path, str(path)) == 0
    assert not find_failures(read_measured(measured), load(path))


@pytest.fixture(scope="module")
def stored():
    """The stored run of the small study."""
    return Run.open(REGRESS / "baseline")


def tables(run):
    """Return the run's tables as an object that can be changed."""
    return FakeRun(**{field.name: getattr(run, field.name) for field in dataclasses.fields(FakeRun)})


def test_the_stored_run_is_whole_and_small(stored):
    """Every part has its checksum, the folder is below 1 MB, and it is the run of the study beside it."""
    stored.verify()
    assert sum(path.stat().st_size for path in stored.folder.rglob("*") if path.is_file()) < MOST_BYTES
    study = simstudy.Study.from_toml(REGRESS / "study.toml")
    assert json.loads(json.dumps(study.canonical)) == stored.study
    comparison = simstudy.compare(stored, stored, margins=MARGINS)
    assert set(comparison.table["evidence"]) == {"identical"}
    assert comparison.exit_code == 0


@pytest.mark.parametrize("method", ["none", "partial, centered", "partial, non-centered"])
def test_a_biased_estimate_is_found(stored, method):
    """Means that are a fifth of a posterior sd off in one method, beside other noise of the sampler, are worse."""
    candidate = moved(tables(stored), 0.2, noise=0.04, method=method)
    comparison = simstudy.compare(stored, candidate, margins=MARGINS)
    assert comparison.exit_code == 1
    assert set(comparison.worse["method"]) == {method}
    assert set(comparison.worse.query("measure == 'bias'")["estimand"]) >= {"theta"}


def test_a_costlier_sampler_is_found(stored):
    """Half as many leapfrogs again in one method are worse, whatever the clock says."""
    slower = with_fits(
        tables(stored), n_leapfrog=lambda f: f["n_leapfrog"] * (1 + 0.5 * (f["method"] == "partial, non-centered"))
    )
    comparison = simstudy.compare(stored, slower, margins=MARGINS)
    assert comparison.exit_code == 1
    assert set(comparison.worse["method"]) == {"partial, non-centered"}
    assert set(comparison.worse["measure"]) == {"ess_per_leapfrog"}


def test_other_noise_of_the_sampler_passes(stored):
    """Posterior means with other Monte Carlo noise, as other draws would give, are no regression."""
    noise = 0.04  # 1 / sqrt(ESS) at about 600 effective draws
    comparison = simstudy.compare(stored, moved(tables(stored), 0.0, noise=noise, seed=3), margins=MARGINS)
    assert comparison.exit_code == 0
    assert comparison.counts["same"] > comparison.counts["cannot tell"]
