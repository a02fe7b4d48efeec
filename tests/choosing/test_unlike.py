"""The group that lies apart: found, calibrated where there is none, whatever the unit."""

import numpy as np
import pytest
from scipy import stats

from simstudy.choosing.unlike import _distances, farthest

N = 1_000


def known(mu=0.0, tau=1.0):
    return {"mu": np.full(N, mu), "tau": np.full(N, tau)}


def test_the_distance_is_that_of_leaving_the_group_out():
    """Mean and variance of the others, group by group."""
    rng = np.random.default_rng(1)
    y, v = rng.normal(5, 3, 7), rng.uniform(0.1, 2, 7)
    others = [np.delete(y, j) for j in range(7)]
    by_hand = [abs(y[j] - o.mean()) / np.sqrt(o.var(ddof=1) + v[j]) for j, o in enumerate(others)]
    assert _distances(y[None], v)[0] == pytest.approx(by_hand)


def test_p_values_are_uniform_where_the_model_is_true():
    """With known hyperparameters, over data sets of the model, unequal errors among them."""
    rng = np.random.default_rng(2)
    v = np.array([0.1, 0.1, 0.5, 2.0, 4.0, 0.3])
    p = [farthest(rng.normal(0, np.sqrt(1 + v)), v, known())[1] for _ in range(400)]
    assert stats.kstest(p, "uniform").pvalue > 1e-3


def test_a_group_apart_is_named():
    """In any unit and from any origin."""
    y = np.array([1.0, 2.0, 0.5, 1.5, 30.0, 1.2, 0.8])
    for scale, shift in ((1.0, 0.0), (1e-6, 0.0), (1e3, 1e6)):
        draws = known(shift + 5.0 * scale, 12.0 * scale)
        group, p = farthest(shift + scale * y, np.full(7, (0.5 * scale) ** 2), draws)
        assert group == 4
        assert p < 0.01


def test_nothing_is_said_of_three_groups_or_of_equal_ones():
    """Two others have no spread to speak of; equal groups lie nowhere apart."""
    assert farthest(np.array([1.0, 2.0, 90.0]), np.ones(3), known()) is None
    assert farthest(np.ones(6), np.zeros(6), known())[1] == 1.0
