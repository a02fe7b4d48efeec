"""What each chain says of a sampler: numbers whose expectation is known if it is right, and the gains of bets on them.

With F the exact distribution function of a quantity and u = F(draw), a draw that is distributed as the posterior has
E[u] = 1/2 (location) and E[(2 u - 1)^2] = 1/3 (spread), and with probability .01 a u below .005 or above .995 (tails).
So have means over a chain of such draws, however dependent they are. The exact probability of the chain's own central
90 % interval is .9 at best, and falls where a chain moves too slowly for its length. 12 (mean u - 1/2)^2 has the
expectation 1 / ESS.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from simstudy.testing.gating.betting import above, below
from simstudy.testing.gating.chains import Chains
from simstudy.testing.gating.problem import Space
from simstudy.testing.gating.table import Quantity

OUTSIDE = 0.01
"""Probability outside the exact central interval whose outside is the tails."""
CONTENT = 0.9
"""Probability of a chain's own central interval."""
LEAST_CONTENT = 0.75
"""Probability that it has to reach on average."""
PER_SD = {"error": 1 / (2 * np.sqrt(np.pi)), "calibration": 1 / (np.pi * np.sqrt(3)) * 2}
"""What E[u] and E[(2 u - 1)^2] move by when a normal posterior is shifted, or widened, by one sd, to first order."""
ROUNDING = 2e-5
"""Error of a distribution function by interpolation and single precision."""


@dataclass(frozen=True, kw_only=True)
class Observed:
    """Numbers of chains.

    Args:
        location: (chain, quantity) mean of u.
        spread: (chain, quantity) mean of (2 u - 1)^2.
        tails: (chain, quantity) share of draws outside the exact central 99 % interval.
        content: (chain, quantity) exact probability of the chain's own interval.
        cost: (chain,) cost over ESS, the mean over quantities.
        error: (chain, quantity) mean of the draws less that of the posterior, in its sds.
        square: (chain, quantity) mean square of that.
        n_draws: length of the chains.
        n_lost: chains with draws that are not finite.
    """

    location: np.ndarray
    spread: np.ndarray
    tails: np.ndarray
    content: np.ndarray
    cost: np.ndarray
    error: np.ndarray
    square: np.ndarray
    n_draws: int
    n_lost: int

    def first(self, n: int) -> "Observed":
        """Return what the first chains say."""
        return Observed(**{name: value[:n] if np.ndim(value) else value for name, value in vars(self).items()})


def observe(chains: Chains, space: Space) -> Observed:
    """Return what chains say."""
    n_draws = chains.positions.shape[1]
    is_lost = ~np.isfinite(chains.positions).all(axis=(1, 2))
    # A lost chain fails the gate by itself; a position in its place keeps the arithmetic of the others clean.
    u, scaled = space.cdf(np.where(is_lost[:, None, None], 0.0, chains.positions))
    tail = (1 - CONTENT) / 2
    lower, upper = np.quantile(u, [tail, 1 - tail], axis=1)
    location = u.mean(axis=1)
    cost = float(n_draws) if chains.cost is None else chains.cost
    return Observed(
        location=location,
        spread=((2 * u - 1) ** 2).mean(axis=1),
        tails=((u < OUTSIDE / 2) | (u > 1 - OUTSIDE / 2)).mean(axis=1),
        content=upper - lower,
        cost=12 * ((location - 0.5) ** 2).mean(axis=1) * cost,
        error=scaled.mean(axis=1),
        square=(scaled**2).mean(axis=1),
        n_draws=n_draws,
        n_lost=int(is_lost.sum()),
    )


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What is asked of a sampler on one posterior.

    Args:
        quantities: of the posterior.
        tolerance: error of a mean, and of a spread, that is borne, in posterior sds.
        cost: largest cost of an effective draw, or None where there is no baseline.
    """

    quantities: tuple[Quantity, ...]
    tolerance: float
    cost: float | None

    @property
    def bets(self) -> list[tuple[str, str]]:
        """The check and the quantity of every bet, in the order of the gains."""
        names = [quantity.name for quantity in self.quantities]
        checks = ("error", "error", "calibration", "calibration", "tails", "coverage")
        of_quantities = [(check, name) for check in checks for name in names]
        return of_quantities if self.cost is None else [*of_quantities, ("efficiency", "")]

    def gains(self, observed: Observed) -> np.ndarray:
        """Return the gains of all bets, (chain, bet)."""
        unsure = np.array([quantity.cdf_error for quantity in self.quantities]) + ROUNDING
        off = self.tolerance * PER_SD["error"] + unsure
        # (2 u - 1)^2 moves by at most 4 times what u does.
        wide = self.tolerance * PER_SD["calibration"] + 4 * unsure
        far = ndtri(1 - OUTSIDE / 2)
        shifted = ndtr((np.array([self.tolerance, -self.tolerance]) - far) / (1 + self.tolerance)).sum()
        independent = (observed.n_draws - 1) / (observed.n_draws + 1)  # of the content, for independent draws
        parts = [
            above(observed.location, 0.5 + off),
            below(observed.location, 0.5 - off),
            above(observed.spread, 1 / 3 + wide),
            below(observed.spread, 1 / 3 - wide),
            above(observed.tails, shifted + 2 * unsure),
            below(observed.content, LEAST_CONTENT * independent),
        ]
        if self.cost is not None:
            parts.append(above(observed.cost, self.cost)[:, None])
        return np.concatenate(parts, axis=1)
