"""Many curves together, and the curve of a marginal."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from simstudy.samplers.compiled.curves import WIDTH, curve_of_nodes, curve_of_normals
from simstudy.samplers.compiled.reading import below_of, quantiles_of, scores_of, shortest_of
from simstudy.samplers.exact.marginal import Marginal, NormalMixture, SincMixture, Transformed

UNBOUNDED = (-np.inf, np.inf)
NO_CURVE = np.empty((0, WIDTH))


@dataclass(frozen=True, kw_only=True)
class CurveSet:
    """Curves of distribution functions.

    Args:
        panels: (panel, 12) of all curves, one after another.
        starts: (curve + 1,) where their panels begin; a distribution without a curve has none, and NaN for an answer.
        bounds: (curve, 2) range of the numbers, as ``Transformed`` has it.
    """

    panels: np.ndarray
    starts: np.ndarray
    bounds: np.ndarray

    @classmethod
    def of(cls, marginals: Sequence[Marginal]) -> Self:
        """Return the curves of marginals."""
        curves, bounds = zip(*map(curve_and_bounds, marginals), strict=True)
        return cls.joined(curves, np.array(bounds, float))

    @classmethod
    def joined(cls, curves: Sequence[np.ndarray], bounds: np.ndarray) -> Self:
        """Return curves, each (panel, 12), together."""
        starts = np.cumsum([0, *map(len, curves)])
        return cls(panels=np.concatenate(curves), starts=starts, bounds=bounds)

    @property
    def exist(self) -> np.ndarray:
        """(curve,) bool, whether a distribution has a curve."""
        return np.diff(self.starts) > 0

    def quantiles(self, probabilities: np.ndarray) -> np.ndarray:
        """Return (curve, probability) quantiles."""
        out = np.full((len(self.bounds), len(probabilities)), np.nan)
        quantiles_of(self.panels, self.starts, self.bounds, probabilities, out)
        return out

    def hdi(self, level: float) -> np.ndarray:
        """Return the (curve, 2) ends of the shortest intervals with a probability."""
        out = np.full((len(self.bounds), 2), np.nan)
        shortest_of(self.panels, self.starts, self.bounds, level, out)
        return out

    def cdf(self, values: np.ndarray) -> np.ndarray:
        """Return the (curve,) probabilities of less than a value each."""
        out = np.full(len(self.bounds), np.nan)
        below_of(self.panels, self.starts, self.bounds, values, out)
        return out

    def crps(self, values: np.ndarray) -> np.ndarray:
        """Return the (curve,) continuous ranked probability scores of a value each."""
        out = np.full(len(self.bounds), np.nan)
        scores_of(self.panels, self.starts, self.bounds, values, out)
        return out


@dataclass(frozen=True, kw_only=True)
class CurveMarginal(Marginal):
    """The distribution of a number whose curve is there already.

    Args:
        curve: (panel, 12), one or more.
        bounds: range of the number, as ``Transformed`` has it.
    """

    curve: np.ndarray
    bounds: tuple[float, float] = UNBOUNDED

    def cdf(self, x: np.ndarray) -> np.ndarray:
        """Return the probability of less than x, (value,)."""
        return self._repeated(len(x)).cdf(x)

    def quantiles(self, probabilities: np.ndarray) -> np.ndarray:
        """Return the quantiles of probabilities in (0, 1)."""
        return self._repeated(1).quantiles(probabilities)[0]

    def hdi(self, level: float) -> np.ndarray:
        """Return the (2,) ends of the shortest interval with a probability."""
        return self._repeated(1).hdi(level)[0]

    def crps(self, x: np.ndarray) -> np.ndarray:
        """Return the continuous ranked probability score of values, (value,)."""
        return self._repeated(len(x)).crps(x)

    def _repeated(self, n: int) -> CurveSet:
        return CurveSet.joined([self.curve] * n, np.array([self.bounds] * n, float))


def curve_and_bounds(marginal: Marginal) -> tuple[np.ndarray, tuple[float, float]]:
    """Return the curve of a marginal, without a panel where it has none, and the range of the number."""
    match marginal:
        case CurveMarginal():
            return marginal.curve, marginal.bounds
        case Transformed(bounds=(lower, upper)):
            curve, of_inner = curve_and_bounds(marginal.of)
            return (curve if of_inner == UNBOUNDED else NO_CURVE), (lower, upper)
        case SincMixture():
            return _curve_of_nodes(marginal), UNBOUNDED
        case NormalMixture() if (marginal.sds > 0).all():
            parts = (np.ascontiguousarray(x) for x in (marginal.weights, marginal.means, marginal.sds))
            return curve_of_normals(*parts), UNBOUNDED
    return NO_CURVE, UNBOUNDED


def _curve_of_nodes(density: SincMixture) -> np.ndarray:
    """Return the curve through nodes that are evenly spaced, as wide as they are apart."""
    steps = np.diff(density.locations)
    if len(steps) < 1 or not np.allclose(steps, density.widths[0], rtol=1e-9) or np.ptp(density.widths) > 0:
        return NO_CURVE
    return curve_of_nodes(np.ascontiguousarray(density.weights), np.ascontiguousarray(density.locations))
