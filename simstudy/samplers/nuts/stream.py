"""The host's side of a program: fits flow through the lanes, one chain to a lane, and come out as they finish."""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, NamedTuple

import jax
import numpy as np

from simstudy.samplers.nuts.collection import Collection
from simstudy.samplers.nuts.fits import FinishedFit, Job, Work
from simstudy.samplers.nuts.lanes import START_TRIES
from simstudy.samplers.nuts.options import NUTSOptions
from simstudy.samplers.nuts.state import Arrivals, Lane
from simstudy.samplers.precision import as_leaves, use_precision


class Executables(NamedTuple):
    """What a stream runs.

    Args:
        idle: compiled ``lanes.idle_lanes``.
        admit: compiled ``lanes.admit``.
        advance: compiled ``lanes.advance``.
        slots_per_advance: leapfrog steps that all lanes have room for in one advance.
    """

    idle: Callable[[], Lane]
    admit: Callable[..., Any]
    advance: Callable[..., Any]
    slots_per_advance: int


@dataclass(kw_only=True)
class _Flight:
    """A fit in flight.

    Args:
        index: place of its job.
        job: what is to be fitted.
        slot: where its draws are collected.
        n_open: chains not yet complete.
        stranded: chains that found no starting point.
    """

    index: int
    job: Job
    slot: int
    n_open: int
    stranded: list[int] = field(default_factory=list)


