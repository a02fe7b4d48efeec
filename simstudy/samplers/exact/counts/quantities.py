"""What the nodes of a posterior say of every quantity: mean, sd, their error, and the whole distribution."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import expit, logit

from simstudy.samplers.exact.counts.data import CountData
from simstudy.samplers.exact.counts.effects import NARROW, density, location_density
from simstudy.samplers.exact.counts.joint import as_element, group_moments
from simstudy.samplers.exact.counts.lattice import Lattice
from simstudy.samplers.exact.effect import TRIALS
from simstudy.samplers.exact.marginal import Marginal, PointMarginal, SincMixture, Transformed

LEAST_WEIGHT = 1e-10
"""Lighter nodes have no part in moments of effects."""
END_SHARE = 1e-5
"""A moment that has more than this share at an end of the range of tau or phi does not exist."""
LIGHT, LIGHT_SHARE = 1e-7, 1e-3
"""Nor one of which pairs lighter than the first, against the heaviest, have more than this share."""
POINTS, REACH = 128, 10.0
"""Points of a density, and sds on either side of the mean."""


@dataclass(frozen=True, kw_only=True)
class Moments:
    """Mean and sd of a quantity, and by how much they differ, in sds, where a spacing is doubled."""

    mean: float
    sd: float
    error: float


@dataclass(frozen=True, kw_only=True)
class CountQuantities:
    """The quantities of one posterior.

    Args:
        data: the data set.
        lattice: its posterior.
    """

    data: CountData
    lattice: Lattice

    @cached_property
    def mu(self) -> Moments:
        """Moments of the mean of the effects."""
        return self._moments(self.lattice.mu)

    def of_axis(self, a: int) -> Moments:
        """Return the moments of tau (0) or phi (1)."""
        values = (self.lattice.tau, self.lattice.phi)[a]
        if self.data.axes[a].is_fixed:
            return Moments(mean=float(values[0]), sd=0.0, error=0.0)
        return self._moments(np.broadcast_to(values[:, None], self.lattice.weights.shape))

    @cached_property
    def effects(self) -> tuple[list[Moments], list[Moments]]:
        """Moments of every class's theta, and of the mean of its observations."""
        lattice, data = self.lattice, self.data
        counts = lattice.weights > LEAST_WEIGHT
        mu = lattice.mu[counts]
        tau, phi = (np.broadcast_to(x[:, None], counts.shape)[counts] for x in (lattice.tau, lattice.phi))
        theta, mean = [], []
        for of_class in zip(*data.classes, strict=True):
            out = np.empty((4, len(mu)))
            n, k, size, log_each = map(float, of_class)
            group_moments(data.family, n, k, size, log_each, mu, tau, phi, out)
            full = np.zeros((4, *counts.shape))
            full[:, counts] = out
            theta.append(self._moments(full[0], full[1]))
            mean.append(self._moments(full[2], full[3]))
        return theta, mean

    @property
    def error(self) -> float:
        """The largest error of a moment that exists."""
        each = [self.mu, self.of_axis(0), self.of_axis(1), *self.effects[0], *self.effects[1]]
        return max((one.error for one in each if not np.isnan(one.mean)), default=np.inf)

    def marginal_of_mu(self) -> Marginal:
        """Return the distribution of mu."""
        points, spacing = self._points(self.mu)
        heavy = self._heavy
        out = np.zeros(POINTS)
        location_density(points, self.lattice.peak[heavy], self.lattice.spacing[heavy], self._log_weights[heavy], out)
        return _sinc(points, out, spacing)

    def marginal_of_axis(self, a: int) -> Marginal:
        """Return the distribution of tau (0) or phi (1)."""
        axis, t = self.data.axes[a], self.lattice.coordinates[a]
        if axis.is_fixed:
            return PointMarginal(value=axis.prior.value)
        weights = np.bincount(self.lattice.pair[a], self.lattice.weights.sum(1), minlength=len(t))
        return Transformed(of=_sinc(t, weights, float(t[1] - t[0])), forward=axis.value, backward=axis.coordinate)

    def marginals_of_class(self, c: int) -> tuple[Marginal, Marginal]:
        """Return the distributions of a class's theta, and of the mean of its observations."""
        points, spacing = self._points(self.effects[0][c])
        lattice, heavy = self.lattice, self._heavy
        out = np.zeros(POINTS)
        trials, k, size, log_each = (float(column[c]) for column in self.data.classes)
        log_rest = self._log_weights - lattice.of_class[:, :, c]
        is_wide = lattice.tau >= NARROW * lattice.spacing
        log_rest[is_wide] = np.where(lattice.weights > LEAST_WEIGHT, log_rest, -np.inf)[is_wide]
        for phi in np.unique(lattice.phi):
            some = heavy & (lattice.phi == phi)
            if some.any():
                kind, n, shift = as_element(self.data.family, trials, k, size, log_each, phi)
                rest = (lattice.peak[some], lattice.spacing[some], lattice.tau[some], log_rest[some])
                density(kind, n, k, shift, points, *rest, out)
        theta = _sinc(points, out, spacing)
        if self.data.family == TRIALS:
            return theta, Transformed(of=theta, forward=expit, backward=logit)
        return theta, Transformed(of=theta, forward=np.exp, backward=_log)

    @cached_property
    def _heavy(self) -> np.ndarray:
        """(pair,) bool: pairs that have a part in a density."""
        return self.lattice.weights.sum(1) > LEAST_WEIGHT

    @cached_property
    def _ends(self) -> list[np.ndarray]:
        """(pair,) bool of each end of the ranges: the pairs there."""
        places = [self.lattice.pair[a] for a, axis in enumerate(self.data.axes) if not axis.is_fixed]
        return [at == end for at in places for end in (at.min(), at.max())]

    @cached_property
    def _light(self) -> np.ndarray:
        """(pair,) bool: pairs of little weight."""
        each = self.lattice.weights.sum(1)
        return np.asarray(each < LIGHT * each.max())

    @property
    def _log_weights(self) -> np.ndarray:
        return self.lattice.log_weights

    def _points(self, of: Moments) -> tuple[np.ndarray, float]:
        points, spacing = np.linspace(of.mean - REACH * of.sd, of.mean + REACH * of.sd, POINTS, retstep=True)
        return points, float(spacing)

    def _moments(self, value: np.ndarray, variance: np.ndarray | float = 0.0) -> Moments:
        """Return moments of a quantity from its mean and variance at the nodes."""
        lattice = self.lattice
        squares = lattice.weights * (value**2 + variance)
        total = squares.sum()
        at_ends = any(squares[end].sum() > END_SHARE * total for end in self._ends)
        if not np.isfinite(total) or at_ends or squares[self._light].sum() > LIGHT_SHARE * total:
            return Moments(mean=np.nan, sd=np.nan, error=np.nan)
        mean, sd = _mean_and_sd(lattice.weights, value, variance)
        error = 0.0
        for _, weights in lattice.halves:
            other, spread = _mean_and_sd(weights / weights.sum(), value, variance)
            error = max(error, abs(other - mean) / sd, abs(spread / sd - 1))
        return Moments(mean=mean, sd=sd, error=error)


def _mean_and_sd(weights: np.ndarray, value: np.ndarray, variance: np.ndarray | float) -> tuple[float, float]:
    mean = float((weights * value).sum())
    return mean, float(np.sqrt((weights * (variance + (value - mean) ** 2)).sum()))


def _sinc(points: np.ndarray, weights: np.ndarray, spacing: float) -> SincMixture:
    return SincMixture(weights=weights / weights.sum(), locations=points, widths=np.full(len(points), spacing))


def _log(x: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore"):
        return np.log(np.maximum(x, 0.0))
