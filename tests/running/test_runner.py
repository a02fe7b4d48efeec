"""Whole runs: what is stored, and that interruption, order, workers and extension change none of it."""

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import Future

import numpy as np
import numpyro
import numpyro.distributions as dist
import pandas as pd
import pytest

import simstudy
from simstudy.errors import RunError
from simstudy.executors import InProcessExecutor, WorkerDied
from simstudy.store import Run
from simstudy.store.kept import kept_fits

STUDY = {
    "study": {"name": "small", "seed": 11, "replicates": 6},
    "mechanism": {"kind": "exchangeable", "groups": [3, 4], "group_size": 3, "tau": [0.5, 1.0]},
    "method": [{"name": "complete", "structure": "complete"}, {"name": "partial", "structure": "partial"}],
    "sampler": {"kind": "nuts", "chains": 2, "warmup": 60, "draws": 60},
}
TABLES = ("scenarios", "methods", "groups", "fits", "chains", "estimates")
KEYS = {
    "scenarios": ["scenario"],
    "methods": ["method"],
    "groups": ["scenario", "replicate", "group"],
    "fits": ["scenario", "replicate", "method"],
    "chains": ["scenario", "replicate", "method", "chain"],
    "estimates": ["scenario", "replicate", "method", "estimand", "group"],
}

SCRIPT = """
import json, sys
import simstudy
contents = json.loads(sys.argv[1])
simstudy.run(simstudy.Study.from_dict(contents), out=sys.argv[2], workers=int(sys.argv[3]), quiet=True)
"""


def changed(**study):
    return STUDY | {"study": STUDY["study"] | study}


def same_tables(a: Run, b: Run) -> None:
    """Assert that two runs hold the same rows; only batches and timings may differ."""
    for name in TABLES:
        first, second = (getattr(run, name).drop(columns="batch", errors="ignore") for run in (a, b))
        pd.testing.assert_frame_equal(first, second, check_categorical=False, check_exact=True, obj=name)


def n_different(table: pd.DataFrame, by: list[str], column: str) -> set[int]:
    """Return how many values of a column the groups of rows have."""
    return {len(set(rows[column])) for _, rows in table.groupby(by, observed=True)}


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    """The run of the small study, made in this process in one go."""
    out = tmp_path_factory.mktemp("runs") / "whole"
    return simstudy.run(simstudy.Study.from_dict(STUDY), out=out, workers=0, quiet=True)


def test_every_fit_has_its_rows(uninterrupted):
    """4 scenarios x 2 methods x 6 replicates are stored, each with chains, estimates and a timing."""
    fits = uninterrupted.fits
    assert len(fits) == 48
    assert (fits["status"] == "ok").all()
    assert len(uninterrupted.chains) == 96
    theta = uninterrupted.estimates.query("estimand == 'theta'")
    assert len(theta) == 2 * 2 * 6 * (3 + 4)
    assert uninterrupted.timings["n_fits"].sum() == 48
    assert set(uninterrupted.groups.groupby("scenario", observed=True).size()) == {18, 24}


def test_methods_see_the_same_data(uninterrupted):
    """All methods of a replicate share its data key and its truth."""
    assert n_different(uninterrupted.fits, ["scenario", "replicate"], "data_key") == {1}
    theta = uninterrupted.estimates.query("estimand == 'theta'")
    assert n_different(theta, ["scenario", "replicate", "group"], "truth") == {1}


def test_estimands_that_a_model_lacks_have_no_rows(uninterrupted):
    """Complete pooling has no tau and no shrinkage weight; its theta is mu."""
    complete = uninterrupted.estimates.query("method == 'complete'")
    assert not {"tau", "shrinkage_weight"} & set(complete["estimand"])
    wide = complete[complete["estimand"].isin(["mu", "theta"])]
    assert n_different(wide, ["scenario", "replicate"], "mean") == {1}


def test_running_again_fits_nothing(uninterrupted):
    """A finished run is left as it is."""
    again = simstudy.run(simstudy.Study.from_dict(STUDY), out=uninterrupted.folder, workers=0, quiet=True)
    assert again.batches == uninterrupted.batches


def test_two_workers_give_the_same_rows(uninterrupted, tmp_path):
    """Bit for bit: worker processes, in whatever order they finish, make no difference."""
    command = [sys.executable, "-c", SCRIPT, json.dumps(STUDY), str(tmp_path / "two"), "2"]
    subprocess.run(command, check=True, cwd=tmp_path)
    same_tables(Run.open(tmp_path / "two"), uninterrupted)


