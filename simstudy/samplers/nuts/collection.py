"""Draws of the fits in flight, collected from the lanes' reports by a handful of vectorized operations."""

import numpy as np

from simstudy.samplers.nuts.fits import FinishedFit
from simstudy.samplers.nuts.options import NUTSOptions
from simstudy.samplers.nuts.state import Transition

_STATISTICS = ("diverging", "accept_prob", "num_steps", "energy")


class Collection:
    """Storage of draws for the fits in flight, one slot each; slots are used again, so that it does not grow.

    Args:
        options: options of the sampler.
        n_dims: dimensions of a draw.
        n_slots: slots to begin with; there are more when more fits are in flight.
    """

    def __init__(self, options: NUTSOptions, n_dims: int, *, n_slots: int):
        self._shape = (options.chains, options.draws)
        dtype = np.dtype(options.precision)
        self._arrays = {
            "draws": np.empty((0, *self._shape, n_dims), dtype),
            "diverging": np.empty((0, *self._shape), bool),
            "accept_prob": np.empty((0, *self._shape), dtype),
            "num_steps": np.empty((0, *self._shape), np.int32),
            "energy": np.empty((0, *self._shape), dtype),
            "step_size": np.empty((0, options.chains), dtype),
            "n_leapfrog_warmup": np.empty((0, options.chains), np.int32),
        }
        self._free: list[int] = []
        self._enlarge(n_slots)

    def open(self) -> int:
        """Return a free slot, its draws set to NaN."""
        if not self._free:
            self._enlarge(len(self._arrays["draws"]))
        slot = self._free.pop()
        for array in self._arrays.values():
            array[slot] = np.nan if array.dtype.kind == "f" else 0
        return slot

    def add(self, transitions: Transition, *, slot, chain, n_filled) -> np.ndarray:
        """Store the draws of an advance and return how many came from each lane, (L,).

        Args:
            transitions: NumPy arrays with macro-steps on the first axis and lanes on the last.
            slot: (L,) slot that each lane works for.
            chain: (L,) its chain.
            n_filled: (L,) draws that the chain has already.
        """
        kept = transitions.num_steps.T > 0
        lane, macro_step = np.nonzero(kept)
        counts = kept.sum(1)
        rank = np.arange(len(lane)) - np.repeat(np.cumsum(counts) - counts, counts)
        n_chains, n_draws = self._shape
        row = ((slot * n_chains + chain) * n_draws + n_filled)[lane] + rank
        self._rows("draws")[row] = transitions.draw[macro_step, :, lane]
        for name in _STATISTICS:
            self._rows(name)[row] = getattr(transitions, name)[macro_step, lane]
        return counts

    def close_chain(self, slot: int, chain: int, *, step_size: float, n_leapfrog_warmup: int) -> None:
        """Store what is known of a chain when it is complete."""
        self._arrays["step_size"][slot, chain] = step_size
        self._arrays["n_leapfrog_warmup"][slot, chain] = n_leapfrog_warmup

    def close(self, slot: int, *, index: int) -> FinishedFit:
        """Return the fit of a slot and free it."""
        self._free.append(slot)
        return FinishedFit(index=index, **{k: a[slot].copy() for k, a in self._arrays.items()})

    def _rows(self, name: str) -> np.ndarray:
        """Return a view of an array with slot, chain and draw as one axis."""
        array = self._arrays[name]
        return array.reshape(-1, *array.shape[3:])

    def _enlarge(self, n: int) -> None:
        """Add n slots."""
        old = len(self._arrays["draws"])
        self._free.extend(reversed(range(old, old + n)))
        for name, array in self._arrays.items():
            self._arrays[name] = np.concatenate([array, np.empty((n, *array.shape[1:]), array.dtype)])
