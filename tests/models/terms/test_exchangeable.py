"""Exchangeable effects are independent with one standard deviation, and so is a level that is not at hand."""

import numpy as np

from simstudy.models.terms import Exchangeable
from tests.models.terms.factors import close, covariance, factor_with


def test_levels_are_independent():
    """Variance tau^2; none at 0."""
    close(covariance(Exchangeable(), factor_with(4), {"tau": 1.5}), 2.25 * np.eye(4))
    assert (covariance(Exchangeable(), factor_with(4), {"tau": 0.0}) == 0).all()


def test_a_new_level_is_like_the_others():
    """Whatever the others are."""
    noise = np.array([-1.0, 0.5])
    new = Exchangeable().new_effect({"tau": np.array([2.0, 4.0])}, {}, {"effect": np.full((3, 2), 9.0)}, {}, noise)
    np.testing.assert_array_equal(new, [-2.0, 2.0])
