"""When a run has failed more than it may: the share of unusable fits that the finished ones make certain enough.

Failures belong to scenarios and methods: a method that cannot be compiled fails in its first block, whatever the others
do, so the fits that happen to be finished are no random sample of all. But the replicates of one scenario and method (a
cell) are independent and alike by design. So each cell has a lower bound of its own, and the bounds are added up.

A bound is looked at after every block. It has to hold at all of these moments at once: it is the one of a betting
martingale (Ville 1939; Robbins 1970, Annals of Mathematical Statistics 41:1397), the likelihood ratio of all larger
chances, mixed uniformly, against one chance, which exceeds 1/alpha at any time with probability alpha at most.
"""

from collections.abc import Mapping

import numpy as np
from scipy.special import betaincc, betaln, xlog1py, xlogy

FALSE_ALARM = 0.001  # chance that a run within the limit is ever stopped
BISECTIONS = 50

Cell = tuple[str, ...]  # scenario and method


def lower_bound(n_bad: np.ndarray, n_fits: np.ndarray, *, alpha: float) -> np.ndarray:
    """Return a lower bound of the chance to fail that holds at all numbers of fits at once.

    Args:
        n_bad: (cell,) failed fits.
        n_fits: (cell,) finished fits, in the order of which no choice was made.
        alpha: chance, in (0, 1), that the bound is ever above the true chance.

    Returns:
        (cell,) lower bounds in [0, 1); 0 where nothing failed.

    >>> lower_bound(np.array([0, 10, 64]), np.array([64, 64, 64]), alpha=0.001).round(3).tolist()
    [0.0, 0.03, 0.868]
    """
    n_bad, n_fits = np.asarray(n_bad, float), np.asarray(n_fits, float)
    low, high = np.zeros_like(n_bad), np.divide(n_bad, n_fits, out=np.zeros_like(n_bad), where=n_fits > 0)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        refuted = _log_evidence(n_bad, n_fits, middle) > -np.log(alpha)
        low, high = np.where(refuted, middle, low), np.where(refuted, high, middle)
    return np.where(n_bad > 0, low, 0.0)


def _log_evidence(n_bad: np.ndarray, n_fits: np.ndarray, chance: np.ndarray) -> np.ndarray:
    """Return the log likelihood ratio of the larger chances, mixed uniformly, against one chance."""
    n_good = n_fits - n_bad
    with np.errstate(divide="ignore"):
        larger = betaln(n_bad + 1, n_good + 1) + np.log(betaincc(n_bad + 1, n_good + 1, chance)) - np.log1p(-chance)
        return larger - xlogy(n_bad, chance) - xlog1py(n_good, -chance)


class Tolerance:
    """Counts unusable fits and says when their share of the whole run is sure to be too large.

    Args:
        limit: largest share of failed and non-finite fits, in [0, 1].
        planned: fits of each cell, the stored ones included.
    """

    def __init__(self, limit: float, planned: Mapping[Cell, int]):
        self.limit = limit
        self._cells = {cell: i for i, cell in enumerate(planned)}
        self._planned = np.array(list(planned.values()), float)
        self._done, self._bad = np.zeros((2, len(planned)))
        self._verdict: bool | None = False

    @property
    def n_planned(self) -> int:
        """Fits of the whole run."""
        return int(self._planned.sum())

    @property
    def n_done(self) -> int:
        """Finished fits."""
        return int(self._done.sum())

    @property
    def n_bad(self) -> int:
        """Finished fits that failed or are not finite."""
        return int(self._bad.sum())

    def count(self, cell: Cell, *, bad: bool) -> None:
        """Count a finished fit."""
        self._verdict = None
        self._done[self._cells[cell]] += 1
        self._bad[self._cells[cell]] += bad

    def is_exceeded(self) -> bool:
        """Whether the finished run would have too many unusable fits.

        The bad fits that are there are certain; of those to come, each cell has at least its lower bound, at the
        level ``FALSE_ALARM`` divided among the cells.
        """
        if self._verdict is None:
            self._verdict = self._judge()
        return self._verdict

    def _judge(self) -> bool:
        some = self._bad > 0
        bound = lower_bound(self._bad[some], self._done[some], alpha=FALSE_ALARM / len(some))
        to_come = np.maximum(self._planned - self._done, 0)[some]
        return bool(self._bad.sum() + to_come @ bound > self.limit * self._planned.sum())
