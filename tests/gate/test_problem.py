"""A problem is the posterior that its NumPyro program has."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpyro.infer.util import potential_energy

from simstudy.streams import random_key
from simstudy.testing.gating.posteriors import POSTERIORS
from simstudy.testing.gating.problem import Space


@pytest.mark.parametrize("name", POSTERIORS)
def test_log_density_is_that_of_the_program(name):
    """The log density is NumPyro's negative potential energy, up to a constant that is the same everywhere."""
    space = Space(POSTERIORS[name])
    positions = np.random.default_rng(3).uniform(-1, 1, (3, space.n_dims)).astype(np.float32)
    problem = space.problem(positions[0])
    different = []
    for position in positions:
        sites, start = {}, 0
        for site in space.sites:
            shape = np.shape(problem.constrain(position)[site])
            size = int(np.prod(shape))
            sites[site] = jnp.asarray(position[start : start + size]).reshape(shape)
            start += size
        energy = potential_energy(problem.model, (problem.data,), {}, sites)
        different.append(float(problem.log_density(position) + energy))
    np.testing.assert_allclose(different, different[0], rtol=1e-4, atol=2e-3)
    assert np.isfinite(jax.grad(problem.log_density)(jnp.asarray(positions[0]))).all()


@pytest.mark.parametrize("name", ["lecture", "many"])
def test_positions_and_sites_are_the_same_draws(name):
    """Exact draws become positions and sites again."""
    space = Space(POSTERIORS[name])
    sites = space.posterior.exact_sites(5, random_key("round trip"))
    positions = space.positions_of(sites)
    assert positions.shape == (5, space.n_dims)
    for i, position in enumerate(positions):
        for site, value in space.problem(position).constrain(position).items():
            np.testing.assert_allclose(value, sites[site][i], rtol=1e-5)
