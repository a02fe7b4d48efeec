"""What follows from any distribution function and its inverse: the shortest interval, and the score of a value.

The continuous ranked probability score of a value is the integral of (F(x) - [x >= value])^2 (Gneiting & Raftery 2007,
equation 20). It is taken panel by panel between quantiles, by Gauss and Legendre's rule.
"""

from collections.abc import Callable

import numpy as np
from numpy.polynomial import Polynomial
from numpy.polynomial.legendre import leggauss
from scipy.special import expit

LEAST = 1e-13  # the tails beyond this probability are left out
N_STARTS = 33  # lower ends of an interval that are tried first, evenly in probability
N_ZOOMED, N_ZOOMS = 9, 3  # lower ends around the best, three times, each time a quarter as far
_N_PANELS, _N_NODES = 160, 12
_SPREAD = 1e-9  # of an interval's width: rounding of quantiles, to which starts are equally good

Function = Callable[[np.ndarray], np.ndarray]


def shortest_interval(quantiles: Function, level: float) -> np.ndarray:
    """Return the (2,) ends of the shortest interval with a probability.

    Args:
        quantiles: of probabilities in (0, 1).
        level: the probability, in (0, 1).
    """
    lowest, highest = LEAST, 1 - level - LEAST
    start = np.linspace(lowest, highest, N_STARTS)
    for _ in range(N_ZOOMS + 1):
        width = _widths(quantiles, start, level)
        best = int(np.argmin(width))
        bracket = start[max(best - 1, 0)], start[min(best + 1, len(start) - 1)]
        start = np.linspace(*bracket, N_ZOOMED)
    width = _widths(quantiles, start, level)
    at = _lowest_point(start, width)
    return quantiles(np.array([at, at + level]))


def _widths(quantiles: Function, start: np.ndarray, level: float) -> np.ndarray:
    lower, upper = np.split(quantiles(np.concatenate([start, start + level])), 2)
    return upper - lower


def _lowest_point(x: np.ndarray, y: np.ndarray) -> float:
    """Return where the polynomial through points is lowest between the first and the last of them."""
    if np.ptp(y) <= _SPREAD * y.max():
        return float(x[np.argmin(y)])
    through = Polynomial.fit(x, y, 4)
    roots = through.deriv().roots()
    inside = roots.real[(np.abs(roots.imag) < np.abs(x[-1] - x[0])) & (roots.real > x[0]) & (roots.real < x[-1])]
    candidates = np.concatenate([x[[0, -1]], inside])
    return float(candidates[np.argmin(through(candidates))])


def ranked_probability_score(cdf: Function, quantiles: Function, values: np.ndarray) -> np.ndarray:
    """Return the continuous ranked probability score of values, (value,)."""
    z = np.linspace(-1.0, 1.0, _N_PANELS + 1) * np.log(1 / LEAST)
    edges = np.unique(quantiles(expit(z)))
    return np.array([_score(cdf, edges, value) for value in values.tolist()])


def _score(cdf: Function, edges: np.ndarray, value: float) -> float:
    edges = np.union1d(edges, value)
    nodes, weights = leggauss(_N_NODES)
    half = np.diff(edges)[:, None] / 2
    x = edges[:-1, None] + half * (1 + nodes)
    below = cdf(x.ravel()).reshape(x.shape)
    squares = np.where(x < value, below, 1 - below) ** 2
    return float((half * weights * squares).sum())
