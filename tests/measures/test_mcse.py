"""Are the Monte Carlo standard errors right? They are held against the spread of the measures over repeated studies."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from simstudy.measures import MEASURES, performance
from tests.fakes import fake_repeats

ONE_SCENARIO = {"groups": (4,), "group_size": (2,), "tau": (1.0,), "mu": 0.5, "levels": (0.9,), "failure_rate": 0.02}
METHODS = ("none", "partial, noncentered")
BY_CLOCK = {name for name, measure in MEASURES.items() if measure.rows == "batches"}
NOT_AT_ZERO = {"upper_limit"}
NEEDS_EXACT = {name for name, measure in MEASURES.items() if measure.rows == "sampler_errors"}
OF_TERMS = {"regret_of_parts", "local_bias"}  # of data with several factors; tests/conformance has their errors
CONSTANT = 1e-9
CELL = ["measure", "method", "estimand", "bin", "level"]
RARE = 50


def performance_of_repeats(*, repeats: int, replicates: int, seed: int) -> pd.DataFrame:
    """Return value and MCSE of every measure, one row per repeat; bins where 50 or more replicates reach them."""
    run = fake_repeats(repeats=repeats, replicates=replicates, seed=seed, methods=METHODS, **ONE_SCENARIO)
    at_boundary = np.random.default_rng(seed).binomial(1, 0.3, len(run.fits))
    table = performance(replace(run, fits=run.fits.assign(n_boundary=at_boundary)))
    rare = table["bin"].notna() & (table["n_used"] < RARE)
    return table[table["scenario"].notna() & ~rare & ~table["measure"].isin(BY_CLOCK)]


def rms_mcse_over_spread(table: pd.DataFrame) -> pd.DataFrame:
    """Return the root mean square MCSE over the spread of the values, one row per measure, method and estimand.

    Coverage and its like only between .8 and .97, where their spread is not that of rare events; what does not vary
    (the known posterior variance of theta) is left out.
    """
    cells = table.fillna({"estimand": "", "bin": "", "level": 0.0}).groupby(CELL, observed=True)
    spread, mean = cells["value"].std(), cells["value"].mean()
    ratio = np.sqrt(cells["mcse"].agg(lambda mcse: np.mean(mcse**2))) / spread
    is_coverage = mean.index.get_level_values("measure").str.contains("coverage")
    kept = (spread > CONSTANT) & (~is_coverage | mean.between(0.8, 0.97))
    return ratio[kept].rename("ratio").reset_index()


def test_mcse_is_the_spread_of_every_measure_over_repeated_studies():
    """For every measure the MCSE lies within 10 % of the spread over 400 studies (its own error is 3.5 %)."""
    ratios = rms_mcse_over_spread(performance_of_repeats(repeats=400, replicates=100, seed=1))
    by_measure = ratios.groupby("measure")["ratio"].median()
    assert set(by_measure.index) == set(MEASURES) - BY_CLOCK - NOT_AT_ZERO - NEEDS_EXACT - OF_TERMS
    assert by_measure.between(0.9, 1.1).all(), by_measure[~by_measure.between(0.9, 1.1)]


@pytest.mark.statistical
def test_mcse_is_the_spread_over_many_studies_of_200_replicates():
    """Over 2,000 studies of 200 replicates the ratio lies in 0.93 to 1.07 (its own error is 1.6 %)."""
    chunks = [performance_of_repeats(repeats=200, replicates=200, seed=seed) for seed in range(10)]
    ratios = rms_mcse_over_spread(pd.concat(chunks))
    assert set(ratios["measure"]) == set(MEASURES) - BY_CLOCK - NOT_AT_ZERO - NEEDS_EXACT - OF_TERMS
    assert ratios["ratio"].between(0.93, 1.07).all(), ratios[~ratios["ratio"].between(0.93, 1.07)]
