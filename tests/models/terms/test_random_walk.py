"""A random walk has independent steps, and its effects sum to zero."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simstudy.errors import StudyError
from simstudy.models.terms import RandomWalk
from simstudy.models.terms.random_walk import cosines
from simstudy.testing.term import pushed
from tests.models.terms.factors import close, covariance, factor_with, few, scales


@few
@given(st.integers(2, 40), scales)
def test_steps_are_independent_with_sd_tau(n, tau):
    """Their covariance is tau^2 I, which together with the sum of 0 is all there is to a walk."""
    root = pushed(RandomWalk(), factor_with(n), {"tau": tau})["effect"]
    steps = np.diff(root, axis=0)
    close(steps @ steps.T, tau**2 * np.eye(n - 1))
    assert np.abs(root.sum(0)).max() < 1e-13 * n**2 * tau


@few
@given(st.integers(2, 200))
def test_cosines_are_orthonormal(n):
    """One less than there are levels, each of sum 0."""
    c = cosines(n)
    np.testing.assert_allclose(c.T @ c, np.eye(n - 1), atol=1e-12)
    np.testing.assert_allclose(c.sum(0), 0, atol=1e-12)


@few
@given(st.integers(2, 40))
def test_it_is_the_running_sum_of_steps_around_its_mean(n):
    """By cumulative sums, whose text it shares nothing with."""
    sums = np.tril(np.ones((n, n)))[:, 1:]
    centered = sums - sums.mean(0)
    close(covariance(RandomWalk(), factor_with(n), {"tau": 0.3}), 0.09 * centered @ centered.T)


def test_the_average_variance_is_known():
    """(n - 1/n) / 6, from the sum of 1 / (4 sin^2) over frequencies."""
    for n in (2, 3, 24, 500):
        structure, factor = RandomWalk(), factor_with(n)
        found = structure.variance({"tau": 2.0}, structure.constants(factor), np)
        assert found == pytest.approx(4 * (n - 1 / n) / 6, rel=1e-10)


def test_the_next_point_is_a_step_from_the_last():
    """Not from the mean, nor from the first."""
    effects = {"effect": np.array([[5.0], [1.0], [2.0]])}
    np.testing.assert_array_equal(
        RandomWalk().new_effect({"tau": np.array([3.0])}, {}, effects, {}, np.array([-1.0])), [-1.0]
    )


def test_a_single_level_is_refused():
    """It cannot walk."""
    with pytest.raises(StudyError, match="a random walk needs at least two levels"):
        RandomWalk().check(factor_with(1))
