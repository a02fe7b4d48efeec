"""Evidence that grows with every chain: what a gambler makes who bets that a sampler is wrong.

A gain is a number of at least -1 whose expectation is 0 at most, given all gains before, if the sampler is right. A
gambler who stakes a fixed share of the wealth on every gain then has a wealth that is a nonnegative supermartingale
that begins at 1, and so has the mean of many gamblers. The wealth of a right sampler ever reaches 1/alpha with
probability alpha at most (Ville 1939, Étude critique de la notion de collectif), whenever one looks (Waudby-Smith &
Ramdas 2024, Estimating means of bounded random variables by betting, JRSS B 86:1).
"""

import numpy as np
from scipy.special import logsumexp

SHARES = np.array([0.003, 0.01, 0.02, 0.04, 0.08, 0.15, 0.3, 0.5, 0.7, 0.9, 0.99])
"""Shares of the wealth that gamblers stake, below 1: none is ever ruined by a single chain."""


class Evidence:
    """The wealth of the gamblers, each with one share and one gain; all begin with the same.

    Args:
        n_gains: number of gains that each chain gives, in fixed order.
    """

    def __init__(self, n_gains: int):
        self._log_wealth = np.zeros((n_gains, len(SHARES)))

    @property
    def each(self) -> np.ndarray:
        """(gain,) log of the wealth made on each gain, from 1."""
        return logsumexp(self._log_wealth, axis=1) - np.log(len(SHARES))

    @property
    def log_total(self) -> float:
        """Log of the mean wealth over all gains."""
        return float(logsumexp(self.each) - np.log(len(self._log_wealth)))

    def path(self, gains: np.ndarray) -> np.ndarray:
        """Bet on the gains of some chains, one chain after the other.

        Args:
            gains: (chain, gain), -1 or more.

        Returns:
            (chain,) log of the mean wealth over all gains after each chain.

        >>> evidence = Evidence(2)
        >>> path = evidence.path(np.tile([[0.5, -0.5]], (100, 1)))
        >>> bool(path[0] < path[9] < path[99])
        True
        """
        steps = np.log1p(SHARES * gains[..., None])
        paths = self._log_wealth + np.cumsum(steps, axis=0)
        self._log_wealth = paths[-1]
        return logsumexp(paths, axis=(1, 2)) - np.log(paths[0].size)


def above(numbers: np.ndarray, limit: float | np.ndarray) -> np.ndarray:
    """Return gains of a bet that nonnegative numbers have a mean above a limit.

    >>> above(np.array([0.0, 1.0]), 0.5).tolist()
    [-1.0, 1.0]
    """
    return numbers / limit - 1


def below(numbers: np.ndarray, limit: float | np.ndarray) -> np.ndarray:
    """Return gains of a bet that numbers of 1 at most have a mean below a limit.

    >>> below(np.array([0.0, 1.0]), 0.5).tolist()
    [1.0, -1.0]
    """
    return above(1 - numbers, 1 - limit)
