"""Quantities that are normal given the scales: mixtures of normals over the nodes of the grid."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from itertools import pairwise

import numpy as np

from simstudy.samplers.exact.grid import EDGE_SHARE
from simstudy.samplers.exact.marginal import Marginal, NormalMixture
from simstudy.samplers.exact.quantities import Quantities, mean_and_sd

_LEAST_WEIGHT = 1e-13  # lighter nodes have no part in a distribution function
_COMMON = ("tau", "sigma", "mu", "theta_new")  # numbers that are not of a group
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

    def moments(self, name: str, group: int = 0) -> tuple[float, float]:
        """Return mean and sd of a quantity, NaN where they do not exist."""
        if self._compiled is None:
            return super().moments(name, group)
        mean, sd = self._compiled[0][_place(name, group)].tolist()
        return mean, sd

    def _moments(self, name: str, group: int) -> tuple[float, float]:
        mean, sd = mean_and_sd(self.grid, *self._given_scales(name, group))
        return mean + self.center, sd

    def _marginal(self, name: str, group: int) -> Marginal:
        if self._compiled is not None and (found := self._compiled[1][_place(name, group)]) is not None:
            return found
        weights = self._gathered_weights
        counts = weights > _LEAST_WEIGHT
        mean, variance = self._given_scales(name, group)
        kept = weights[counts]
        return NormalMixture(weights=kept / kept.sum(), means=mean[counts] + self.center, sds=np.sqrt(variance[counts]))

    @cached_property
    def _compiled(self) -> tuple[np.ndarray, Sequence[Marginal | None]] | None:
        """Moments (number, 2) and distributions of all numbers, without those of tau and sigma; None without Numba."""
        if find_spec("numba") is None:
            return None
        from simstudy.samplers.compiled.curve_set import CurveMarginal
        from simstudy.samplers.compiled.gaussian import describe

        moments = np.empty((len(_COMMON) + len(self.n), 2))
        curves, starts = describe(
            self.grid.weights,
            self.grid.spacings,
            (np.ascontiguousarray(self.tau[:, 0]), np.ascontiguousarray(self.precision[0] ** -0.5)),
            (np.ascontiguousarray(self.mu_mean), np.ascontiguousarray(self.mu_variance)),
            self.n,
            self.y,
            self.center,
            EDGE_SHARE,
            (_LEAST_WEIGHT, _SMALL_TAU),
            moments,
        )
        each = [curves[start:stop] for start, stop in pairwise(starts.tolist())]
        return moments, [None, None, *(CurveMarginal(curve=curve) if len(curve) else None for curve in each)]

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


def _place(name: str, group: int) -> int:
    """Return the place of a number among those that are not of a group, and all theta."""
    return _COMMON.index(name) if name in _COMMON else len(_COMMON) + group
