"""Draws of the fits in flight, collected from the lanes' rows by a handful of vectorized operations."""

from typing import Any

import numpy as np

from simstudy.samplers.nuts.fits import FinishedFit
from simstudy.samplers.nuts.options import NUTSOptions
from simstudy.samplers.nuts.state import STATISTICS

_TYPES = {"num_steps": np.dtype(np.int32), "diverging": np.dtype(bool)}


class Collection:
    """Storage of draws for the fits in flight, one slot each; slots are used again, so that it does not grow.

    A draw is stored as the lanes report it: a row of its dimensions and then its statistics.

    Args:
        options: options of the sampler.
        n_dims: dimensions of a draw.
        n_slots: slots to begin with; there are more when more fits are in flight.
    """

    def __init__(self, options: NUTSOptions, n_dims: int, *, n_slots: int):
        self._n_dims = n_dims
        n_transitions = options.draws * options.thinning
        self._thinning = options.thinning
        self._rows = np.empty((0, options.chains, n_transitions, n_dims + len(STATISTICS)), options.precision)
        self._step_size = np.empty((0, options.chains), options.precision)
        self._n_leapfrog_warmup = np.empty((0, options.chains), np.int32)
        self._free: list[int] = []
        self._enlarge(n_slots)

    def open(self) -> int:
        """Return a free slot, its draws not a number until they come."""
        if not self._free:
            self._enlarge(len(self._rows))
        slot = self._free.pop()
        self._rows[slot] = np.nan
        for name in _TYPES:
            self._rows[slot, ..., self._column(name)] = 0
        self._step_size[slot], self._n_leapfrog_warmup[slot] = np.nan, 0
        return slot

    def add(self, rows: np.ndarray, *, slot, chain, n_filled) -> tuple[np.ndarray, int]:
        """Store the draws of an advance; return how many came from each lane, (L,), and their leapfrog steps.

        Args:
            rows: (L, macro-step, D + 4) as ``lanes.advance`` reports them.
            slot: (L,) slot that each lane works for.
            chain: (L,) its chain.
            n_filled: (L,) draws that the chain has already.
        """
        num_steps = rows[..., self._column("num_steps")]
        kept = num_steps > 0
        counts = kept.sum(1)
        n_chains, n_draws = self._rows.shape[1:3]
        first = (slot * n_chains + chain) * n_draws + n_filled - (np.cumsum(counts) - counts)
        place = np.repeat(first, counts) + np.arange(counts.sum())
        self._rows.reshape(-1, self._rows.shape[-1])[place] = rows[kept]
        return counts, int(num_steps.sum(dtype=float))

    def close_chain(self, slot: int, chain: int, *, step_size: float, n_leapfrog_warmup: int) -> None:
        """Store what is known of a chain when it is complete."""
        self._step_size[slot, chain] = step_size
        self._n_leapfrog_warmup[slot, chain] = n_leapfrog_warmup

    def close(self, slot: int, *, index: int) -> FinishedFit:
        """Return the fit of a slot and free it."""
        self._free.append(slot)
        rows = self._thinned(self._rows[slot])
        statistics: dict[str, Any] = {
            name: rows[..., self._column(name)].astype(_TYPES.get(name, rows.dtype)) for name in STATISTICS
        }
        return FinishedFit(
            index=index,
            draws=rows[..., : self._n_dims].copy(),
            step_size=self._step_size[slot].copy(),
            n_leapfrog_warmup=self._n_leapfrog_warmup[slot].copy(),
            **statistics,
        )

    def _thinned(self, rows: np.ndarray) -> np.ndarray:
        """Return every last of some transitions (chain, transition, D + 4), with what all of them are to tell."""
        if self._thinning == 1:
            return rows
        each = rows.reshape(len(rows), -1, self._thinning, rows.shape[-1])
        kept = each[:, :, -1].copy()
        kept[..., self._column("num_steps")] = each[..., self._column("num_steps")].sum(-1)
        kept[..., self._column("accept_prob")] = each[..., self._column("accept_prob")].mean(-1)
        kept[..., self._column("diverging")] = each[..., self._column("diverging")].max(-1)
        return kept

    def _column(self, name: str) -> int:
        """Return the column of a statistic."""
        return self._n_dims + STATISTICS.index(name)

    def _enlarge(self, n: int) -> None:
        """Add n slots."""
        self._free.extend(reversed(range(len(self._rows), len(self._rows) + n)))
        self._rows, self._step_size, self._n_leapfrog_warmup = (
            np.concatenate([array, np.empty((n, *array.shape[1:]), array.dtype)])
            for array in (self._rows, self._step_size, self._n_leapfrog_warmup)
        )
