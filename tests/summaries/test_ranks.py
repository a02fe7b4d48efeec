"""Order, normal scores and quantiles against NumPy's and SciPy's."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy.stats import norm, rankdata

from simstudy.summaries.ranks import highest_density, normal_scores, quantiles, sort_rows

no_deadline = settings(deadline=None)  # a loaded machine is no defect
shapes = array_shapes(min_dims=2, max_dims=2, min_side=2, max_side=40)
any_finite = st.floats(allow_nan=False, allow_infinity=False)
a_few_bits_from_one = st.integers(-3, 3).map(lambda k: 1 + k * np.finfo(float).eps)


@no_deadline
@given(shapes.flatmap(lambda s: arrays(np.float64, s, elements=any_finite | a_few_bits_from_one, fill=st.nothing())))
def test_rows_are_sorted_whatever_their_bits(x):
    """Signs, zeros of both signs, subnormals, and values that differ in the bits which carry the column."""
    order = sort_rows(x)
    np.testing.assert_array_equal(order.values, np.sort(x, axis=-1))
    np.testing.assert_array_equal(x.ravel()[order.place], order.values)
    assert sorted(order.place.ravel()) == list(range(x.size))


@no_deadline
@given(shapes.flatmap(lambda shape: arrays(np.float64, shape, elements=st.integers(-6, 6).map(float))))
def test_ties_share_the_score_of_their_mean_rank(x):
    """Average ranks by scipy, Blom's offset 3/8, the normal quantile: row by row."""
    expected = norm.ppf((rankdata(x, axis=-1) - 3 / 8) / (x.shape[1] + 1 / 4))
    np.testing.assert_allclose(normal_scores(sort_rows(x)), expected, rtol=1e-12, atol=1e-15)


def test_scores_are_near_the_expected_order_statistics_of_the_normal():
    """What Blom's offset is for; the largest of 5 normals is 1.16296 in the mean (Harter 1961, table 1)."""
    scores = normal_scores(sort_rows(np.array([[3.0, 1.0, 5.0, 2.0, 4.0]])))
    np.testing.assert_allclose(scores[0, 2], 1.16296, rtol=0.015)
    np.testing.assert_allclose(scores[0, [1, 0]], [-scores[0, 2], 0], atol=1e-15)


@pytest.mark.parametrize("n", [1, 2, 7, 100])
def test_quantiles_are_those_of_numpy(n):
    """NumPy's default, at the ends and between."""
    x = np.random.default_rng(n).normal(size=(5, n))
    p = (0.0, 0.025, 0.31, 0.5, 0.975, 1.0)
    np.testing.assert_allclose(quantiles(np.sort(x, axis=-1), p), np.quantile(x, p, axis=-1).T, rtol=1e-13)


def test_highest_density_intervals_are_numpyros():
    """The narrowest interval that holds a share of the draws equals NumPyro's ``hpdi`` on skewed draws."""
    from numpyro.diagnostics import hpdi

    draws = np.random.default_rng(5).gamma(1.5, size=(7, 1_000))
    low, high = highest_density(np.sort(draws), 0.9)
    np.testing.assert_array_equal(np.stack([low, high]), np.stack([hpdi(row, 0.9) for row in draws], axis=1))
