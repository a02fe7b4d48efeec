"""Distribution functions of single quantities, and their inverses.

A parameter that was integrated numerically has its density on evenly spaced nodes. The density is the sum of sinc
functions at the nodes, so the distribution function is a sum of sine integrals, with the exponentially small error of
the trapezoid rule itself (Haber 1993, Two formulas for numerical indefinite integration, Mathematics of Computation
60:279). A quantity that is normal given these parameters is a mixture of normals over the nodes.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri, sici

from simstudy.samplers.exact.distribution import ranked_probability_score, shortest_interval

_MOST_STEPS = 200  # of bisection, which halves a bracket; Newton's method, where it holds, needs five
_EXACT = 1e-11  # difference from the probability asked for

Function = Callable[[np.ndarray], np.ndarray]


class Marginal(ABC):
    """The posterior distribution of one number."""

    @abstractmethod
    def cdf(self, x: np.ndarray) -> np.ndarray:
        """Return the probability of less than x, (value,)."""

    @abstractmethod
    def quantiles(self, probabilities: np.ndarray) -> np.ndarray:
        """Return the quantiles of probabilities in (0, 1), by inverting the distribution function."""

    def hdi(self, level: float) -> np.ndarray:
        """Return the (2,) ends of the shortest interval with a probability."""
        return shortest_interval(self.quantiles, level)

    def crps(self, x: np.ndarray) -> np.ndarray:
        """Return the continuous ranked probability score of values, (value,)."""
        return ranked_probability_score(self.cdf, self.quantiles, x)


@dataclass(frozen=True, kw_only=True)
class PointMarginal(Marginal):
    """A constant."""

    value: float

    def cdf(self, x: np.ndarray) -> np.ndarray:
        """Return 0 below the constant, 1/2 at it and 1 above."""
        return np.heaviside(x - self.value, 0.5)

    def quantiles(self, probabilities: np.ndarray) -> np.ndarray:
        """Return the constant."""
        return np.full_like(probabilities, self.value)

    def hdi(self, level: float) -> np.ndarray:
        """Return the constant twice."""
        return np.full(2, self.value)

    def crps(self, x: np.ndarray) -> np.ndarray:
        """Return the distance from the constant."""
        return np.abs(x - self.value)


@dataclass(frozen=True, kw_only=True)
class Transformed(Marginal):
    """An increasing function of a quantity.

    Args:
        of: the quantity.
        forward: the function.
        backward: its inverse, -inf and inf outside its range.
        bounds: range of the function, if it is the identity (-inf, inf), begins at a as a + exp (a, inf), or is
            a + (b - a) expit (a, b): then it has a curve.
    """

    of: Marginal
    forward: Function
    backward: Function
    bounds: tuple[float, float] | None = None

    def cdf(self, x: np.ndarray) -> np.ndarray:
        """Return the probability of less than x."""
        return self.of.cdf(self.backward(x))

    def quantiles(self, probabilities: np.ndarray) -> np.ndarray:
        """Return the quantiles."""
        return self.forward(self.of.quantiles(probabilities))


@dataclass(frozen=True, kw_only=True)
class SincMixture(Marginal):
    """A density given on nodes, by sinc interpolation.

    Args:
        weights: (node,) that sum to 1.
        locations: (node,) two or more.
        widths: (node,) distance between neighboring nodes.
    """

    weights: np.ndarray
    locations: np.ndarray
    widths: np.ndarray

    def cdf(self, x: np.ndarray) -> np.ndarray:
        """Return the probability of less than x."""
        return np.clip((0.5 + sici(np.pi * self._steps(x))[0] / np.pi) @ self.weights, 0.0, 1.0)

    def quantiles(self, probabilities: np.ndarray) -> np.ndarray:
        """Return the quantiles: they lie among the nodes."""
        order = np.argsort(self.locations)
        start = np.interp(probabilities, np.cumsum(self.weights[order]), self.locations[order])
        lower, upper = (np.full_like(probabilities, self.locations[end]) for end in order[[0, -1]])
        return _invert(self.cdf, self._density, probabilities, start=start, lower=lower, upper=upper)

    def _density(self, x: np.ndarray) -> np.ndarray:
        return np.sinc(self._steps(x)) @ (self.weights / self.widths)

    def _steps(self, x: np.ndarray) -> np.ndarray:
        return (x[:, None] - self.locations) / self.widths


@dataclass(frozen=True, kw_only=True)
class NormalMixture(Marginal):
    """A mixture of normal distributions.

    Args:
        weights: (component,) that sum to 1.
        means: (component,).
        sds: (component,); 0 makes a component a constant.
    """

    weights: np.ndarray
    means: np.ndarray
    sds: np.ndarray

    def cdf(self, x: np.ndarray) -> np.ndarray:
        """Return the probability of less than x."""
        return np.clip(ndtr(self._standardized(x)) @ self.weights, 0.0, 1.0)

    def quantiles(self, probabilities: np.ndarray) -> np.ndarray:
        """Return the quantiles: each lies between the least and the largest of the components'."""
        each = self.means + self.sds * ndtri(probabilities)[:, None]
        return _invert(
            self.cdf, self._density, probabilities, start=each @ self.weights, lower=each.min(1), upper=each.max(1)
        )

    def _density(self, x: np.ndarray) -> np.ndarray:
        heights = np.divide(self.weights, self.sds, out=np.zeros_like(self.weights), where=self.sds > 0)
        return np.exp(-0.5 * self._standardized(x) ** 2) @ heights / np.sqrt(2 * np.pi)

    def _standardized(self, x: np.ndarray) -> np.ndarray:
        distance = x[:, None] - self.means
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            return np.where(distance == 0, 0.0, distance / self.sds)


def _invert(
    cdf: Function, density: Function, p: np.ndarray, *, start: np.ndarray, lower: np.ndarray, upper: np.ndarray
) -> np.ndarray:
    """Return x with cdf(x) = p, between lower and upper, by Newton's method inside a bracket that bisection narrows."""
    x, lower, upper = np.clip(start, lower, upper), lower.copy(), upper.copy()
    for _ in range(_MOST_STEPS):
        error = cdf(x) - p
        lower, upper = np.where(error < 0, x, lower), np.where(error > 0, x, upper)
        if ((np.abs(error) < _EXACT) | (upper <= np.nextafter(lower, np.inf))).all():
            break
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            newton = x - error / density(x)
        is_inside = (newton > lower) & (newton < upper)
        x = np.where(error == 0, x, np.where(is_inside, newton, lower + (upper - lower) / 2))
    return x
