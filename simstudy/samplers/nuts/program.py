"""A compiled sampler for one posterior shape, through which any number of fits flow."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import fields
from functools import partial
from itertools import chain
from typing import Any

import jax
import numpy as np

from simstudy.samplers.nuts.fits import FinishedFit, Fits, Job
from simstudy.samplers.nuts.lanes import admit, advance, idle_lanes
from simstudy.samplers.nuts.macrostep import Target
from simstudy.samplers.nuts.options import NUTSOptions, default_lanes
from simstudy.samplers.nuts.state import Arrivals
from simstudy.samplers.nuts.stream import Executables, FitStream
from simstudy.samplers.precision import as_leaves, use_precision

DEFAULTS = NUTSOptions()

MACRO_STEPS = 128
"""Macro-steps between two visits of the host, when finished lanes are refilled: about 15 ms of work."""

MOST_RECORDED = 2**17
"""Numbers that a lane may report between two visits, all held in memory: large posteriors have fewer macro-steps."""

COMPILER_OPTIONS: dict[str, dict[str, Any]] = {"cpu": {"xla_cpu_prefer_vector_width": 512}}
"""Per platform. XLA's CPU compiler stops at 256 bits by default; where 512 exist, they are 1.4 times as fast."""

STACKED = [field.name for field in fields(FinishedFit) if field.name not in ("index", "reason")]
"""Arrays of a finished fit."""


