"""Coordinates in which positive parameters are integrated: double-exponential towards 0, where scales have a density.

log x = t - exp(-t), so that a density that is finite at 0 falls doubly exponentially, and one that falls exponentially
or as a power at infinity falls as it does over log x (Takahasi & Mori 1974). Of a bounded range x is the odds of the
share. The trapezoid rule then needs few nodes.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, lambertw, log_expit, logit

from simstudy.models.priors import Prior
from simstudy.samplers.exact.axis import log_density, support

FIRST, LAST = -3.5, 30.0
"""Range of t: from 1e-16 of the unit, to 1e13."""


@dataclass(frozen=True, kw_only=True)
class PositiveAxis:
    """A positive parameter.

    Args:
        name: the parameter.
        prior: its prior, or the constant that holds it.
    """

    name: str
    prior: Prior

    @property
    def is_fixed(self) -> bool:
        """Whether the parameter is held constant."""
        return self.prior.is_constant

    def value(self, t: np.ndarray) -> np.ndarray:
        """Return the parameter at a coordinate."""
        if self.is_fixed:
            return np.full_like(t, self.prior.value)
        lower, upper = support(self.prior)
        log_x = t - np.exp(-t)
        return lower + (np.exp(log_x) if np.isinf(upper) else (upper - lower) * expit(log_x))

    def coordinate(self, value: np.ndarray) -> np.ndarray:
        """Return the coordinate of a value; ``FIRST`` and ``LAST`` at and beyond the ends of its range."""
        lower, upper = support(self.prior)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            if np.isinf(upper):
                log_x = np.log(np.maximum(value - lower, 0.0))
            else:
                log_x = logit(np.clip((value - lower) / (upper - lower), 0.0, 1.0))
            within = np.clip(log_x, FIRST - np.exp(-FIRST), LAST)
            return within + lambertw(np.exp(-within)).real

    def log_prior(self, t: np.ndarray) -> np.ndarray:
        """Return the log prior density of the coordinate; 0 of a constant."""
        if self.is_fixed:
            return np.zeros_like(t)
        lower, upper = support(self.prior)
        log_x = t - np.exp(-t)
        jacobian = log_x + np.log1p(np.exp(-t))
        if np.isfinite(upper):
            jacobian = np.log(upper - lower) + log_expit(log_x) + log_expit(-log_x) + np.log1p(np.exp(-t))
        return log_density(self.prior, self.value(t)) + jacobian
