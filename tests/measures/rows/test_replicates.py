"""The reduction of rows to replicates: what groups of one replicate may and may not do to a standard error."""

import numpy as np
import pytest
from scipy.stats import binomtest, sem

from simstudy.measures.rows.replicates import Replicates, mean_score, proportion_score, ratio_score, root_mean_score

N, J = 60, 5


@pytest.fixture
def nested():
    """One cell of 60 replicates with 5 groups that share most of their error."""
    rng = np.random.default_rng(3)
    values = rng.standard_normal((N, 1)) + 0.3 * rng.standard_normal((N, J))
    return Replicates(columns={"x": values.ravel()}, unit=np.repeat(np.arange(N), J), cell=np.zeros(N, int), n_cells=1)


def test_copies_of_a_row_add_no_precision():
    """Repeating every row 5 times within its replicate changes neither the share nor its MCSE nor the interval."""
    holds = np.arange(N) % 4 > 0
    one = Replicates(columns={}, unit=np.arange(N), cell=np.zeros(N, int), n_cells=1)
    five = Replicates(columns={}, unit=np.repeat(np.arange(N), J), cell=np.zeros(N, int), n_cells=1)
    single, copied = proportion_score(one, holds), proportion_score(five, np.repeat(holds, J))
    assert copied.value == pytest.approx(single.value)
    assert copied.mcse == pytest.approx(single.mcse * np.sqrt(N / (N - 1)))
    assert copied.lower == pytest.approx(single.lower, abs=2e-3)
    assert copied.n_used[0] == N


def test_mean_has_the_standard_error_of_the_replicate_means(nested):
    """The MCSE is scipy's standard error of the 60 replicate means, far above that of the 300 rows."""
    score = mean_score(nested, nested.reduce(nested["x"]))
    means = nested["x"].reshape(N, J).mean(1)
    assert score.value[0] == pytest.approx(means.mean())
    assert score.mcse[0] == pytest.approx(sem(means))
    assert score.mcse[0] > 1.8 * sem(nested["x"])


def test_share_of_one_row_per_replicate_is_binomial():
    """With one row per replicate MCSE and interval are the binomial ones; at p = 1 the interval stays open below."""
    cells = Replicates(columns={}, unit=np.arange(2 * N), cell=np.repeat([0, 1], N), n_cells=2)
    score = proportion_score(cells, np.r_[np.arange(N) < 45, np.ones(N, bool)])
    np.testing.assert_allclose(score.mcse, [np.sqrt(0.75 * 0.25 / N), 0.0])
    for cell, hits in enumerate((45, N)):
        expected = binomtest(hits, N).proportion_ci(method="wilson")
        assert (score.lower[cell], score.upper[cell]) == pytest.approx((expected.low, expected.high))


def test_ratio_mcse_is_that_of_the_jackknife(nested):
    """The linearized MCSE of a ratio and of a root agrees with the delete-one jackknife within 3 %."""
    rng = np.random.default_rng(4)
    a, b = rng.gamma(4, 1, N), rng.gamma(9, 1, N)
    kept = ~np.eye(N, dtype=bool)
    left_out = {
        "ratio": np.array([a[k].sum() / b[k].sum() for k in kept]),
        "root": np.array([np.sqrt(a[k].mean()) for k in kept]),
    }
    jackknife = {name: np.sqrt((N - 1) * values.var()) for name, values in left_out.items()}
    assert ratio_score(nested, a, b).mcse[0] == pytest.approx(jackknife["ratio"], rel=0.03)
    assert root_mean_score(nested, a).mcse[0] == pytest.approx(jackknife["root"], rel=0.03)


def test_replicates_with_a_gap_are_left_out_whole(nested):
    """A replicate in which one group has no value is left out with all its groups, and not counted as used."""
    x = nested["x"].copy()
    x[7] = np.nan
    gappy = Replicates(columns={"x": x}, unit=nested.unit, cell=nested.cell, n_cells=1).complete(["x"])
    score = mean_score(gappy, gappy.reduce(gappy["x"]))
    assert score.n_used[0] == N - 1
    assert score.value[0] == pytest.approx(np.delete(nested["x"].reshape(N, J), 1, axis=0).mean())


def test_one_replicate_has_no_mcse(nested):
    """A single replicate gives a value and no MCSE: not 0, which would claim certainty."""
    one = nested.select(np.arange(N) == 0)
    assert np.isnan(mean_score(one, one.reduce(one["x"])).mcse[0])
