"""A run as an xarray tree, held to its tables, number by number."""

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from simstudy.errors import RunError
from simstudy.fitting.kept import write_kept
from simstudy.fitting.rows import KeptDraws
from simstudy.store import Run

BASELINE = Path(__file__).parents[2] / "benchmarks" / "regress" / "baseline"


@pytest.fixture(scope="module")
def tree():
    pytest.importorskip("xarray")
    return Run.open(BASELINE).to_datatree()


def test_every_stored_estimate_is_where_its_names_say(tree):
    """By labels of scenario and method, replicate and group, the tree gives the number of the table."""
    run = Run.open(BASELINE)
    labels = dict(zip(run.scenarios["scenario"].astype(str), run.scenarios["label"], strict=True))
    rows = run.estimates.iloc[np.random.default_rng(0).choice(len(run.estimates), 200, replace=False)]
    for row in rows.to_dict("records"):
        node = tree[f"estimates/{row['estimand']}"].ds
        place = {"scenario": labels[str(row["scenario"])], "method": row["method"], "replicate": row["replicate"]}
        place |= {} if row["group"] is None or np.isnan(float(row["group"])) else {"group": int(row["group"])}
        for column in ("mean", "sd", "truth", "rank"):
            np.testing.assert_equal(float(node[column].sel(place)), row[column])


def test_nothing_is_lost_and_nothing_is_made_up(tree):
    """As many numbers are finite as the table has, over all estimands."""
    run = Run.open(BASELINE)
    n = sum(int(np.isfinite(tree[f"estimates/{name}"].ds["mean"]).sum()) for name in tree["estimates"].children)
    assert n == int(np.isfinite(run.estimates["mean"]).sum())
    assert int(np.isfinite(tree["fits"].ds["n_leapfrog"]).sum()) == len(run.fits)


def test_factors_are_coordinates(tree):
    """A mean over replicates is plotted against a factor of the design, which stands beside the scenarios."""
    run = Run.open(BASELINE)
    fits = tree["fits"].ds
    assert fits["tau"].dims == ("scenario",)
    np.testing.assert_array_equal(fits["tau"], run.scenarios["tau"])
    np.testing.assert_array_equal(fits["id"], run.scenarios["scenario"])
    by_tau = fits["max_rhat"].mean("replicate").groupby("tau").mean(...)
    assert len(by_tau) == run.scenarios["tau"].nunique()


def test_kept_draws_are_groups_that_arviz_reads(tmp_path):
    """The draws of one fit: posterior and sample_stats with chains, draws and groups, and ArviZ's mean is theirs."""
    arviz = pytest.importorskip("arviz")
    folder = tmp_path / "run"
    shutil.copytree(BASELINE, folder)
    run = Run.open(folder)
    scenario, label = run.scenarios.loc[0, ["scenario", "label"]].astype(str)
    method = str(run.methods["method"].iloc[0])
    rng = np.random.default_rng(0)
    theta, mu = rng.normal(size=(4, 50, 3)), rng.normal(size=(4, 50))
    stats = {"diverging": np.zeros((4, 50), bool)}
    write_kept(
        folder,
        KeptDraws(scenario=scenario, method=method, replicate=2, estimands={"theta": theta, "mu": mu}, stats=stats),
    )
    fit = run.to_datatree()[f"draws/{method.replace('/', '_')}/{label}/2"]
    np.testing.assert_allclose(fit["posterior/theta"], theta)
    assert fit["posterior/theta"].dims == ("chain", "draw", "theta_group")
    assert fit["sample_stats/diverging"].shape == (4, 50)
    summary = arviz.summary(fit["posterior"].to_dataset(), round_to="none")
    assert summary.loc["mu", "mean"] == pytest.approx(mu.mean())
    assert arviz.InferenceData.from_datatree(fit).groups() == ["posterior", "sample_stats"]


def test_without_xarray_the_message_says_what_to_install(monkeypatch):
    """The extra is named."""
    monkeypatch.setitem(sys.modules, "xarray", None)
    with pytest.raises(RunError, match=r"pip install 'simstudy\[arviz\]'"):
        Run.open(BASELINE).to_datatree()
