"""Effects without pooling are those of independent levels around their own mean."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simstudy.errors import StudyError
from simstudy.models.terms import Separate
from simstudy.models.terms.separate import centered_rotation
from simstudy.testing.term import pushed
from tests.models.terms.factors import close, covariance, factor_with, few, scales


@few
@given(st.integers(2, 30), scales)
def test_they_are_independent_effects_without_their_mean(n, spread):
    """Their covariance is the centering matrix times the variance; the sum is 0."""
    factor = factor_with(n)
    close(covariance(Separate(), factor, {"spread": spread}), spread**2 * (np.eye(n) - 1 / n))
    assert np.abs(pushed(Separate(), factor, {"spread": spread})["effect"].sum(0)).max() < 1e-13 * n * spread


@few
@given(st.integers(2, 200))
def test_noise_keeps_its_lengths_and_angles(n):
    """Unit vectors become orthonormal ones, one less than there are levels, each of sum 0."""
    c = centered_rotation(np.eye(n - 1), np)
    np.testing.assert_allclose(c.T @ c, np.eye(n - 1), atol=1e-12)
    np.testing.assert_allclose(c.sum(0), 0, atol=1e-12)


def test_every_covariate_has_slopes_of_its_own():
    """Columns are independent of one another."""
    roots = pushed(Separate(covariates=("dose", "age")), factor_with(3), {"spread": 2.0})
    assert list(roots) == ["effect", "slope_dose", "slope_age"]
    for one in roots:
        for other in roots:
            close(roots[one] @ roots[other].T, 4.0 * (one == other) * (np.eye(3) - 1 / 3) + np.zeros((3, 3)))


def test_a_single_level_is_refused():
    """It would be the intercept again."""
    with pytest.raises(StudyError, match="no pooling needs at least two levels: a single one is the intercept"):
        Separate().check(factor_with(1))
