"""Ranks, normal scores and quantiles of many rows at once, from one sort of each row.

This module decides how rows are put in order and what ties get; what the ranks are for is decided elsewhere.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.special import ndtri

BLOM = 3 / 8  # offset of the normal scores: Blom (1958), and Vehtari et al. (2021), equation 14


@dataclass(frozen=True, kw_only=True)
class Order:
    """Sorted rows.

    Args:
        values: (row, value) sorted values.
        place: (row, value) where each of them stood in the raveled rows.
        ties: flat places in ``values`` of those that equal their right neighbor in the same row.
    """

    values: np.ndarray
    place: np.ndarray
    ties: np.ndarray


def sort_rows(x: np.ndarray) -> Order:
    """Return the order of the rows of (row, value) float64.

    Sorts 64-bit integers that order as the floats do and carry the column in their lowest bits: three times as fast
    as an argsort. Values that differ in those bits alone may come out misordered: pairs are swapped, as the two draws
    beside the median that are folded onto each other but for rounding, and rows with more of them are sorted again.
    """
    n_rows, n_values = x.shape
    column_bits = (1 << (n_values - 1).bit_length()) - 1
    bits = x.view(np.int64)
    place = bits >> 63
    place &= np.iinfo(np.int64).max
    place ^= bits
    place &= ~column_bits
    place |= np.arange(n_values)
    place.sort(axis=-1)
    place &= column_bits
    place += np.arange(n_rows)[:, None] * n_values
    values = np.take(x, place)
    ties = _not_increasing(values)
    if (pairs := _decreasing(values, ties)).size:
        _swap_neighbors(place, values, pairs)
        ties = _not_increasing(values)
    misordered = np.unique(_decreasing(values, ties) // n_values)
    if misordered.size:
        place[misordered] = np.argsort(x[misordered], axis=-1) + misordered[:, None] * n_values
        values = np.take(x, place)
        ties = _not_increasing(values)
    return Order(values=values, place=place, ties=ties)


def _not_increasing(rows: np.ndarray) -> np.ndarray:
    """Return the flat places in (row, value) of values that are not below their right neighbor in the same row."""
    n_pairs = rows.shape[-1] - 1
    pairs = np.flatnonzero(rows[:, :-1] >= rows[:, 1:])
    return pairs + pairs // n_pairs


def _decreasing(rows: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """Return those of the flat places whose value is above its right neighbor."""
    values = rows.ravel()
    return pairs[values[pairs] > values[pairs + 1]]


def _swap_neighbors(place: np.ndarray, values: np.ndarray, pairs: np.ndarray) -> None:
    """Swap values at flat places with their right neighbors, where no other pair touches them."""
    steps = np.diff(pairs, prepend=-2, append=values.size + 1)
    apart = pairs[(steps[:-1] > 1) & (steps[1:] > 1)]
    for array in (place.reshape(-1), values.reshape(-1)):
        array[apart], array[apart + 1] = array[apart + 1], array[apart]


def normal_scores(order: Order) -> np.ndarray:
    """Return the normal scores of the (row, value) that were put in order; ties share the score of their mean rank."""
    n_rows, n_values = order.values.shape
    table = score_table(n_values)
    place = order.place.ravel()
    scores = np.empty(place.size)
    scores[place] = np.tile(table[2::2], n_rows)
    if order.ties.size:
        heads = np.flatnonzero(np.diff(order.ties, prepend=-2) != 1)
        lengths = np.diff(heads, append=len(order.ties)) + 1
        starts = order.ties[heads]
        members = np.repeat(starts - np.cumsum(lengths) + lengths, lengths) + np.arange(lengths.sum())
        twice_mean_rank = 2 * (starts % n_values) + lengths + 1
        scores[place[members]] = np.repeat(table[twice_mean_rank], lengths)
    return scores.reshape(order.values.shape)


@lru_cache(maxsize=8)
def score_table(n_values: int) -> np.ndarray:
    """(2 n + 1,) normal scores of the ranks 0, 1/2, 1, ... n; the first, below rank 1, is not a rank and NaN."""
    ranks = np.arange(2 * n_values + 1) / 2
    ranks[:2] = np.nan
    return ndtri((ranks - BLOM) / (n_values - 2 * BLOM + 1))


def quantiles(ordered: np.ndarray, probabilities: tuple[float, ...]) -> np.ndarray:
    """Return (row, probability) quantiles of sorted rows (row, draw), interpolated linearly as NumPy does by default.

    >>> quantiles(np.array([[0.0, 1.0, 2.0, 3.0]]), (0.25, 0.5)).tolist()
    [[0.75, 1.5]]
    """
    place = np.asarray(probabilities) * (ordered.shape[-1] - 1)
    below = np.floor(place).astype(np.intp)
    above = np.ceil(place).astype(np.intp)
    low, high = ordered[:, below], ordered[:, above]
    return low + (high - low) * (place - below)


def highest_density(ordered: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the (row,) ends of the narrowest interval that holds a share of sorted rows (row, draw).

    The highest-density interval of a density with one mode (Chen & Shao 1999), the first of several that are equally
    narrow; NumPyro's ``hpdi`` is the same.

    Args:
        ordered: sorted draws.
        level: share of the draws, in (0, 1).

    >>> [end.item() for end in highest_density(np.array([[0.0, 5.0, 5.5, 6.0, 9.0]]), 0.5)]
    [5.0, 6.0]
    """
    n_inside = int(level * ordered.shape[-1])
    low, high = ordered[:, : ordered.shape[-1] - n_inside], ordered[:, n_inside:]
    start = np.argmin(high - low, axis=-1)[:, None]
    return np.take_along_axis(low, start, -1)[:, 0], np.take_along_axis(high, start, -1)[:, 0]