class FitStream(Iterator[FinishedFit]):
    """Finished fits, as they finish; jobs are taken from their iterator as lanes fall free.

    Iterating does the work. Memory holds the fits on the lanes and no others.

    Args:
        jobs: fits to be made.
        n_dims: dimensions of a draw.
        options: options of the sampler.
        executables: compiled for the jobs' data.
        example: data of one job.
        compile_seconds: wall-clock that compiling took for this stream.
    """

    def __init__(
        self,
        jobs: Iterable[Job],
        *,
        n_dims: int,
        options: NUTSOptions,
        executables: Executables,
        example: Any,
        compile_seconds: float,
    ):
        self._options, self._executables, self._lane = options, executables, executables.idle()
        n_lanes = self._lane.n_transitions.shape[0]
        self._collection = Collection(options, n_dims, n_slots=n_lanes // options.chains + 1)
        self._waiting = self._take_off(jobs)
        self._finished: deque[FinishedFit] = deque()
        self._flights: dict[int, _Flight] = {}
        self._busy = np.zeros(n_lanes, bool)
        self._slot, self._chain, self._n_filled = np.zeros((3, n_lanes), np.int64)
        leaves = as_leaves(example, options.precision, unsigned="uint32")
        self._data = jax.tree.map(lambda leaf: np.repeat(leaf[..., None], n_lanes, -1), leaves)
        self._arrivals = Arrivals(
            admitted=np.zeros(n_lanes, bool),
            fit_key=np.zeros((2, n_lanes), np.uint32),
            chain=np.zeros(n_lanes, np.uint32),
            inverse_mass=np.ones((n_dims, n_lanes), options.precision),
            start=np.zeros((n_dims, n_lanes), options.precision),
            is_given=np.zeros(n_lanes, bool),
        )
        self.work = Work(compile_seconds=compile_seconds)

    def __next__(self) -> FinishedFit:
        """Advance the lanes until a fit is finished, and return it."""
        with use_precision(self._options.precision):
            while not self._finished:
                self._timed("host_seconds", self._refill)
                if not self._busy.any():
                    raise StopIteration
                rows = self._timed("advance_seconds", self._advance)
                self._timed("host_seconds", self._collect, rows)
        return self._finished.popleft()

    def _timed(self, name: str, step: Callable[..., Any], *args):
        """Return what a step returns and add its wall-clock to a field of the work."""
        began = time.perf_counter()
        result = step(*args)
        self.work = replace(self.work, **{name: getattr(self.work, name) + time.perf_counter() - began})
        return result

    def _take_off(self, jobs: Iterable[Job]) -> Iterator[tuple[_Flight, int]]:
        """Yield the chains of each job, opening its slot when the first is asked for."""
        n_chains = self._options.chains
        for index, job in enumerate(jobs):
            slot = self._collection.open()
            self._flights[slot] = flight = _Flight(index=index, job=job, slot=slot, n_open=n_chains)
            yield from ((flight, chain) for chain in range(n_chains))

    def _refill(self) -> None:
        """Put waiting chains on the free lanes."""
        free, admitted = np.flatnonzero(~self._busy), self._arrivals.admitted
        admitted[:] = False
        for lane, (flight, chain) in zip(free.tolist(), islice(self._waiting, len(free)), strict=False):
            self._load(lane, flight, chain)
        if not admitted.any():
            return
        # NumPy goes in as it is, read in place: reading the result waits until that is over.
        self._lane, usable = self._executables.admit(self._lane, self._data, self._arrivals)
        self._busy |= admitted
        for stranded in np.flatnonzero(~np.asarray(usable)):
            self._flights[self._slot[stranded]].stranded.append(int(self._chain[stranded]))

    def _load(self, lane: int, flight: _Flight, chain: int) -> None:
        """Write what a lane needs to know of its new chain."""
        job, arrivals = flight.job, self._arrivals
        self._slot[lane], self._chain[lane], self._n_filled[lane] = flight.slot, chain, 0
        arrivals.admitted[lane] = True
        arrivals.fit_key[:, lane], arrivals.chain[lane] = job.key, chain
        arrivals.inverse_mass[:, lane] = 1 if job.dim_mask is None else job.dim_mask
        arrivals.is_given[lane] = job.start is not None
        if job.start is not None:
            arrivals.start[:, lane] = job.start[chain]
        for all_lanes, leaf in zip(jax.tree.leaves(self._data), jax.tree.leaves(job.data), strict=True):
            if np.shape(leaf) != all_lanes.shape[:-1]:
                expected = f"{all_lanes.shape[:-1]}, like the first job's"
                raise ValueError(f"job {flight.index}: data must have shape {expected}; got {np.shape(leaf)}")
            all_lanes[..., lane] = as_leaves(leaf, self._options.precision, unsigned="uint32")

    def _advance(self) -> np.ndarray:
        """Advance all lanes and return their rows."""
        self._lane, rows = self._executables.advance(self._lane, self._data)
        return np.asarray(rows)

    def _collect(self, rows: np.ndarray) -> None:
        """Store the draws, and give out the fits whose last chain is complete."""
        counts, n_leapfrog = self._collection.add(rows, slot=self._slot, chain=self._chain, n_filled=self._n_filled)
        self._n_filled += counts
        total = self._options.n_transitions
        landed = np.flatnonzero(self._busy & (np.asarray(self._lane.n_transitions) == total))
        step_size = np.asarray(self._lane.adaptation.step_size)
        n_warmup = np.asarray(self._lane.n_leapfrog_warmup)
        self._busy[landed] = False
        for lane in landed:
            slot = self._slot[lane]
            self._collection.close_chain(
                slot, self._chain[lane], step_size=step_size[lane], n_leapfrog_warmup=n_warmup[lane]
            )
            self._flights[slot].n_open -= 1
            if not self._flights[slot].n_open:
                self._land(self._flights.pop(slot))
        self._count(n_leapfrog + int(n_warmup[landed].sum()))

    def _land(self, flight: _Flight) -> None:
        """Give out a fit whose chains are all complete."""
        fit = self._collection.close(flight.slot, index=flight.index)
        self._finished.append(replace(fit, reason=_reason(fit, flight)))

    def _count(self, n_leapfrog: int) -> None:
        """Add the steps of an advance to the work."""
        work, n_slots = self.work, self._executables.slots_per_advance
        self.work = replace(work, n_leapfrog=work.n_leapfrog + n_leapfrog, n_slots=work.n_slots + n_slots)


def _reason(fit: FinishedFit, flight: _Flight) -> str | None:
    """Return why the draws of a fit cannot be used, or None."""
    if flight.stranded:
        where = "its starting point" if flight.job.start is not None else f"{START_TRIES} random starting points"
        chains = "chains " + ", ".join(str(chain) for chain in sorted(flight.stranded))
        return f"the log density or its gradient was not finite at {where} ({chains})"
    n_bad = int((~np.isfinite(fit.energy)).sum())
    return f"the energy was not finite at {n_bad} draws" if n_bad else None
