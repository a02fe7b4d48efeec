"""Exponentials and logarithms as sums and products alone, in loops, so that a processor computes several at once."""

import numpy as np

from simstudy.samplers.exact.counts.native import reordered

LARGEST = 60.0


@reordered
def sum_of_exponentials(x: np.ndarray) -> float:
    """Return the sum of exp(-x) for x from 0 to 60, each to 1e-11 of it; a larger x counts as 60.

    Each is the 64th power of the Taylor series of exp(-x / 64).
    """
    total = 0.0
    for j in range(len(x)):
        y = min(x[j], LARGEST) * (-1 / 64)
        s = 1 + y * (1 / 12)
        s = 1 + y * (1 / 11) * s
        s = 1 + y * (1 / 10) * s
        s = 1 + y * (1 / 9) * s
        s = 1 + y * (1 / 8) * s
        s = 1 + y * (1 / 7) * s
        s = 1 + y * (1 / 6) * s
        s = 1 + y * (1 / 5) * s
        s = 1 + y * (1 / 4) * s
        s = 1 + y * (1 / 3) * s
        s = 1 + y * (1 / 2) * s
        s = 1 + y * s
        s = s * s
        s = s * s
        s = s * s
        s = s * s
        s = s * s
        total += s * s
    return total


@reordered
def write_log1p_of_rarer(odds: np.ndarray, out: np.ndarray) -> None:
    """Write log(1 + x), x the odds or their inverse, whichever is below 1: the series of 2 artanh(x / (2 + x))."""
    for j in range(len(odds)):
        x = min(odds[j], 1 / odds[j])
        t = x / (2 + x)
        u = t * t
        s = 1 / 31 + u * (1 / 33)
        s = 1 / 29 + u * s
        s = 1 / 27 + u * s
        s = 1 / 25 + u * s
        s = 1 / 23 + u * s
        s = 1 / 21 + u * s
        s = 1 / 19 + u * s
        s = 1 / 17 + u * s
        s = 1 / 15 + u * s
        s = 1 / 13 + u * s
        s = 1 / 11 + u * s
        s = 1 / 9 + u * s
        s = 1 / 7 + u * s
        s = 1 / 5 + u * s
        s = 1 / 3 + u * s
        out[j] = 2 * t * (1 + u * s)