def reordered():
    """The same study with every list the other way round."""
    mechanism = STUDY["mechanism"]
    mechanism = mechanism | {"groups": mechanism["groups"][::-1], "tau": mechanism["tau"][::-1]}
    return STUDY | {"mechanism": mechanism, "method": STUDY["method"][::-1]}


def test_order_makes_no_difference(uninterrupted, tmp_path):
    """Scenarios and methods in another order, hence other blocks, lanes and neighbors: the same rows, bit for bit."""
    other = simstudy.run(simstudy.Study.from_dict(reordered()), out=tmp_path / "run", workers=0, quiet=True)
    assert set(other.batches).isdisjoint(uninterrupted.batches)
    assert list(other.methods["method"]) == ["partial", "complete"]
    for name, keys in KEYS.items():
        first, second = (
            getattr(run, name).drop(columns="batch", errors="ignore").astype(dict.fromkeys(keys, str))
            for run in (uninterrupted, other)
        )
        first, second = (table.sort_values(keys, ignore_index=True) for table in (first, second))
        pd.testing.assert_frame_equal(
            first, second, check_categorical=False, check_like=True, check_exact=True, obj=name
        )


def test_division_into_blocks_makes_no_difference(uninterrupted, tmp_path):
    """Blocks divided and divided again, as after deaths of workers: the same rows, bit for bit."""

    class Deadly(InProcessExecutor):
        def submit(self, task, block):
            if len(block.fits) <= 3:
                return super().submit(task, block)
            future = Future()
            future.set_exception(WorkerDied("too large"))
            return future

    divided = simstudy.run(
        simstudy.Study.from_dict(STUDY), out=tmp_path / "run", executor=Deadly(), workers=1, quiet=True
    )
    assert len(divided.batches) == 16
    same_tables(divided, uninterrupted)


class Interrupting(InProcessExecutor):
    """Has a signal come while each block runs."""

    def __init__(self, number):
        self._number = number

    def submit(self, task, *args):
        signal.raise_signal(self._number)
        return super().submit(task, *args)


@pytest.mark.parametrize(("number", "ending"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)])
def test_an_interrupted_run_goes_on_to_the_same_rows(uninterrupted, tmp_path, number, ending):
    """Ctrl-C or SIGTERM at every block: the block is finished and stored, and sessions add up to the same rows."""
    n_stored = []
    for _ in uninterrupted.batches:
        with pytest.raises(ending):
            simstudy.run(
                simstudy.Study.from_dict(STUDY), out=tmp_path, executor=Interrupting(number), workers=1, quiet=True
            )
        n_stored.append(len(Run.open(tmp_path).fits))
    assert sorted(set(n_stored)) == n_stored
    same_tables(Run.open(tmp_path), uninterrupted)
    assert (tmp_path / "run.log").read_text().count("fits to come") == len(n_stored)


def test_a_run_that_fails_too_much_stops(tmp_path):
    """A method whose every fit fails, among others: the run stops early and says why; all that was done is stored."""

    def broken(data):
        raise ValueError("no such thing")

    model = simstudy.register_model("broken", broken, estimands=dict)
    contents = changed(replicates=400) | {"method": [STUDY["method"][0], {"name": "broken", "model": model}]}
    run = simstudy.run(simstudy.Study.from_dict(contents), out=tmp_path, workers=0, max_failed=0.2, quiet=True)
    status = run.fits.groupby("method", observed=True)["status"].agg(set)
    assert len(run.fits) < 3200
    assert status["broken"] == {"failed"}
    assert "so that more than 20.0% of all 3200 will" in (tmp_path / "run.log").read_text()


def test_a_killed_run_goes_on_to_the_same_rows(uninterrupted, tmp_path):
    """kill -9 of the driver in the middle, then the same command again: the tables of an uninterrupted run."""
    out = tmp_path / "killed"
    command = [sys.executable, "-c", SCRIPT, json.dumps(STUDY), str(out), "1"]
    process = subprocess.Popen(command, cwd=tmp_path, start_new_session=True)
    deadline = time.monotonic() + 240
    while not list(out.glob("fits/*.parquet")) and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert 0 < len(Run.open(out).fits) < 48
    subprocess.run(command, check=True, cwd=tmp_path)
    same_tables(Run.open(out), uninterrupted)


