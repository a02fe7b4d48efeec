"""A parameter that a quadrature runs over: its coordinate on the whole line, and its prior there.

A positive parameter is integrated over its logarithm, where the densities of scale parameters are smooth and fall off
on both sides, so that the trapezoid rule converges exponentially. A parameter held constant has a single node.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, log_expit, logit

from simstudy.late import jax
from simstudy.models.priors import Prior
from simstudy.samplers.precision import use_precision

LIMIT = 100.0
"""Largest absolute coordinate: the square of exp(100), and its inverse, are far from overflow."""

_SMALLEST_BATCH = 1024  # arrays are padded to powers of two from here on, so that few programs are compiled


_LOG_2 = math.log(2)
_CLOSED: dict[str, Callable[..., np.ndarray]] = {
    "Normal": lambda x, loc, scale: -0.5 * ((x - loc) / scale) ** 2 - math.log(math.sqrt(2 * math.pi) * scale),
    "HalfNormal": lambda x, scale: -0.5 * (x / scale) ** 2 - math.log(math.sqrt(2 * math.pi) * scale) + _LOG_2,
    "HalfCauchy": lambda x, scale: -math.log(math.pi) - math.log(scale) - np.log1p((x / scale) ** 2) + _LOG_2,
    "Exponential": lambda x, rate: math.log(rate) - rate * x,
}
"""Log densities of the commonest priors in their range, which a call of JAX would take ten times as long for."""


@dataclass(frozen=True, kw_only=True)
class Axis:
    """One parameter of a quadrature.

    Args:
        name: the parameter.
        prior: its prior, or the constant that holds it.

    >>> from simstudy.models.estimands import TAU
    >>> from simstudy.models.priors import parse_prior
    >>> axis = Axis(name="tau", prior=parse_prior("HalfNormal(5)", TAU))
    >>> axis.value(np.array([0.0])), axis.coordinate(np.array([1.0]))
    (array([1.]), array([0.]))
    """

    name: str
    prior: Prior

    @property
    def is_fixed(self) -> bool:
        """Whether the parameter is held constant."""
        return self.prior.is_constant

    @property
    def bounds(self) -> tuple[float, float]:
        """Range of a parameter that is not held constant."""
        return support(self.prior)

    def value(self, u: np.ndarray) -> np.ndarray:
        """Return the parameter at a coordinate."""
        if self.is_fixed:
            return np.full_like(u, self.prior.value)
        lower, upper = support(self.prior)
        if np.isinf(lower):
            return u
        return lower + (np.exp(u) if np.isinf(upper) else (upper - lower) * expit(u))

    def coordinate(self, x: np.ndarray) -> np.ndarray:
        """Return the coordinate of a value of the parameter; -inf and inf outside its range."""
        lower, upper = support(self.prior)
        if np.isinf(lower):
            return x
        with np.errstate(divide="ignore"):
            if np.isinf(upper):
                return np.log(np.maximum(x - lower, 0.0))
            return logit(np.clip((x - lower) / (upper - lower), 0.0, 1.0))

    def log_prior(self, u: np.ndarray) -> np.ndarray:
        """Return the log prior density of the coordinate, Jacobian included; 0 for a constant."""
        if self.is_fixed:
            return np.zeros_like(u)
        lower, upper = support(self.prior)
        density = log_density(self.prior, self.value(u))
        if np.isinf(lower):
            return density
        return density + (u if np.isinf(upper) else np.log(upper - lower) + log_expit(u) + log_expit(-u))


@functools.cache
def support(prior: Prior) -> tuple[float, float]:
    """Return the ends of a prior's range."""
    with use_precision("float64"):
        support = prior.distribution().support
        return float(getattr(support, "lower_bound", -np.inf)), float(getattr(support, "upper_bound", np.inf))


def location_and_scale(prior: Prior) -> tuple[float, float]:
    """Return mean and sd of a Normal prior; a constant has sd 0."""
    if prior.is_constant:
        return prior.value, 0.0
    with use_precision("float64"):
        distribution = prior.distribution()
        return float(distribution.loc), float(distribution.scale)


def log_density(prior: Prior, x: np.ndarray) -> np.ndarray:
    """Return the log density of a prior, -inf where it has none."""
    if prior.name in _CLOSED and not prior.kwargs:
        with np.errstate(over="ignore"):
            return _CLOSED[prior.name](x, *prior.args)
    size = max(_SMALLEST_BATCH, 1 << (x.size - 1).bit_length())
    padded = np.full(size, x.flat[0])
    padded[: x.size] = x.ravel()
    with use_precision("float64"):
        density = np.asarray(_compiled(prior)(padded))[: x.size].reshape(x.shape)
    return np.where(np.isnan(density), -np.inf, density)


@functools.cache
def _compiled(prior: Prior) -> Callable[[np.ndarray], jax.Array]:
    return jax.jit(lambda x: prior.distribution().log_prob(x))
