"""Effects and probabilities of binomial groups over the grid of (mu, tau).

Moments are sums over the grid of those given (mu, tau). For distribution functions the density of an effect is

    p(theta_j | k) ~ Binomial(k_j | n_j, expit theta_j) sum_tau integral Normal(theta_j | mu, tau) g_j(mu, tau) dmu,

g_j the posterior without group j's own part. Where tau is wide against the distance of the nodes the inner integral is
a sum over them; where it is narrow, log g_j is quadratic over the reach of tau (Laplace's method; error below 1e-4 of
the density).
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import expit, logit

from simstudy.late import interpolate
from simstudy.samplers.exact.counts.compiled import TRIALS, moments
from simstudy.samplers.exact.effect import Effect
from simstudy.samplers.exact.marginal import Marginal, SincMixture, Transformed
from simstudy.samplers.exact.quantities import Quantities, mean_and_sd

_NARROW = 0.8  # spacings: the trapezoid rule of a normal density of this sd is in error by 7e-6
_LEAST_WEIGHT = 1e-14  # lighter nodes have no part in a moment
_REACH, _NODES = 12.0, 256  # sds on either side, and nodes, of an effect's density


@dataclass(frozen=True, kw_only=True)
class BinomialQuantities(Quantities):
    """theta and p of one data set.

    Args:
        n: (group,) trials.
        k: (group,) successes.
        has_spread: whether effects differ given mu.
    """

    n: np.ndarray
    k: np.ndarray
    has_spread: bool

    def _moments(self, name: str, group: int) -> tuple[float, float]:
        if self.has_spread:
            return mean_and_sd(self.grid, *self._moments_at_nodes[self.n[group], self.k[group]][name])
        return mean_and_sd(self.grid, expit(self._mu) if name == "p" else self._mu)

    def _marginal(self, name: str, group: int) -> Marginal:
        theta = self._theta(group) if self.has_spread else self._of_axis(0)
        return Transformed(of=theta, forward=expit, backward=logit, bounds=(0.0, 1.0)) if name == "p" else theta

    def _theta(self, group: int) -> SincMixture:
        if self.axes[0].is_fixed:
            return self._theta_around_fixed_mu(group)
        mean, sd = self.moments("theta", group)
        theta, spacing = np.linspace(mean - _REACH * sd, mean + _REACH * sd, _NODES, retstep=True)
        log_g = self.grid.log_density - self._effect(group).log_integral
        log_g -= log_g.max()
        is_narrow = self._tau[0] < _NARROW * self.grid.spacings[0]
        density = self._narrow(theta, log_g[:, is_narrow], self._tau[0, is_narrow])
        density += self._wide(theta, log_g[:, ~is_narrow], self._tau[0, ~is_narrow])
        log_likelihood = self.k[group] * theta - self.n[group] * np.logaddexp(theta, 0.0)
        weights = density * np.exp(log_likelihood - log_likelihood.max())
        return SincMixture(weights=weights / weights.sum(), locations=theta, widths=np.full(_NODES, spacing))

    def _wide(self, theta: np.ndarray, log_g: np.ndarray, tau: np.ndarray) -> np.ndarray:
        """Sum the normal densities around the nodes of mu, one tau after the other."""
        density, spacing = np.zeros_like(theta), self.grid.spacings[0]
        for g, spread in zip(np.exp(log_g).T, tau, strict=True):
            scaled = (theta[:, None] - self._mu[:, 0]) / spread
            density += np.exp(-0.5 * scaled**2) @ g * (spacing / (np.sqrt(2 * np.pi) * spread))
        return density

    def _narrow(self, theta: np.ndarray, log_g: np.ndarray, tau: np.ndarray) -> np.ndarray:
        """Integrate exp of the quadratic through log g at theta against Normal(theta, tau)."""
        mu = self._mu[:, 0]
        if not len(tau) or len(mu) < 2:
            return np.zeros_like(theta)
        inside = (theta > mu[0]) & (theta < mu[-1])
        spline = interpolate.CubicSpline(mu, log_g)
        value, slope, curvature = (spline(theta[inside], order) for order in (0, 1, 2))
        shrunk = 1 - curvature * tau**2
        density = np.zeros_like(theta)
        density[inside] = (np.exp(value + 0.5 * (slope * tau) ** 2 / shrunk) / np.sqrt(shrunk)).sum(1)
        return density

    def _theta_around_fixed_mu(self, group: int) -> SincMixture:
        return self._effect(group).mixture(self.grid.weights)

    @cached_property
    def _moments_at_nodes(self) -> dict[tuple[float, float], dict[str, np.ndarray]]:
        """Mean and variance, (2, node, node), of theta and p for every distinct (n, k); 0 at nodes without weight."""
        counts = self.grid.weights > _LEAST_WEIGHT
        mu, tau = (np.broadcast_to(x, counts.shape)[counts] for x in (self._mu, self._tau))
        out: dict[tuple[float, float], dict[str, np.ndarray]] = {}
        for n, k in set(zip(self.n.tolist(), self.k.tolist(), strict=True)):
            found = moments(TRIALS, n, k, mu, tau)
            out[n, k] = {name: np.zeros((2, *counts.shape)) for name in ("theta", "p")}
            out[n, k]["theta"][:, counts], out[n, k]["p"][:, counts] = found[:2], found[2:]
        return out

    def _effect(self, group: int) -> Effect:
        return Effect.of(n=self.n[group], k=self.k[group], mu=self._mu, tau=self._tau)

    @property
    def _mu(self) -> np.ndarray:
        """(node, 1)."""
        return self.axes[0].value(self.grid.coordinates[0])[:, None]

    @property
    def _tau(self) -> np.ndarray:
        """(1, node)."""
        return self.axes[1].value(self.grid.coordinates[1])[None]
