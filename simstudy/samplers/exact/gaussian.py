"""Normal observations under normal effects, given the scales: everything is Gaussian and integrated in closed form.

With P_j the precision of group j's mean (n_j / sigma^2, or 1 / se_j^2), theta_j ~ Normal(mu, tau) and
mu ~ Normal(m, s) (Gelman et al. 2013, Bayesian Data Analysis, section 5.4):

    ybar_j | mu       has precision  w_j = P_j / (1 + P_j tau^2)
    mu | y            ~ Normal(mu_hat, V),  1 / V = 1 / s^2 + sum w_j,  mu_hat = V (m / s^2 + sum w_j ybar_j)
    theta_j | mu, y   ~ Normal(B_j mu + (1 - B_j) ybar_j, tau^2 B_j),  B_j = 1 / (1 + P_j tau^2).

No pooling is the case s = 0, tau = the prior's sd; complete pooling is tau = 0. Groups of one size (of one P_j / sigma)
share w_j, so that sums run over *classes* of groups with their number, mean and sum of squares.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Self

import numpy as np

from simstudy.samplers.exact.axis import Axis
from simstudy.samplers.exact.gaussian_quantities import GaussianQuantities
from simstudy.samplers.exact.grid import Grid
from simstudy.samplers.exact.problem import Problem

_BY_FIT = ("n", "y", "center", "prior_mean", "within", "class_n", "class_count", "class_mean", "class_ss")


@dataclass(frozen=True, kw_only=True)
class GaussianProblem(Problem):
    """Posteriors over (tau, sigma) of normal data sets.

    Args:
        axes: tau and sigma.
        n: (fit, group) observations, or 1 / se^2 where sigma is 1.
        y: (fit, group) means, less the center.
        center: (fit,) what was subtracted from all means, so that squares lose no digits.
        prior_mean: (fit,) m, less the center.
        prior_sd: s; 0 holds mu at m.
        within: (fit, 4) n_within, a, log_s and constant of the likelihood's statistics.
        class_n: (fit, class) the distinct n; then the number of groups, mean and sum of squares of each class.
    """

    axes: tuple[Axis, Axis]
    n: np.ndarray
    y: np.ndarray
    center: np.ndarray
    prior_mean: np.ndarray
    prior_sd: float
    within: np.ndarray
    class_n: np.ndarray
    class_count: np.ndarray
    class_mean: np.ndarray
    class_ss: np.ndarray

    @property
    def n_fits(self) -> int:
        """Number of data sets."""
        return len(self.n)

    def take(self, index: np.ndarray) -> Self:
        """Return the problem of some of the data sets."""
        return replace(self, **{name: getattr(self, name)[index] for name in _BY_FIT})

    def log_marginal(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """Return log p(y | tau, sigma)."""
        tau, sigma = first, second
        n_within, a, log_s, constant = (column[:, None, None] for column in self.within.T)
        d = np.log(sigma) - log_s
        within = n_within * d + 0.5 * a * np.expm1(-2 * d)
        weights, log_ratio = self._class_weights(tau, sigma)
        mean, variance = self._mu(weights)
        prior_mean = self.prior_mean[:, None, None]
        squares = (mean - prior_mean) ** 2 / self.prior_sd**2 if self.prior_sd > 0 else 0.0
        for c, weight in enumerate(weights):
            count, ybar, ss = (x[:, c, None, None] for x in (self.class_count, self.class_mean, self.class_ss))
            squares = squares + weight * (ss + count * (ybar - mean) ** 2)
        log_spread = 0.5 * np.log(variance / self.prior_sd**2) if self.prior_sd > 0 else 0.0
        return constant - within - 0.5 * log_ratio + log_spread - 0.5 * squares

    def draw_others(self, first: np.ndarray, second: np.ndarray, stream: np.random.Generator) -> dict[str, np.ndarray]:
        """Draw mu given the scales, and theta given mu and the scales."""
        tau, sigma = first[:, None], second[:, None]
        mean, variance = (x[0] for x in self._mu(self._class_weights(tau[None], sigma[None])[0]))
        mu = mean + np.sqrt(variance) * stream.standard_normal(mean.shape)
        precision = self.n[0] / sigma**2
        b = 1 / (1 + precision * tau**2)
        decentered = precision * tau * b * (self.y[0] - mu) + np.sqrt(b) * stream.standard_normal(b.shape)
        center = self.center[0]
        return {"mu": mu[:, 0] + center, "theta": mu + tau * decentered + center, "theta_decentered": decentered}

    def quantities(self, grid: Grid) -> GaussianQuantities:
        """Return mu, theta and a new effect as mixtures of normals over the grid."""
        tau, sigma = (axis.value(u) for axis, u in zip(self.axes, grid.coordinates, strict=True))
        tau, sigma = tau[:, None], sigma[None, :]
        mean, variance = self._mu(self._class_weights(tau[None], sigma[None])[0])
        return GaussianQuantities(
            axes=self.axes,
            grid=grid,
            tau=tau,
            precision=sigma**-2.0,
            mu_mean=mean[0],
            mu_variance=variance[0],
            n=self.n[0],
            y=self.y[0],
            center=float(self.center[0]),
        )

    def _class_weights(self, tau: np.ndarray, sigma: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
        """Return w of each class, and the sum over groups of log(1 + P_j tau^2)."""
        ratio, precision = (tau / sigma) ** 2, sigma**-2.0
        weights, log_ratio = [], np.zeros(())
        for n, count in zip(self.class_n.T[..., None, None], self.class_count.T[..., None, None], strict=True):
            product = n * ratio
            weights.append(n * precision / (1 + product))
            log_ratio = log_ratio + count * np.log1p(product)
        return weights, log_ratio

    def _mu(self, weights: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        prior_mean = self.prior_mean[:, None, None]
        if self.prior_sd == 0:
            return np.broadcast_to(prior_mean, weights[0].shape), np.zeros_like(weights[0])
        total, weighted = self.prior_sd**-2.0, prior_mean * self.prior_sd**-2.0
        for c, weight in enumerate(weights):
            weight = self.class_count[:, c, None, None] * weight
            total, weighted = total + weight, weighted + weight * self.class_mean[:, c, None, None]
        return weighted / total, 1 / total


def gaussian_problem(
    stats: Mapping[str, np.ndarray], axes: tuple[Axis, Axis], *, prior_mean: float, prior_sd: float
) -> GaussianProblem:
    """Return the problem of data sets from the likelihood's sufficient statistics.

    Args:
        stats: of ``Normal`` with a shared sigma, or of ``NormalKnownSE``; leaves (fit,) or (fit, group).
        axes: tau and sigma.
        prior_mean: of mu.
        prior_sd: of mu; 0 holds it at its mean.
    """
    n, mean = stats["n"], stats["y_mean"]
    center = (n * mean).sum(1) / n.sum(1)
    y = mean - center[:, None]
    nothing = np.zeros(len(n))
    within = [stats.get(name, nothing) for name in ("n_within", "a", "log_s", "constant")]
    return GaussianProblem(
        axes=axes,
        n=n,
        y=y,
        center=center,
        prior_mean=prior_mean - center,
        prior_sd=prior_sd,
        within=np.stack(within, axis=1),
        **_classes(n, y),
    )


def _classes(n: np.ndarray, y: np.ndarray) -> dict[str, Any]:
    """Group the groups of each data set by their n; a class that a data set lacks has no groups."""
    found = [_classes_of(*fit) for fit in zip(n, y, strict=True)]
    most = max(len(one) for one in found)
    columns = np.stack([np.pad(one, ((0, most - len(one)), (0, 0))) for one in found])
    names = [f.name for f in fields(GaussianProblem) if f.name.startswith("class_")]
    return dict(zip(names, np.moveaxis(columns, -1, 0), strict=True))


def _classes_of(n: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return (class, 4): n, number of groups, their mean and sum of squared deviations from it."""
    distinct, which = np.unique(n, return_inverse=True)
    count = np.bincount(which)
    mean = np.bincount(which, y) / count
    return np.stack([distinct, count, mean, np.bincount(which, (y - mean[which]) ** 2)], axis=1)
