"""Rows of what is known exactly: they take the place of what draws say, and hold no Monte Carlo error."""

import numpy as np
import pytest
from scipy import stats

from simstudy.store.schema import HDI_COLUMNS, mcse_column, quantile_column
from simstudy.summaries.known import with_known
from simstudy.summaries.summaries import summarize

PROBABILITIES = (0.05, 0.95)
TRUTH = np.array([-1.0, 0.4, 0.4, 2.5])


class Normals:
    """Posteriors Normal(fit, 1) of mu, and a constant 2 of tau."""

    def __init__(self):
        self.mean = {"mu": np.arange(4.0), "tau": np.full(4, 2.0)}
        self.sd = {"mu": np.ones(4), "tau": np.zeros(4)}

    def quantiles(self, probabilities):
        z = stats.norm.ppf(probabilities)
        return {"mu": self.mean["mu"][:, None] + z, "tau": np.full((4, len(z)), 2.0)}

    def hdi(self, level):
        return self.quantiles([(1 - level) / 2, (1 + level) / 2])

    def cdf(self, values):
        of = {"mu": lambda x: stats.norm.cdf(x - self.mean["mu"]), "tau": lambda x: np.heaviside(x - 2, 0.5)}
        return {name: of[name](value) for name, value in values.items()}

    def crps(self, values):
        return {name: np.abs(value - self.mean[name]) for name, value in values.items()}


@pytest.fixture(scope="module")
def rows():
    """Rows of four fits, of which the last has a draw that is not finite; theta_sd is known by draws alone."""
    rng = np.random.default_rng(1)
    draws = {name: rng.normal(size=(4, 2, 200)) for name in ("mu", "theta_sd", "tau")}
    draws["mu"][3, 0, 5] = np.inf
    truth = {"mu": TRUTH, "theta_sd": np.ones(4), "tau": np.full(4, 2.0)}
    asked = {"probabilities": PROBABILITIES, "rank_key": np.arange(4, dtype=np.uint64)}
    plain = summarize(draws, truth, **asked)
    partly = summarize(draws, truth, known=("mu", "tau"), **asked)
    return plain, with_known(partly, Normals(), truth, **asked)


def of(summary, estimand, column):
    return summary.columns[column][summary.columns["estimand"] == estimand]


def test_known_rows_are_those_of_the_posterior(rows):
    """Moments, median, quantiles and interval, PIT and scores are the posterior's, without Monte Carlo errors."""
    mean, z = np.arange(3.0), stats.norm.ppf(0.95)
    expected = {
        "mean": mean,
        "sd": np.ones(3),
        "median": mean,
        quantile_column(0.05): mean - z,
        quantile_column(0.95): mean + z,
        HDI_COLUMNS[0]: mean - z,
        HDI_COLUMNS[1]: mean + z,
        "truth": TRUTH[:3],
        "pit": stats.norm.cdf(TRUTH[:3] - mean),
        "crps": np.abs(TRUTH[:3] - mean),
        "log_score": -stats.norm.logpdf(TRUTH[:3] - mean),
    }
    for column, value in expected.items():
        np.testing.assert_allclose(of(rows[1], "mu", column)[:3], value, atol=1e-12, err_msg=column)
    errors = ["rhat", "ess_bulk", "ess_tail", *map(mcse_column, ("mean", "sd", "median", "q5", "q95"))]
    assert all(np.isnan(of(rows[1], "mu", column)).all() for column in errors)


def test_ranks_are_cells_of_the_pit(rows):
    """The rank among 99 is the PIT's hundredth, and a truth that equals a constant has a random one."""
    ranks = of(rows[1], "mu", "rank")[:3]
    np.testing.assert_array_equal(ranks, np.floor(100 * stats.norm.cdf(TRUTH[:3] - np.arange(3.0))))
    assert (of(rows[1], "mu", "n_rank")[:3] == 99).all()
    tied = of(rows[1], "tau", "rank")[:3]
    assert len(set(tied.tolist())) > 1
    assert ((tied >= 0) & (tied <= 99)).all()


def test_other_rows_and_other_fits_are_left(rows):
    """What is not known keeps its row of draws to the last bit; a fit with a draw that is not finite has no numbers."""
    plain, known = rows
    assert plain.non_finite.tolist() == known.non_finite.tolist() == [3]
    for column in plain.columns:
        np.testing.assert_array_equal(of(known, "theta_sd", column), of(plain, "theta_sd", column))
    assert np.isnan(of(known, "mu", "mean")[3])
    assert of(known, "mu", "rank").mask.tolist() == [False, False, False, True]
