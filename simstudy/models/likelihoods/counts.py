"""What likelihoods of counts share: a log link, exposures, and random counts in JAX and on the host."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.special import gammaln

from simstudy.late import jax, jnp
from simstudy.models.estimands import RATE, Estimand
from simstudy.models.likelihoods.likelihood import Likelihood
from simstudy.models.noise import Noise
from simstudy.models.shapes import Array
from simstudy.models.unit import Unit, unit_of_estimates
from simstudy.types import GroupedData

LARGE = 1e5
"""Mean beyond which a count is drawn as a rounded normal number: JAX's own counts have a wrong variance there."""
LARGEST = 1e15
"""Largest mean of a predicted count; NumPy draws none of a larger one."""


@dataclass(frozen=True, kw_only=True)
class Counts(Likelihood):
    """Counts with an exposure; theta is the log of the group's rate."""

    scale: ClassVar[str] = "link"
    mean: ClassVar[Estimand | None] = RATE
    has_exposure: ClassVar[bool] = True
    unit_words: ClassVar[str] = (
        "m is the mean of the groups’ log rates l = log((S + ½) / E), s² their variance plus the median of 1 / (S + ½)"
    )

    def group_estimates(self, data: GroupedData) -> tuple[np.ndarray, np.ndarray]:
        """Return l_j = log((S_j + 1/2) / E_j) and 1 / (S_j + 1/2); of an empty group, 0 and an infinite variance."""
        total, exposure = totals(data)
        is_seen = exposure > 0
        estimates = np.log((total + 0.5) / np.where(is_seen, exposure, 1.0))
        return np.where(is_seen, estimates, 0.0), np.where(is_seen, 1 / (total + 0.5), np.inf)

    def unit_of(self, data: GroupedData) -> Unit:
        """Return m, the mean of the l_j of ``group_estimates``, and s; s^2 is their variance and the median one."""
        estimates, variances = self.group_estimates(data)
        is_seen = np.isfinite(variances)
        return unit_of_estimates(estimates[is_seen], float(np.median(variances[is_seen])))

    def raw(self, data: GroupedData) -> dict[str, np.ndarray]:
        """Return counts, their groups, and the logs of their exposures."""
        _, exposure = totals(data)
        each = exposure / np.maximum(data.n_obs, 1)
        return {**super().raw(data), "log_exposure": np.log(each[data.group_of])}

    def inverse_link(self, theta: Array) -> Array:
        """Return the rate exp(theta)."""
        with np.errstate(over="ignore"):
            return np.exp(theta)


def drawn_counts(key: jax.Array, log_mean: Array) -> jax.Array:
    """Draw Poisson counts, as floats; beyond a mean of ``LARGE``, normal numbers of their moments, rounded."""
    key_normal, key_count = jax.random.split(key)
    mean = jnp.exp(log_mean)
    normal = jnp.rint(mean + jnp.sqrt(mean) * jax.random.normal(key_normal, mean.shape, mean.dtype))
    counts = jax.random.poisson(key_count, jnp.minimum(mean, LARGE), mean.shape).astype(mean.dtype)
    return jnp.where(mean > LARGE, normal, counts)


def new_counts(log_mean: np.ndarray, noise: Noise) -> np.ndarray:
    """Draw Poisson counts of given log means, (fit, chain, draw); means stop at ``LARGEST``, and NaN stays NaN."""
    mean = np.exp(np.minimum(log_mean.astype(np.float64), np.log(LARGEST)))
    is_known = ~np.isnan(mean)
    return np.where(is_known, noise.poisson(np.where(is_known, mean, 0.0)), np.nan).astype(log_mean.dtype)


def totals(data: GroupedData) -> tuple[np.ndarray, np.ndarray]:
    """Return total count and total exposure of each group; without exposures, an observation has 1."""
    exposure = data.n_obs.astype(np.float64) if data.exposure is None else np.asarray(data.exposure, np.float64)
    return np.rint(data.n_obs * data.y_mean), exposure


def log_factorials(data: GroupedData, total: np.ndarray) -> float:
    """Return the sum of the logs of the counts' factorials; of totals where there is nothing else."""
    return float(gammaln((total if data.y is None else data.y) + 1).sum())
