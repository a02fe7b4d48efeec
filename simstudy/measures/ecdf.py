"""Are ranks uniform? The empirical distribution of ranks against simultaneous bounds, exactly.

The ranks of n replicates, each 0 to ``n_rank``, are counted below up to ``MAX_POINTS`` evenly spaced points. Under
uniformity the count R_i below the point z_i is binomial(n, z_i), and all counts together are a Poisson process that is
known to end at n. Their smallest two-sided tail probability,

    statistic = min_i 2 min(P(X_i <= R_i), P(X_i >= R_i)),   X_i ~ binomial(n, z_i),

is the pointwise level of the tightest simultaneous band that the counts just leave. Its distribution is found exactly,
by following the process from point to point (Moscovich & Nadler 2017, Statistics & Probability Letters 123:177), so
the p-value, P(statistic at most the observed), never errs on the liberal side. The band is that of Saeilynoja,
Buerkner & Vehtari 2022, Statistics and Computing 32:32.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd

MAX_POINTS = 100
ROUNDING = 1e-9


@dataclass(frozen=True, kw_only=True)
class Uniformity:
    """What the ranks say against uniformity.

    Args:
        statistic: smallest pointwise two-sided tail probability, in [0, 1]; NaN without ranks.
        p_value: probability of so small a statistic under uniformity; NaN without ranks.
    """

    statistic: float
    p_value: float


def judge_ranks(ranks: np.ndarray, n_rank: int, *, n_missing: int = 0) -> Uniformity:
    """Return how far independent ranks are from uniform.

    Args:
        ranks: (replicate,) whole numbers from 0 to ``n_rank``.
        n_rank: number of draws that each truth was ranked among, at least 1.
        n_missing: ranks that should be there and are not. They get the worst place. Every count below a point is
            largest where all of them are 0 and smallest where all are ``n_rank``, so the worst place is one of these.

    Raises:
        ValueError: a rank is out of range.

    >>> even = judge_ranks(np.repeat(np.arange(10), 10), 9)
    >>> even.p_value, judge_ranks(np.zeros(20, int), 9).p_value < 1e-15
    (1.0, True)
    """
    n = len(ranks) + n_missing
    if n == 0:
        return Uniformity(statistic=np.nan, p_value=np.nan)
    edges = _edges(n_rank)
    walk = _walk(n, n_rank, len(edges))
    below = _counts_below(ranks, n_rank, edges)
    statistic = min(walk.statistic(below), walk.statistic(below + n_missing))
    p_value = walk.leaving_probability(*walk.inside(statistic)) if statistic < 1 else 1.0
    return Uniformity(statistic=statistic, p_value=p_value)


def pointwise_error(n: int, n_points: int, *, alpha: float = 0.05) -> float:
    """Return the pointwise error of the band that uniform ranks leave with probability at most ``alpha``.

    Args:
        n: number of ranks.
        n_points: number of equal parts of [0, 1] at whose ends the ranks are counted.
        alpha: simultaneous error, in (0, 1).

    >>> round(pointwise_error(100, 20), 5)
    0.00855
    """
    return _critical(n, n_points - 1, n_points - 1, alpha)


def ecdf_difference(ranks: np.ndarray, n_rank: int, *, alpha: float = 0.05) -> pd.DataFrame:
    """Return the empirical distribution of ranks minus the uniform one, with its simultaneous band.

    Ranks lie in the band at all points with probability at least 1 - alpha if they are uniform, and leave it exactly
    when the p-value of ``judge_ranks`` is at most alpha.

    Args:
        ranks: (replicate,) whole numbers from 0 to ``n_rank``.
        n_rank: number of draws that each truth was ranked among, at least 1.
        alpha: simultaneous error, in (0, 1).

    Returns:
        One row per point, 0 and 1 included: ``point`` in [0, 1], ``difference``, and the band's ends, ``lower`` and
        ``upper``.

    Raises:
        ValueError: a rank is out of range, or there is none.

    >>> ecdf_difference(np.array([0, 1, 1, 3]), 3)["difference"].tolist()
    [0.0, 0.0, 0.25, 0.0, 0.0]
    """
    if not (n := len(ranks)):
        raise ValueError("expected at least one rank, got none")
    edges = _edges(n_rank)
    walk = _walk(n, n_rank, len(edges))
    lowest, highest = walk.inside(_critical(n, n_rank, len(edges), alpha) * (1 - 2 * ROUNDING))
    point = np.concatenate([[0.0], edges / (n_rank + 1), [1.0]])
    counts = {"difference": _counts_below(ranks, n_rank, edges), "lower": lowest, "upper": highest}
    columns = {name: np.concatenate([[0.0], count / n, [1.0]]) - point for name, count in counts.items()}
    return pd.DataFrame({"point": point, **columns})


@dataclass(frozen=True, kw_only=True, eq=False)
class _Walk:
    """Counts of n uniform ranks below increasing points.

    Args:
        n: number of ranks.
        lower: (point, n + 1) P(X_i <= k).
        upper: (point, n + 1) P(X_i >= k).
        steps: for each point the Poisson probabilities of 0, 1, ... ranks between it and the one before.
        finish: (point, n + 1) P(n at the end | k at the point) / P(n at the end), of the Poisson process.
    """

    n: int
    lower: np.ndarray
    upper: np.ndarray
    steps: tuple[np.ndarray, ...]
    finish: np.ndarray

    def statistic(self, counts: np.ndarray) -> float:
        """Return the smallest two-sided tail probability of (point,) counts."""
        point = np.arange(len(counts))
        return min(1.0, float(2 * np.minimum(self.lower[point, counts], self.upper[point, counts]).min()))

    def inside(self, statistic: float) -> tuple[np.ndarray, np.ndarray]:
        """Return the (point,) smallest and largest counts whose own statistic is larger than the given one."""
        tail = statistic / 2 * (1 + ROUNDING)
        return (self.lower <= tail).sum(axis=1), self.n - (self.upper <= tail).sum(axis=1)

    def leaving_probability(self, lowest: np.ndarray, highest: np.ndarray) -> float:
        """Return the probability of a count below ``lowest`` or above ``highest`` (both (point,)) at any point.

        What leaves is added up, and not what stays, so that small probabilities keep their relative precision.
        """
        left, first, mass = 0.0, 0, np.ones(1)
        for i, step in enumerate(self.steps):
            n_open = self.n - first + 1
            mass = np.convolve(mass, step[:n_open])[:n_open]
            # Two stretches leave: the counts below the lowest and those above the highest.
            start, stop = max(lowest[i] - first, 0), max(highest[i] + 1 - first, 0)
            finish = self.finish[i, first : first + len(mass)]
            left += float(mass[:start] @ finish[:start] + mass[stop:] @ finish[stop:])
            if start >= min(stop, len(mass)):
                break
            first, mass = first + start, mass[start:stop]
        return min(left, 1.0)


@lru_cache(maxsize=4)
def _walk(n: int, n_rank: int, n_edges: int) -> _Walk:
    from scipy.stats import binom, poisson  # slow to import: not before ranks are judged

    z = (_edges(n_rank) / (n_rank + 1))[:, None]
    k = np.arange(n + 1)
    return _Walk(
        n=n,
        lower=np.asarray(binom.cdf(k, n, z)),
        upper=np.asarray(binom.sf(k - 1, n, z)),
        steps=tuple(
            np.trim_zeros(step, "b") for step in np.asarray(poisson.pmf(k, n * np.diff(z, axis=0, prepend=0.0)))
        ),
        finish=np.exp(poisson.logpmf(n - k, n * (1 - z)) - poisson.logpmf(n, n)),
    )


@lru_cache(maxsize=256)
def _critical(n: int, n_rank: int, n_edges: int, alpha: float) -> float:
    """Return the largest value that the statistic falls below with probability at most alpha."""
    walk = _walk(n, n_rank, n_edges)
    # At each of the points, either tail alone has half the level: the level over their number is never left too often.
    below, above = alpha / (2 * max(n_edges, 1)), 1.0
    while above - below > ROUNDING * below:
        middle = float(np.sqrt(below * above))
        if walk.leaving_probability(*walk.inside(middle)) <= alpha:
            below = middle
        else:
            above = middle
    return above


def _edges(n_rank: int) -> np.ndarray:
    """Return the points between ranks: an edge e has the ranks 0 to e - 1 below it."""
    n_cells = min(n_rank + 1, MAX_POINTS)
    return np.round(np.arange(1, n_cells) * (n_rank + 1) / n_cells).astype(np.int64)


def _counts_below(ranks: np.ndarray, n_rank: int, edges: np.ndarray) -> np.ndarray:
    ranks = np.asarray(ranks)
    if len(ranks) and not 0 <= ranks.min() <= ranks.max() <= n_rank:
        raise ValueError(f"expected ranks from 0 to {n_rank}, got {ranks.min()} to {ranks.max()}")
    return np.searchsorted(np.sort(ranks), edges)
