"""Quantities that are normal given the scales: mixtures of normals over the nodes of the grid."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from simstudy.samplers.exact.marginal import Marginal, NormalMixture
from simstudy.samplers.exact.quantities import Quantities, mean_and_sd

_LEAST_WEIGHT = 1e-13  # lighter nodes have no part in a distribution function
_SMALL_TAU = 1e-6  # of the variance of mu: tau^2 changes that of an effect by this


@dataclass(frozen=True, kw_only=True)
class GaussianQuantities(Quantities):
    """mu, theta and theta_new of one data set, given (tau, sigma) as in ``gaussian.py``.

    Args:
        tau: (node, 1).
        precision: (1, node) 1 / sigma^2.
        mu_mean: (node, node) mean of mu given the scales, less the center.
        mu_variance: (node, node) its variance.
        n: (group,).
        y: (group,) means of the groups, less the center.
        center: what was subtracted.
    """

    tau: np.ndarray
    precision: np.ndarray
    mu_mean: np.ndarray
    mu_variance: np.ndarray
    n: np.ndarray
    y: np.ndarray
    center: float

    def _moments(self, name: str, group: int) -> tuple[float, float]:
        mean, sd = mean_and_sd(self.grid, *self._given_scales(name, group))
        return mean + self.center, sd

    def _marginal(self, name: str, group: int) -> Marginal:
        weights = self._gathered_weights
        counts = weights > _LEAST_WEIGHT
        mean, variance = self._given_scales(name, group)
        kept = weights[counts]
        return NormalMixture(weights=kept / kept.sum(), means=mean[counts] + self.center, sds=np.sqrt(variance[counts]))

    @cached_property
    def _gathered_weights(self) -> np.ndarray:
        """The weights, those of all tau too small to make a difference put on the largest of them."""
        weights = self.grid.weights.copy()
        n_small = int((self.tau**2 < _SMALL_TAU * self.mu_variance).all(axis=1).sum())
        if n_small > 1:
            weights[n_small - 1] = weights[:n_small].sum(axis=0)
            weights[: n_small - 1] = 0.0
        return weights

    def _given_scales(self, name: str, group: int) -> tuple[np.ndarray, np.ndarray]:
        """Return mean and variance at every node."""
        if name == "mu":
            return self.mu_mean, self.mu_variance
        if name == "theta_new":
            return self.mu_mean, self.mu_variance + self.tau**2
        b = 1 / (1 + self.n[group] * self.precision * self.tau**2)
        y = self.y[group]
        return y + b * (self.mu_mean - y), b * (self.tau**2 + b * self.mu_variance)
