"""Which fits count under which policy."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from simstudy.measures import count_fits, flag, performance
from tests.fakes import fake_run

DIAGNOSTICS = {"max_rhat": 1.01, "min_ess": 400, "max_divergence_rate": 0.0}


@pytest.fixture(scope="module")
def run():
    """A run in which a tenth of the fits is missing."""
    return fake_run(replicates=60, groups=(4,), group_size=(2,), tau=(1.0,), failure_rate=0.05, levels=(0.95,))


def read(table, measure, policy):
    """Return value by method of a measure of theta under a policy."""
    rows = table[(table["measure"] == measure) & (table["estimand"] == "theta") & (table["policy"] == policy)]
    return rows[rows["bin"].isna()].set_index("method")


def test_flags_follow_the_thresholds(run):
    """A fit is flagged exactly when it exceeds a threshold; without thresholds nothing is flagged."""
    fits = run.fits.head(4).assign(
        status="ok",
        max_rhat=[1.0, 1.02, 1.0, 1.0],
        min_ess_bulk=[500.0, 500.0, 500.0, np.nan],
        min_ess_tail=[500.0, 500.0, 399.0, np.nan],
        n_divergent=pd.array([1, 0, 0, None], dtype="Int64"),
    )
    flags = flag(fits, DIAGNOSTICS)
    assert flags["divergent"].tolist() == [True, False, False, False]
    assert flags["max_rhat"].tolist() == [False, True, False, False]
    assert flags["min_ess"].tolist() == [False, False, True, False]
    assert not flag(fits, {}).to_numpy().any()


def test_default_keeps_flagged_fits(run):
    """All finite fits count by default; the unflagged are fewer, and stand beside them in the table."""
    table = performance(run, policy=["available", "unflagged"])
    available, unflagged = read(table, "mse", "available"), read(table, "mse", "unflagged")
    ok = (run.fits["status"] == "ok").groupby(run.fits["method"], observed=True).sum()
    assert (available["n_used"] == ok.loc[available.index]).all()
    assert (unflagged["n_used"] < available["n_used"]).any()
    assert (unflagged["n_used"] + unflagged["n_excluded"] == 60).all()


def test_pairs_are_left_out_together(run):
    """Under ``paired`` every method uses the same replicates: those finite under all of them."""
    counted = run.fits[count_fits(run.fits, DIAGNOSTICS, policy="paired")]
    sets = [set(g["replicate"]) for _, g in counted.groupby("method", observed=True)]
    assert len(sets) == 4
    assert all(s == sets[0] for s in sets)
    bad = set(run.fits.loc[run.fits["status"] != "ok", "replicate"])
    assert sets[0] == set(range(60)) - bad


def test_a_method_without_a_row_for_a_replicate_breaks_the_pair(run):
    """A replicate that one method has not run yet does not count for the others under ``paired``."""
    absent = (run.fits["method"] == "none").to_numpy() & (run.fits["replicate"] == 3).to_numpy()
    fits = run.fits[~absent]
    counted = fits[count_fits(fits, DIAGNOSTICS, policy="paired")]
    assert 3 not in set(counted["replicate"])


def test_worst_case_gives_missing_fits_the_worst_value(run):
    """Missing fits miss the truth and have the largest squared error of the scenario: checked by hand."""
    table = performance(run, policy=["available", "worst_case"])
    theta = run.estimates[(run.estimates["estimand"] == "theta") & run.estimates["mean"].notna()]
    square = (
        ((theta["mean"] - theta["truth"]) ** 2).groupby([theta["method"], theta["replicate"]], observed=True).mean()
    )
    covered = (theta["q2_5"] <= theta["truth"]) & (theta["truth"] <= theta["q97_5"])
    for method, row in read(table, "mse", "worst_case").iterrows():
        used = square.loc[method]
        expected = (used.sum() + (60 - len(used)) * square.max()) / 60
        assert row["value"] == pytest.approx(expected)
        assert row["n_used"] == 60
    coverage = read(table, "coverage", "worst_case")["value"]
    by_hand = covered.groupby(theta["method"], observed=True).sum() / (4 * 60)
    np.testing.assert_allclose(coverage, by_hand.loc[coverage.index])


def test_worst_case_is_never_better(run):
    """No method looks better under the worst case than with its missing fits left out."""
    table = performance(run, policy=["available", "worst_case"])
    for measure in ("mse", "rmse", "crps", "log_score", "interval_score"):
        worst, available = (read(table, measure, policy)["value"] for policy in ("worst_case", "available"))
        assert (worst >= available.loc[worst.index] - 1e-12).all()
    bias = [read(table, "bias", policy)["value"].abs() for policy in ("worst_case", "available")]
    assert (bias[0] >= bias[1].loc[bias[0].index] - 1e-12).all()


def test_without_missing_fits_all_policies_agree():
    """When every fit is finite the worst case is the default, to the last digit."""
    run = fake_run(replicates=30, groups=(4,), group_size=(2,), tau=(1.0,), failure_rate=0.0)
    table = performance(run, policy=["available", "worst_case", "paired"])
    for measure in ("mse", "bias", "crps"):
        values = [read(table, measure, policy)["value"] for policy in ("available", "worst_case", "paired")]
        assert (values[0] == values[1].loc[values[0].index]).all()
        assert (values[0] == values[2].loc[values[0].index]).all()


def test_thresholds_come_from_the_study(run):
    """A stricter study flags more: with a limit on ESS that none reaches no unflagged fit is left."""
    study = {**run.study, "diagnostics": {**DIAGNOSTICS, "min_ess": 10**9}}
    table = performance(dataclasses.replace(run, study=study), policy="unflagged")
    assert "theta" not in set(table["estimand"])
