"""Memory that one row after another is worked on in."""

from typing import NamedTuple

import numpy as np

from simstudy.summaries.compiled.asked import Asked
from simstudy.summaries.compiled.indicator import words_of
from simstudy.summaries.compiled.native import native
from simstudy.summaries.compiled.order import N_DIGITS


class Scratch(NamedTuple):
    """Arrays of a row: of all draws (``ordered``, ``place``), of the halves of chains (most others), of chains."""

    halves: np.ndarray
    keys: np.ndarray
    counts: np.ndarray
    pairs: np.ndarray
    moved: np.ndarray
    ordered: np.ndarray
    place: np.ndarray
    half_ordered: np.ndarray
    half_place: np.ndarray
    folded: np.ndarray
    folded_place: np.ndarray
    series: np.ndarray
    centered: np.ndarray
    means: np.ndarray
    words: np.ndarray
    ends: np.ndarray
    sizes: np.ndarray


@native
def scratch_of(asked: Asked) -> Scratch:
    """Return fresh memory for rows of a shape."""
    n_all = asked.n_chains * asked.n_draws
    n_chains, half = 2 * asked.n_chains, asked.n_draws // 2
    n = n_chains * half
    n_probabilities = asked.probabilities.size
    keys = np.empty(n_all, np.float32)
    pairs, moved = np.empty(n_all, np.uint64), np.empty(n_all, np.uint64)
    return Scratch(
        np.empty(n),
        keys,
        np.empty((2, N_DIGITS), np.int32),
        pairs,
        moved,
        np.empty(n_all),
        np.empty(n_all, np.int32),
        np.empty(n),
        np.empty(n, np.int32),
        pairs.view(np.float64)[:n],
        keys.view(np.int32)[:n],
        moved.view(np.float64)[:n],
        np.empty(n, np.float32),
        np.empty(n_chains),
        np.empty(n_chains * words_of(half), np.uint64),
        np.empty(n_probabilities),
        np.empty(n_probabilities),
    )
