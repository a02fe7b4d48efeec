"""Mixtures of columns have the values and the gradients of the sums that they are."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads

from simstudy.models.mixing import mixed

LEVELS, LANES = 5, 3


@pytest.mark.parametrize("lane", [(), (LANES,)], ids=["one lane", "lanes last"])
def test_gradients_are_those_of_finite_differences(lane):
    """Of weights that lanes have each, of one number for all lanes, and of columns; a weight of None is 0."""
    rng = np.random.default_rng(4)
    with jax.enable_x64(True):
        columns = [jnp.asarray(rng.normal(size=(LEVELS, *lane))) for _ in range(3)]
        of_lane, shared = jnp.asarray(rng.normal(size=lane)), jnp.asarray(0.7)

        def total(of_lane, shared, columns):
            first, second, third = mixed([[shared], [of_lane, shared], [None, of_lane, 2.0]], columns, jnp)
            return (jnp.sin(first) + second**2 * jnp.cos(third)).sum()

        check_grads(total, (of_lane, shared, columns), order=1, modes=["rev"], eps=1e-6)


def test_values_are_the_same_on_the_host():
    """NumPy and JAX, and a matrix product of each level alone."""
    rng = np.random.default_rng(5)
    weights = rng.normal(size=(2, 2))
    columns = rng.normal(size=(2, LEVELS, LANES))
    with jax.enable_x64(True):
        found = mixed(weights.tolist(), [jnp.asarray(c) for c in columns], jnp)
    expected = np.einsum("kj,jnl->knl", weights, columns)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    np.testing.assert_allclose(mixed(weights.tolist(), list(columns), np), expected, rtol=1e-12)
