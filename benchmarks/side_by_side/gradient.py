"""The floor and the cost above it: a leapfrog of the sampler against the bare gradient, in one process, steady state.

Both are CPU seconds of a single-threaded process: the wall-clock of a core that nobody shares.

The floor is the fastest batched value and gradient that we know for the posterior: lanes last, on sufficient
statistics, written by hand or taken from the NumPyro program, in a ``fori_loop`` that does nothing else.
"""

import itertools
import time
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from side_by_side.problem import CHAINS, DRAWS, WARMUP, data_sets, study_of
from simstudy.models.density import LogDensity, density_of
from simstudy.samplers.nuts import Job, NUTSOptions, NUTSProgram
from simstudy.samplers.nuts.padded import LONG_STRIDE, SHORT_STRIDE
from simstudy.samplers.nuts.program import COMPILER_OPTIONS
from simstudy.samplers.precision import as_leaves

GRADIENTS = 20_000  # in one timed loop
LOOPS = 3  # timed; the fastest counts, for the machine may be shared
DISTINCT_FITS = 64
FILLING = 1.5  # fits per lane and chain after which every lane is at a place of its own
WINDOWS = 3  # of fits, timed one by one; the fastest counts


def measure(*, groups: int = 8, group_size: int = 10, structure: str = "partial", fits: int = 512) -> dict[str, Any]:
    """Return nanoseconds per useful leapfrog in steady state, and per lane and gradient at the same number of lanes.

    Args:
        groups: J, one of the sampler's padded group counts.
        group_size: observations in each group.
        structure: ``partial``, ``none`` or ``complete``.
        fits: fits in a timed window; a multiple of the fits that the lanes hold.
    """
    model, arrays, keys = _problem(groups, group_size, structure)
    density = density_of(model, as_leaves(jax.tree.map(lambda leaf: leaf[0], arrays), "float32"))
    options = NUTSOptions(
        chains=CHAINS, warmup=WARMUP, draws=DRAWS, stride=SHORT_STRIDE if model.has_short_trajectories else LONG_STRIDE
    )
    program = NUTSProgram(density.log_density, density.n_dims, options)
    floor = min(_gradient_seconds(f, density.n_dims, arrays, program.n_lanes) for f in _densities(density, structure))
    sampler = _steady_state(program, arrays, keys, window=fits)
    return {
        "groups": groups,
        "observations": groups * group_size,
        "structure": structure,
        "n_dims": density.n_dims,
        "lanes": program.n_lanes,
        "compile_seconds": program.compile_seconds,
        "ns_per_gradient": 1e9 * floor / (GRADIENTS * program.n_lanes),
        **sampler,
    }


def _problem(groups: int, group_size: int, structure: str) -> tuple[Any, dict[str, np.ndarray], np.ndarray]:
    """Return the model, the arrays of some data sets as the sampler gets them, and a key for each."""
    study = study_of(DISTINCT_FITS, structure=structure, groups=groups, group_size=group_size)
    model = study.methods[0].model
    arrays = dict(model.arrays(data_sets(study, DISTINCT_FITS)))
    arrays["mask"] = np.ones(arrays["n"].shape, bool)
    keys = [study.sampler_key(study.scenarios[0], r, study.methods[0]) for r in range(DISTINCT_FITS)]
    return model, arrays, np.stack(keys)


def _steady_state(
    program: NUTSProgram, arrays: dict[str, np.ndarray], keys: np.ndarray, *, window: int
) -> dict[str, Any]:
    """Time a stream of fits that never ends, once its lanes have spread over all phases of a fit."""
    stream = program.stream(_endless(arrays, keys))
    for _ in range(int(FILLING * program.n_lanes / CHAINS)):
        next(stream)
    seen = []
    for _ in range(WINDOWS):
        before, began = stream.work, time.process_time()
        for _ in range(window):
            next(stream)
        nanoseconds, after = 1e9 * (time.process_time() - began), stream.work
        n = after.n_leapfrog - before.n_leapfrog
        device = after.advance_seconds - before.advance_seconds
        host = after.host_seconds - before.host_seconds
        seen.append((nanoseconds / n, host / (host + device), n / (after.n_slots - before.n_slots), n / window))
    names = ("ns_per_leapfrog", "share_of_the_host", "slots_used", "leapfrogs_per_fit")
    return dict(zip(names, min(seen), strict=True))


def _endless(arrays: dict[str, np.ndarray], keys: np.ndarray) -> Iterator[Job]:
    for number in itertools.count():
        i = number % len(keys)
        key = keys[i] + np.uint32(number // len(keys))
        yield Job(data={name: leaf[i] for name, leaf in arrays.items()}, key=key)


def _densities(density: LogDensity, structure: str) -> list[Callable]:
    """Return the candidates for the fastest density."""
    return [density.log_density, *([_by_hand] if structure == "partial" else [])]


def _by_hand(q: jax.Array, data: dict[str, jax.Array]) -> jax.Array:
    """Return the log posterior in (mu, log sigma, log tau, z), (lane,): the shortest text that we know."""
    mu, log_sigma, log_tau, z = q[0], q[1], q[2], q[3:]
    tau, sigma = jnp.exp(log_tau), jnp.exp(log_sigma)
    error = data["y_mean"] - mu - tau * z
    squares = (z * z + data["n"] * (error * error) / (sigma * sigma)).sum(0)
    prior = log_tau + log_sigma - sigma - mu * mu / 200 - tau * tau / 50
    d = log_sigma - data["log_s"]
    within = data["n_within"] * d + 0.5 * data["a"] * jnp.expm1(-2 * d)
    return prior - within - 0.5 * squares


def _gradient_seconds(log_density: Callable, n_dims: int, arrays: dict[str, np.ndarray], n_lanes: int) -> float:
    """Return the seconds of the fastest loop of value-and-gradient evaluations."""
    lanes = np.arange(n_lanes) % DISTINCT_FITS
    data = as_leaves({name: np.moveaxis(leaf[lanes], 0, -1) for name, leaf in arrays.items()}, "float32")
    start = np.asarray(np.random.default_rng(1).uniform(-1, 1, (n_dims, n_lanes)), np.float32)

    def loop(q: jax.Array, data: dict[str, jax.Array]) -> tuple[jax.Array, jax.Array]:
        def body(_: int, carry: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
            q, total = carry
            value, pullback = jax.vjp(lambda q: log_density(q, data), q)
            # A step so small that the point stays where it is, yet the gradient has to be made.
            return q + np.float32(1e-9) * pullback(jnp.ones_like(value))[0], total + value

        return jax.lax.fori_loop(0, GRADIENTS, body, (q, jnp.zeros(n_lanes, q.dtype)))

    options = COMPILER_OPTIONS.get(jax.default_backend())
    compiled = jax.jit(loop).lower(start, data).compile(options)
    seconds = []
    for _ in range(LOOPS + 1):
        began = time.process_time()
        jax.block_until_ready(compiled(start, data))
        seconds.append(time.process_time() - began)
    return min(seconds[1:])
