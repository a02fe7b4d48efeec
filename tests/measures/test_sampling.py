"""Divergences and speeds: ratios of sums, per program, with the clock split by leapfrogs."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from simstudy.measures import performance
from simstudy.measures.sampling import ALL_WORKERS, BY_LEAPFROGS, WITH_WARMUP
from tests.fakes import fake_run


@pytest.fixture(scope="module")
def run():
    """Two scenarios of one shape, so that each batch serves both."""
    return fake_run(replicates=30, groups=(4,), group_size=(2,), tau=(0.5, 2.0), levels=(0.95,))


@pytest.fixture(scope="module")
def table(run):
    """Its performance."""
    return performance(run)


def ok(run, method):
    """Return the usable fits of a method."""
    return run.fits[(run.fits["status"] == "ok") & (run.fits["method"] == method)]


def test_divergence_rate_is_per_draw(run, table):
    """The rate is the sum of divergent draws over the sum of draws, and the share of fits that of those with any."""
    fits = ok(run, "partial, centered")
    for scenario, group in fits.groupby("scenario", observed=True):
        rows = table[(table["scenario"] == scenario) & (table["method"] == "partial, centered")].set_index("measure")
        assert rows.loc["divergence_rate", "value"] == pytest.approx(
            group["n_divergent"].sum() / group["n_draws"].sum()
        )
        assert rows.loc["any_divergence", "value"] == pytest.approx((group["n_divergent"] > 0).mean())
        assert rows.loc["any_divergence", "lower"] < rows.loc["any_divergence", "value"]


def test_ess_per_leapfrog_takes_the_smallest_of_a_stated_set(run, table):
    """ESS is the smaller of mu's and tau's; warm-up leapfrogs are left out, or in and labeled so."""
    fits = ok(run, "partial, noncentered")
    ess = run.estimates[
        run.estimates["estimand"].isin(["mu", "tau"]) & (run.estimates["method"] == "partial, noncentered")
    ]
    least = ess.groupby(["scenario", "replicate"], observed=True)["ess_bulk"].min()
    rows = table[(table["measure"] == "ess_per_leapfrog") & (table["method"] == "partial, noncentered")]
    rows = rows[rows["estimand"] == "mu, tau"]
    for scenario, group in fits.groupby("scenario", observed=True):
        total = least.loc[scenario].loc[group["replicate"]].sum()
        here = rows[rows["scenario"] == scenario]
        plain = here.loc[here["bin"].isna(), "value"].item()
        warm = here.loc[here["bin"] == WITH_WARMUP, "value"].item()
        assert plain == pytest.approx(total / group["n_leapfrog"].sum())
        assert warm == pytest.approx(total / (group["n_leapfrog"] + group["n_leapfrog_warmup"]).sum())


def test_methods_without_tau_have_no_ess_of_it(table):
    """No pooling has no mu and no tau, so only the set of theta is there."""
    rows = table[(table["measure"] == "ess_per_leapfrog") & (table["method"] == "none")]
    assert set(rows["estimand"]) == {"theta"}


def test_split_seconds_add_up_to_the_batch(run, table):
    """Seconds split by leapfrogs over the scenarios of a batch add up to the batch's, so speeds do too."""
    rows = table[(table["measure"] == "run_seconds") & (table["bin"] == BY_LEAPFROGS)]
    by_method = rows.groupby("method")["value"].sum()
    timings = run.timings.set_index(run.timings["method"].astype(object))["run_seconds"]
    pd.testing.assert_series_equal(
        by_method.sort_index(), timings.sort_index(), check_names=False, check_index_type=False
    )


def test_speed_of_a_program_is_fits_over_run_seconds(run, table):
    """A program's speed has no scenario, leaves compilation out and shows it beside."""
    timing = run.timings[run.timings["method"] == "none"].iloc[0]
    rows = table[table["scenario"].isna() & (table["bin"] == timing["program"])].set_index(["measure"])
    assert rows.loc["fits_per_second", "value"] == pytest.approx(timing["n_fits"] / timing["run_seconds"])
    assert rows.loc["compile_seconds", "value"] == pytest.approx(timing["compile_seconds"])


def test_throughput_of_workers_counts_overlap_once(run):
    """Two batches that run at the same time for 10 s, and one later for 5 s, took 15 s together."""
    start = pd.Timestamp("2026-01-01T00:00:00Z")
    timings = run.timings.head(3).assign(
        started=[start, start, start + pd.Timedelta(100, "s")],
        ended=[start + pd.Timedelta(10, "s"), start + pd.Timedelta(4, "s"), start + pd.Timedelta(105, "s")],
        n_fits=[10, 20, 30],
    )
    table = performance(dataclasses.replace(run, timings=timings))
    row = table[(table["bin"] == ALL_WORKERS) & (table["measure"] == "fits_per_second")].iloc[0]
    assert row["value"] == pytest.approx(60 / 15)
    assert np.isnan(row["mcse"])


def test_a_sampler_without_leapfrogs_has_no_speed_by_them(run):
    """An exact sampler reports no leapfrogs and no divergences: no rows, rather than rates of 0."""
    nothing = pd.array([None] * len(run.fits), dtype="Int64")
    names = ("n_divergent", "n_max_treedepth", "n_leapfrog", "n_leapfrog_warmup")
    table = performance(dataclasses.replace(run, fits=run.fits.assign(**dict.fromkeys(names, nothing))))
    assert not {"divergence_rate", "any_divergence", "ess_per_leapfrog"} & set(table["measure"])
    assert "mse" in set(table["measure"])