def test_extension_keeps_what_is_there(uninterrupted, tmp_path):
    """A run that grew from fewer replicates, scenarios and methods has the rows of one made at once."""
    out = tmp_path / "grown"
    small = changed(replicates=2) | {"method": STUDY["method"][:1]}
    small = small | {"mechanism": STUDY["mechanism"] | {"tau": [0.5]}}
    first = simstudy.run(simstudy.Study.from_dict(small), out=out, workers=0, quiet=True)
    kept = {part: part.read_bytes() for part in out.glob("fits/*.parquet")}
    assert len(first.fits) == 4
    grown = simstudy.run(simstudy.Study.from_dict(STUDY), out=out, workers=0, quiet=True)
    assert all(part.read_bytes() == content for part, content in kept.items())
    same_tables(grown, uninterrupted)


def test_another_study_in_the_folder_is_refused(uninterrupted):
    """A changed study is refused, with the difference shown, and nothing is touched."""
    with pytest.raises(RunError, match="seed"):
        simstudy.run(simstudy.Study.from_dict(changed(seed=12)), out=uninterrupted.folder, workers=0, quiet=True)
    assert len(Run.open(uninterrupted.folder).fits) == 48


def test_a_user_model_and_mechanism_run(tmp_path):
    """A user's simulator and NumPyro model go through the same pipeline, with truth by estimand name."""
    import jax

    def simulate(key, scenario):
        rate = scenario["rate"]
        return {"y": jax.random.exponential(key, (40,)) / rate}, {"rate": rate}

    def program(data):
        rate = numpyro.sample("rate", dist.Gamma(1.0, 1.0))
        numpyro.sample("y", dist.Exponential(rate).expand([40]), obs=data["y"])

    mechanism = simstudy.register_mechanism("waiting_times", simulate)
    model = simstudy.register_model("exponential", program, estimands=lambda posterior: {"rate": posterior["rate"]})
    study = simstudy.Study.from_dict(
        {
            "study": {"name": "mine", "replicates": 20},
            "mechanism": {"kind": mechanism, "rate": [1.0, 3.0]},
            "method": [{"name": "exponential", "model": model}],
            "sampler": {"kind": "nuts", "chains": 2, "warmup": 100, "draws": 200},
        }
    )
    run = simstudy.run(study, out=tmp_path / "mine", workers=0, quiet=True)
    assert (run.fits["status"] == "ok").all(), run.fits["reason"].iloc[0]
    z = (run.estimates["mean"] - run.estimates["truth"]) / run.estimates["sd"]
    assert len(z) == 40
    assert abs(z.mean()) < 4 / np.sqrt(40)


def test_models_that_raise_are_rows(tmp_path):
    """A model that cannot be traced gives failed fits with the reason; other methods are unharmed."""

    def broken(data):
        raise ValueError("no such thing")

    model = simstudy.register_model("broken", broken, estimands=dict)
    contents = changed(replicates=1) | {"method": [STUDY["method"][0], {"name": "broken", "model": model}]}
    run = simstudy.run(simstudy.Study.from_dict(contents), out=tmp_path / "run", workers=0, quiet=True)
    by_method = run.fits.set_index(run.fits["method"].astype(str))
    assert (by_method.loc["broken", "status"] == "failed").all()
    assert by_method.loc["broken", "reason"].str.contains("ValueError: no such thing").all()
    assert (by_method.loc["complete", "status"] == "ok").all()


def test_kept_draws_are_those_that_were_summarized(tmp_path):
    """The draws of the first replicate are on disk, and their mean is the stored estimate."""
    study = simstudy.Study.from_dict(changed(replicates=2) | {"method": STUDY["method"][1:]})
    run = simstudy.run(study, out=tmp_path / "run", workers=0, keep_draws=1, quiet=True)
    files = sorted((run.folder / "draws").glob("*/partial/0.posterior.nc"))
    assert len(files) == 4
    assert not list((run.folder / "draws").glob("*/partial/1.*"))
    stored = run.estimates.query("estimand == 'tau' and replicate == 0").set_index("scenario")["mean"]
    for scenario, mean in stored.items():
        (fit,) = kept_fits(run.folder, scenario, "partial")
        assert fit.replicate == 0
        assert fit.posterior["tau"].shape == (2, 60)
        assert fit.posterior["tau"].mean() == pytest.approx(mean, rel=1e-5)
        fits = run.fits.query("scenario == @scenario and method == 'partial' and replicate == 0")
        assert fit.sample_stats["diverging"].dtype == bool
        assert fit.sample_stats["diverging"].sum() == fits["n_divergent"].item()
    assert list(kept_fits(run.folder, "no such scenario", "partial")) == []
