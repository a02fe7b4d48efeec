"""The posterior table of a data set, over seeds of the sampler."""

import numpy as np
import pytest

from simstudy.report.sections.posterior import interval_ends, interval_words, posterior_table


def test_numbers_are_means_over_seeds_with_the_samplers_error(dataset_run):
    """Mean, sd and ends are averages over seeds; the MCSE is that of an average of independent runs."""
    rows = dataset_run.estimates
    mine = rows[(rows["method"] == "none") & (rows["estimand"] == "theta") & (rows["group"] == 1)]
    mine = mine.dropna(subset=["mean"])
    table = posterior_table(rows).set_index(["method", "name"])
    row = table.loc[("none", "theta[1]")]
    assert row["mean"] == pytest.approx(mine["mean"].mean())
    assert row["mean_mcse"] == pytest.approx(mine["mean"].std(ddof=1) / np.sqrt(len(mine)))
    assert (row["lower"], row["upper"]) == (pytest.approx(mine["q5"].mean()), pytest.approx(mine["q95"].mean()))
    assert row["n_used"] == len(mine)
    assert ("complete", "mu") in table.index


def test_the_average_is_within_its_error_of_the_posterior_mean(dataset_run):
    """Exact posterior means of the made-up run, the group means, lie within 4 MCSE of the averages."""
    table = posterior_table(dataset_run.estimates)
    rows = table[(table["method"] == "none") & (table["estimand"] == "theta")]
    z = (rows["mean"].to_numpy() - [10.0, 12.0, 9.0, 11.0, 8.0]) / rows["mean_mcse"].to_numpy()
    assert np.abs(z).max() < 4


def test_highest_density_intervals_are_read_where_they_are(dataset_run):
    """With columns of highest-density intervals these are shown and named; without, the central ones."""
    estimates = dataset_run.estimates
    hdi = estimates.assign(hdi90_lower=estimates["q5"] - 1, hdi90_upper=estimates["q95"] - 0.5)
    central, highest = posterior_table(estimates), posterior_table(hdi)
    np.testing.assert_allclose(highest["lower"], central["lower"] - 1)
    np.testing.assert_allclose(highest["upper"], central["upper"] - 0.5)
    assert "central" in interval_words(interval_ends(estimates))
    assert "highest-density" in interval_words(interval_ends(hdi))
    neither = estimates.drop(columns=["q5", "q95"])
    assert "lower" not in posterior_table(neither)
    assert interval_words(interval_ends(neither)) == "no 90 % intervals were stored"
