"""A sampler as a user writes one: random-walk Metropolis with one step size for all, which does not mix in few draws.

It has an acceptance and a step size. It has no trajectory, so it says nothing of divergences, leapfrogs or energy.
"""

import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from pydantic import Field

import simstudy
from simstudy.models.density import density_of
from simstudy.samplers import SAMPLERS, Program, Sampler
from simstudy.samplers.precision import as_leaves, use_precision
from simstudy.types import Draws, SamplerStats


@dataclass(frozen=True, kw_only=True)
class RandomWalk(Sampler):
    """Random-walk Metropolis from a point near 0."""

    kind: ClassVar[str] = "random_walk"
    words: ClassVar[str] = "random-walk Metropolis"
    has_trajectories: ClassVar[bool] = False
    scale: Annotated[float, Field(gt=0)] = 0.1

    @property
    def fits_at_once(self):
        return 1

    @property
    def fits_per_block(self):
        return 64

    def compile(self, model, example):
        return Walk(self, model, example)


class Walk(Program):
    """Chains of all fits in one program, a lane each."""

    def __init__(self, sampler, model, example):
        started = time.perf_counter()
        self._sampler = sampler
        with use_precision(sampler.precision):
            self._density = density_of(model, as_leaves(example, sampler.precision))
            self._walk = jax.jit(jax.vmap(self._chains))
        self.compile_seconds = time.perf_counter() - started

    def sample(self, arrays, keys):
        with use_precision(self._sampler.precision):
            data = as_leaves(arrays, self._sampler.precision)
            draws, accept_prob, density = jax.tree.map(np.asarray, self._walk(data, keys))
            sites = self._density.constrain(draws, data)
        step_size = np.full(draws.shape[:2], self._sampler.scale)
        nowhere = np.flatnonzero(~np.isfinite(density).all(axis=1))
        return Draws(
            sites=sites,
            stats=SamplerStats(accept_prob=accept_prob, step_size=step_size, max_treedepth=0),
            reasons={int(i): "the log density is not finite" for i in nowhere},
        )

    def _chains(self, data, key):
        keys = jax.random.split(jax.random.wrap_key_data(key, impl="threefry2x32"), self._sampler.chains)
        return jax.vmap(self._chain, in_axes=(0, None))(keys, data)

    def _chain(self, key, data):
        lane = jax.tree.map(lambda leaf: leaf[..., None], data)

        def density(q):
            return self._density.log_density(q[:, None], lane)[0]

        def step(state, key):
            q, value = state
            move, accept = jax.random.split(key)
            other = q + self._sampler.scale * jax.random.normal(move, q.shape, q.dtype)
            proposed = density(other)
            chance = jnp.exp(jnp.minimum(proposed - value, 0.0))
            taken = jax.random.uniform(accept, dtype=q.dtype) < chance
            state = jnp.where(taken, other, q), jnp.where(taken, proposed, value)
            return state, (state[0], chance)

        first, rest = jax.random.split(key)
        start = 0.5 * jax.random.normal(first, (self._density.n_dims,), self._sampler.precision)
        n = self._sampler.warmup + self._sampler.draws
        (_, last), (draws, chance) = jax.lax.scan(step, (start, density(start)), jax.random.split(rest, n))
        return draws[self._sampler.warmup :], chance[self._sampler.warmup :], last


@contextmanager
def registered():
    """Let study files name the sampler inside the block."""
    with SAMPLERS.restored():
        simstudy.register_sampler(RandomWalk)
        yield


def run_of_a_walk(folder, **sections):
    """Return the run of a study of it beside NUTS and the exact posterior, in a folder."""
    study = {
        "study": {"name": "walk", "replicates": 12},
        "mechanism": {"kind": "exchangeable", "groups": 4, "group_size": 3, "tau": 0.5},
        "method": [
            {"name": "walk", "structure": "partial", "sampler": {"kind": "random_walk", "scale": 0.02}},
            {"name": "NUTS", "structure": "partial"},
            {"name": "exact", "structure": "partial", "sampler": {"kind": "exact"}},
        ],
        "sampler": {"kind": "nuts", "chains": 4, "warmup": 150, "draws": 150},
    }
    return simstudy.run(simstudy.Study.from_dict(study | sections), out=folder, workers=0)
