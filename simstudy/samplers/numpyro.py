"""NumPyro's NUTS, the reference: every fit of a batch and all its chains under one ``vmap``, compiled once.

All lanes of a ``vmap`` wait for the longest trajectory among them, so the batch is kept small: of 1, 16 and 64 data
sets with 4 chains each, 16 cost least per fit on a CPU core.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import numpy as np

from simstudy.late import infer, jax, jnp
from simstudy.models.model import Model
from simstudy.samplers.options import TOLD_IF_CHANGED, TrajectoryOptions, called
from simstudy.samplers.precision import as_leaves, use_precision
from simstudy.samplers.sampler import Program, Sampler
from simstudy.types import Draws, PyTree, SamplerStats

FITS_AT_ONCE = 16
BATCHES_PER_BLOCK = 3


@dataclass(frozen=True, kw_only=True)
class NumPyro(TrajectoryOptions, Sampler):
    """NumPyro's No-U-Turn sampler, with its defaults.

    Args:
        mass_matrix: ``diagonal`` or ``dense`` adapt the variances, or all covariances, of the warm-up's draws;
            ``identity`` stays as it is.
        init: NumPyro's strategy for where chains start: ``uniform`` within ``init_radius`` of 0 in unconstrained
            dimensions, the others at or from the prior.
        find_heuristic_step_size: whether a first step size is searched for, from ``step_size``, before each
            adaptation.
    """

    mass_matrix: Literal["diagonal", "dense", "identity"] = field(default="diagonal", metadata=TOLD_IF_CHANGED)
    init: Literal["uniform", "median", "mean", "sample", "feasible"] = field(
        default="uniform", metadata=TOLD_IF_CHANGED | called("starts by")
    )
    find_heuristic_step_size: bool = field(
        default=False, metadata=TOLD_IF_CHANGED | called("heuristic first step size")
    )

    kind: ClassVar[str] = "numpyro"
    words: ClassVar[str] = "NUTS of NumPyro"

    @property
    def fits_at_once(self) -> int:
        """Data sets under one ``vmap``."""
        return FITS_AT_ONCE

    @property
    def fits_per_block(self) -> int:
        """A few batches."""
        return FITS_AT_ONCE * BATCHES_PER_BLOCK

    def compile(self, model: Model, example: PyTree) -> NumPyroProgram:
        """Compile the whole fit, warm-up included, for a batch of data sets."""
        return NumPyroProgram(self, model, example)


class NumPyroProgram(Program):
    """A whole fit with NumPyro, over a batch of data sets."""

    def __init__(self, sampler: NumPyro, model: Model, example: PyTree):
        from simstudy.models.density import density_of  # with JAX: not before something is compiled

        self._sampler = sampler
        started = time.perf_counter()
        with use_precision(sampler.precision):
            example = as_leaves(example, sampler.precision)
            density_of(model, example)  # refuses models that NUTS cannot sample, with a clear message
            batch = jax.tree.map(lambda leaf: np.broadcast_to(leaf, (FITS_AT_ONCE, *leaf.shape)), example)
            keys = np.zeros((FITS_AT_ONCE, 2), np.uint32)
            self._fit = jax.jit(jax.vmap(_fit(sampler, model))).lower(batch, keys).compile()
        self.compile_seconds = time.perf_counter() - started

    def sample(self, arrays: PyTree, keys: np.ndarray) -> Draws:
        """Fit every data set, a full batch at a time (the last is filled up with repeats)."""
        batches = [self._batch(arrays, keys, start) for start in range(0, len(keys), FITS_AT_ONCE)]
        out = jax.tree.map(lambda *leaves: np.concatenate(leaves)[: len(keys)], *batches)
        return _draws(out, self._sampler.told_treedepth)

    def _batch(self, arrays: PyTree, keys: np.ndarray, start: int) -> Any:
        index = np.minimum(np.arange(start, start + FITS_AT_ONCE), len(keys) - 1)
        with use_precision(self._sampler.precision):
            some = as_leaves(jax.tree.map(lambda leaf: leaf[index], arrays), self._sampler.precision)
            return jax.tree.map(np.asarray, self._fit(some, keys[index]))


def _kernel(sampler: NumPyro, model: Model) -> infer.NUTS:
    strategy = getattr(infer, f"init_to_{sampler.init}")
    return infer.NUTS(
        model,
        step_size=sampler.step_size,
        adapt_step_size=sampler.adapt_step_size,
        adapt_mass_matrix=sampler.mass_matrix != "identity",
        dense_mass=sampler.mass_matrix == "dense",
        target_accept_prob=sampler.target_accept,
        max_tree_depth=(sampler.max_treedepth_warmup or sampler.max_treedepth, sampler.max_treedepth),
        init_strategy=strategy(radius=sampler.init_radius) if sampler.init == "uniform" else strategy,
        find_heuristic_step_size=sampler.find_heuristic_step_size,
    )


def kept_of(kept: Any, values: Any, place: jax.Array, thinning: int) -> Any:
    """Return the kept draws and statistics with a transition's, the last of several and what all of them tell.

    Args:
        kept: site -> (draw, ...) draws, and (draw,) divergences, acceptance probabilities, steps and energies.
        values: those of the transition.
        place: its number after the warm-up; transitions of the warm-up may be written at 0.
        thinning: transitions of a draw.
    """
    if thinning == 1:
        return jax.tree.map(lambda all_, one: all_.at[place].set(one), kept, values)
    draw, position = place // thinning, place % thinning
    (z, diverging, accept, steps, energy), (all_z, all_diverging, all_accept, all_steps, all_energy) = values, kept
    is_first = position == 0
    return (
        jax.tree.map(lambda all_, one: all_.at[draw].set(one), all_z, z),
        all_diverging.at[draw].set(diverging | (~is_first & all_diverging[draw])),
        all_accept.at[draw].set((accept + position * jnp.where(is_first, 0, all_accept[draw])) / (position + 1)),
        all_steps.at[draw].set(steps + jnp.where(is_first, 0, all_steps[draw])),
        all_energy.at[draw].set(energy),
    )


def _fit(sampler: NumPyro, model: Model) -> Callable[[PyTree, jax.Array], Any]:
    """Return the function (data, key) -> draws and statistics of all chains of one fit."""
    kernel = _kernel(sampler, model)

    def chain(key: jax.Array, data: PyTree) -> Any:
        state = kernel.init(key, sampler.warmup, None, (data,), {})

        # One loop for warm-up and draws: the kernel, which is what takes long to compile, is compiled once.
        def step(i: jax.Array, carry: Any) -> Any:
            state, n_warmup, kept = carry
            state = kernel.sample(state, (data,), {})
            place = jnp.maximum(i - sampler.warmup, 0)
            values = (state.z, state.diverging, state.accept_prob, state.num_steps, state.energy)
            kept = kept_of(kept, values, place, sampler.thinning)
            return state, n_warmup + jnp.where(i < sampler.warmup, state.num_steps, 0), kept

        values = (state.z, state.diverging, state.accept_prob, state.num_steps, state.energy)
        empty = jax.tree.map(lambda one: jnp.zeros((sampler.draws, *jnp.shape(one)), jnp.result_type(one)), values)
        state, n_warmup, (z, *stats) = jax.lax.fori_loop(
            0, sampler.n_transitions, step, (state, jnp.zeros_like(state.num_steps), empty)
        )
        sites = jax.vmap(kernel.postprocess_fn((data,), {}))(z)
        return sites, stats, state.adapt_state.step_size, n_warmup

    def fit(data: PyTree, key: jax.Array) -> Any:
        keys = jax.random.split(jax.random.wrap_key_data(key, impl="threefry2x32"), sampler.chains)
        return jax.vmap(chain, in_axes=(0, None))(keys, data)

    return fit


def _draws(out: Any, max_treedepth: int) -> Draws:
    sites, (diverging, accept_prob, num_steps, energy), step_size, n_warmup = out
    # Where the density is nowhere finite, NumPyro's draws stay where they began and only the energy tells.
    finite = np.logical_and.reduce([_finite(energy), *(_finite(draws) for draws in sites.values())])
    return Draws(
        sites=sites,
        stats=SamplerStats(
            diverging=diverging,
            accept_prob=accept_prob,
            num_steps=num_steps,
            energy=energy,
            step_size=step_size,
            n_leapfrog_warmup=n_warmup,
            max_treedepth=max_treedepth,
        ),
        reasons={int(i): "the log density is not finite at any start" for i in np.flatnonzero(~finite)},
    )


def _finite(draws: np.ndarray) -> np.ndarray:
    return np.isfinite(draws).all(axis=tuple(range(1, draws.ndim)))