class NUTSProgram:
    """The No-U-Turn sampler for a log density, compiled once for all data sets of a shape.

    Args:
        log_density: (position (n_dims, lane), data) -> (lane,), pure jax; lanes are last in every leaf of data.
        n_dims: number of unconstrained dimensions.
        options: options of the sampler.
        word_index: (n_dims,) counters of the random numbers of each dimension, all different; 0, 1, 2 ... unless
            given. A padded model whose dimensions keep the counters that they have in the unpadded one makes the
            same trajectories: count by (group, site), hyperparameters first, so that added groups take new counters.

    Raises:
        ValueError: ``n_dims`` is below 1, or ``word_index`` is not n_dims different counters.

    >>> def log_density(q, data):
    ...     return -0.5 * ((q - data["mean"]) ** 2).sum(0)
    >>> program = NUTSProgram(log_density, 2, NUTSOptions(chains=2, warmup=100, draws=100, max_treedepth=4))
    >>> keys = np.array([[0, 1], [0, 2], [0, 3]], np.uint32)
    >>> fits = program.sample({"mean": np.array([[0.0, 5.0, -5.0], [1.0, 6.0, -4.0]])}, keys)
    >>> fits.draws.shape
    (3, 2, 100, 2)
    >>> fits.draws.mean((1, 2)).round(0) + 0
    array([[ 0.,  1.],
           [ 5.,  6.],
           [-5., -4.]], dtype=float32)
    """

    def __init__(
        self,
        log_density: Callable[..., Any],
        n_dims: int,
        options: NUTSOptions = DEFAULTS,
        *,
        word_index: Sequence[int] | None = None,
    ):
        counters = tuple(range(n_dims)) if word_index is None else tuple(int(w) for w in word_index)
        if n_dims < 1:
            raise ValueError(f"n_dims must be at least 1; got {n_dims}")
        if len(set(counters)) != n_dims or min(counters) < 0:
            raise ValueError(f"word_index must hold {n_dims} different counters from 0 up; got {counters}")
        self.target = Target(log_density=log_density, options=options, word_index=counters)
        self.n_dims = n_dims
        self.n_lanes = options.lanes or default_lanes(n_dims)
        self.compile_seconds = 0.0
        self._compiled: dict[Any, Any] = {}
        self._executables: dict[Any, Executables] = {}

    @property
    def options(self) -> NUTSOptions:
        """Options of the sampler."""
        return self.target.options

    def compile(self, example: Any) -> float:
        """Compile for data like the example (no lane axis) and return the seconds it took, 0 if that was done before.

        Args:
            example: data of one fit; its structure, shapes and types count.
        """
        signature = self._signature(example)
        if signature in self._executables:
            return 0.0
        began = time.perf_counter()
        self._executables[signature] = self._build(example)
        seconds = time.perf_counter() - began
        self.compile_seconds += seconds
        return seconds

    def stream(self, jobs: Iterable[Job]) -> Iterator[FinishedFit]:
        """Return an iterator over the finished fits of an iterable of jobs, which is read as lanes fall free.

        The order is that in which fits finish; ``FinishedFit.index`` tells the job. Memory does not grow with the
        number of jobs. Where there are jobs, the iterator's ``work`` says what they have cost so far.

        Args:
            jobs: fits to be made, all with data of one structure, shape and type.
        """
        jobs = iter(jobs)
        first = next(jobs, None)
        return iter(()) if first is None else self._stream(chain([first], jobs), first.data)

    def sample(self, data: Any, keys: np.ndarray, *, dim_mask=None, start=None) -> Fits:
        """Return the draws of all fits of a set, stacked in their order.

        Args:
            data: pytree of arrays (..., fit).
            keys: (fit, 2) uint32; a fit's draws depend on its key, its data and the program, and on nothing else.
            dim_mask: (n_dims, fit) bool, False for padded dimensions, or None.
            start: (chain, n_dims, fit) unconstrained starting points, or None for random ones.

        Raises:
            ValueError: ``keys`` is not (fit, 2), there is no fit, or a leaf of the data has another number of fits.
        """
        jobs = self._jobs(data, np.asarray(keys), dim_mask, start)
        arrays: dict[str, np.ndarray] = {}
        reasons: dict[int, str] = {}
        stream = self._stream(jobs, jobs[0].data)
        for fit in stream:
            for name in STACKED:
                one = getattr(fit, name)
                arrays.setdefault(name, np.empty((len(jobs), *one.shape), one.dtype))[fit.index] = one
            if fit.reason is not None:
                reasons[fit.index] = fit.reason
        return Fits(**arrays, reasons=reasons, work=stream.work)

    def _stream(self, jobs: Iterable[Job], example: Any) -> FitStream:
        """Return the finished fits of jobs with data like the example, which is compiled for if need be."""
        seconds = self.compile(example)
        return FitStream(
            jobs,
            n_dims=self.n_dims,
            options=self.options,
            executables=self._executables[self._signature(example)],
            example=example,
            compile_seconds=seconds,
        )

    def _jobs(self, data, keys, dim_mask, start) -> list[Job]:
        """Return the fits of a set as jobs."""
        if keys.ndim != 2 or keys.shape[1] != 2 or not len(keys):
            raise ValueError(f"keys must be (fit, 2) with at least one fit; got shape {keys.shape}")
        for leaf in jax.tree.leaves(data):
            if np.shape(leaf)[-1:] != (len(keys),):
                raise ValueError(f"data must have the {len(keys)} fits of keys last; got shape {np.shape(leaf)}")
        return [
            Job(
                data=jax.tree.map(lambda leaf, i=i: np.asarray(leaf)[..., i], data),
                key=key,
                dim_mask=None if dim_mask is None else dim_mask[:, i],
                start=None if start is None else start[..., i],
            )
            for i, key in enumerate(keys)
        ]

    def _signature(self, example: Any):
        """Return what a compiled program depends on: structure, shapes and types of one fit's data."""
        leaves, structure = jax.tree.flatten(as_leaves(example, self.options.precision, unsigned="uint32"))
        return structure, tuple((leaf.shape, leaf.dtype.str) for leaf in leaves)

    def _build(self, example: Any) -> Executables:
        """Compile both functions for data like the example."""
        precision, n_lanes, n_dims = self.options.precision, self.n_lanes, self.n_dims
        with use_precision(precision):
            idle = jax.jit(partial(idle_lanes, self.target, n_lanes, precision)).lower().compile()
            lane = idle()
            leaves = as_leaves(example, precision, unsigned="uint32")
            data = jax.tree.map(lambda leaf: _with_lanes(leaf.shape, n_lanes, leaf.dtype), leaves)
            vector = _with_lanes((n_dims,), n_lanes, precision)
            mask = _with_lanes((), n_lanes, bool)
            arrivals = Arrivals(
                admitted=mask,
                fit_key=_with_lanes((2,), n_lanes, np.uint32),
                chain=_with_lanes((), n_lanes, np.uint32),
                inverse_mass=vector,
                start=vector,
                is_given=mask,
            )
            put = jax.jit(partial(admit, self.target), donate_argnums=0)
            n_steps = max(1, min(MACRO_STEPS, MOST_RECORDED // n_dims))
            go = jax.jit(partial(advance, self.target, n_macro_steps=n_steps), donate_argnums=0)
            how = COMPILER_OPTIONS.get(jax.default_backend())
            return Executables(
                idle=idle,
                admit=put.lower(lane, data, arrivals).compile(how),
                advance=go.lower(lane, data).compile(how),
                slots_per_advance=n_steps * 2**self.target.levels * n_lanes,
            )


def _with_lanes(shape: tuple[int, ...], n_lanes: int, dtype) -> Any:
    """Return what stands for an array of a shape with a lane axis while compiling."""
    return jax.ShapeDtypeStruct((*shape, n_lanes), dtype)
