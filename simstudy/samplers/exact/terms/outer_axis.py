"""The coordinates around the grid of total and sigma: shares of the scales, correlations, lengths.

A coordinate runs over the whole line, where densities fall off exponentially at both ends. With a hyperbolic sine of
evenly spaced nodes they fall off doubly exponentially, so that few nodes reach either end (Takahasi & Mori 1974, Double
exponential formulas for numerical integration, Publ. RIMS 9:721).
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from simstudy.samplers.exact.axis import LIMIT, Axis

SHARE_STRETCH = 4.0
"""Of the logarithm of the ratio of two variances, whose density falls off as its square root."""
STRETCH = 2.0
_CENTERS = 401
_FARTHEST = 30.0


@dataclass(frozen=True, kw_only=True)
class OuterAxis:
    """One outer coordinate t, evenly spaced.

    Args:
        axis: the parameter that it stands for; None for the ratio of a scale's variance to the last one's.
    """

    axis: Axis | None

    def coordinate(self, t: np.ndarray) -> np.ndarray:
        """Return the coordinate of the parameter, or the logarithm of the ratio."""
        return self._center + self.stretch * np.sinh(t)

    def value(self, t: np.ndarray) -> np.ndarray:
        """Return the parameter, or the logarithm of the ratio."""
        u = self.coordinate(t)
        if self.axis is None:
            return u
        ends = self.axis.value(np.array([-_FARTHEST, _FARTHEST]))  # at an end itself some structures have no effects
        return np.clip(self.axis.value(u), *ends)

    def place(self, u: np.ndarray) -> np.ndarray:
        """Return t of a coordinate of the parameter."""
        return np.arcsinh((u - self._center) / self.stretch)

    def log_density(self, t: np.ndarray) -> np.ndarray:
        """Return the log prior density of t; of a ratio the Jacobian alone, for the scales have priors of their own."""
        log_jacobian = np.log(self.stretch * np.cosh(t))
        if self.axis is None:
            return log_jacobian - np.log(2)  # d log tau_1 d log tau_2 = d log total d log ratio / 2
        return log_jacobian + self.axis.log_prior(self.coordinate(t))

    def slope(self, u: np.ndarray) -> np.ndarray:
        """Return du / dt at coordinates of the parameter."""
        return self.stretch * np.hypot(1.0, (u - self._center) / self.stretch)

    @property
    def stretch(self) -> float:
        """Of the hyperbolic sine."""
        return SHARE_STRETCH if self.axis is None else STRETCH

    @cached_property
    def _center(self) -> float:
        """The most likely coordinate under the prior, where it is not bounded on both sides."""
        if self.axis is None:
            return 0.0
        u = np.linspace(-LIMIT, LIMIT, _CENTERS)
        return float(u[np.argmax(self.axis.log_prior(u))])
