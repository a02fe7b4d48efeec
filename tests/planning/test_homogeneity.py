"""The tests of homogeneity are those of other libraries, and hold their size."""

import numpy as np
import pytest
from scipy.stats import chi2, chi2_contingency, f_oneway

from simstudy.planning.homogeneity import p_value
from simstudy.types import GroupedData


def observed(groups):
    return GroupedData(
        n_obs=np.array([len(y) for y in groups]),
        y_mean=np.array([y.mean() for y in groups]),
        y_ss=np.array([((y - y.mean()) ** 2).sum() for y in groups]),
    )


def counted(k, n):
    share = k / n
    return GroupedData(n_obs=n, y_mean=share, y_ss=n * share * (1 - share))


def test_observations_are_tested_by_analysis_of_variance():
    rng = np.random.default_rng(1)
    groups = [rng.normal(m, 2.0, n) for m, n in ((0, 3), (1, 7), (3, 2), (0.5, 11))]
    assert p_value(observed(groups), "normal") == pytest.approx(f_oneway(*groups).pvalue)


def test_proportions_are_tested_by_chi_square():
    k, n = np.array([3.0, 9.0, 20.0]), np.array([12, 15, 31])
    expected = chi2_contingency(np.stack([k, n - k]), correction=False).pvalue
    assert p_value(counted(k, n), "binomial") == pytest.approx(expected)


def test_estimates_are_tested_by_the_residuals_of_their_weighted_mean():
    rng = np.random.default_rng(2)
    y, se = rng.normal(0, 1, 7), rng.uniform(0.2, 1.5, 7)
    _, rest, *_ = np.polyfit(np.zeros(7), y, 0, w=1 / se, full=True)
    data = GroupedData(n_obs=np.ones(7, int), y_mean=y, y_ss=np.zeros(7), known_se=se)
    assert p_value(data, "normal_known_se") == pytest.approx(chi2.sf(rest[0], 6))


@pytest.mark.parametrize(
    ("data", "likelihood"),
    [
        (observed([np.array([1.0]), np.array([2.0]), np.array([9.0])]), "normal"),  # nothing within
        (observed([np.array([1.0, 2.0, 4.0])]), "normal"),  # one group
        (counted(np.array([0.0, 0.0]), np.array([5, 9])), "binomial"),  # no success at all
        (counted(np.array([5.0, 9.0]), np.array([5, 9])), "binomial"),
        (observed([np.array([3.0, 3.0]), np.array([3.0, 3.0])]), "normal"),  # all equal
    ],
)
def test_what_tells_nothing_rejects_nothing(data, likelihood):
    assert p_value(data, likelihood) == 1.0


def test_groups_that_do_not_vary_within_but_differ_are_told_apart():
    assert p_value(observed([np.array([3.0, 3.0]), np.array([4.0, 4.0])]), "normal") == 0.0
