"""Binomial counts under normal effects: given (mu, tau) the groups are independent, one integral each.

    p(k_j | mu, tau) = integral Binomial(k_j | n_j, expit(mu + tau z)) Normal(z | 0, 1) dz.

Groups with the same trials and successes share their integral. Complete pooling, and each group of no pooling, is the
case tau = 0.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from simstudy.samplers.exact.axis import Axis
from simstudy.samplers.exact.binomial_quantities import BinomialQuantities
from simstudy.samplers.exact.counts.compiled import TRIALS, sum_of_log_integrals
from simstudy.samplers.exact.effect import Effect
from simstudy.samplers.exact.grid import Grid
from simstudy.samplers.exact.problem import Problem

_BY_FIT = ("n", "k", "constant", "class_n", "class_k", "class_count")


@dataclass(frozen=True, kw_only=True)
class BinomialProblem(Problem):
    """Posteriors over (mu, tau) of binomial data sets.

    Args:
        axes: mu and tau.
        n: (fit, group) trials.
        k: (fit, group) successes.
        constant: (fit,) sum of the log binomial coefficients.
        class_n: (fit, class) the distinct (n, k): trials; then successes, and the number of groups.
    """

    axes: tuple[Axis, Axis]
    n: np.ndarray
    k: np.ndarray
    constant: np.ndarray
    class_n: np.ndarray
    class_k: np.ndarray
    class_count: np.ndarray

    @property
    def n_fits(self) -> int:
        """Number of data sets."""
        return len(self.n)

    @property
    def has_spread(self) -> bool:
        """Whether effects differ given mu: tau is not held at 0."""
        return not (self.axes[1].is_fixed and self.axes[1].prior.value == 0)

    def take(self, index: np.ndarray) -> Self:
        """Return the problem of some of the data sets."""
        return replace(self, **{name: getattr(self, name)[index] for name in _BY_FIT})

    def log_marginal(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """Return log p(k | mu, tau)."""
        if self.has_spread:
            return self.constant[:, None, None] + sum_of_log_integrals(
                TRIALS, self.class_n, self.class_k, self.class_count, first, second
            )
        total = self.constant[:, None, None]
        for c in range(self.class_n.shape[1]):
            n, k, count = (x[:, c, None, None] for x in (self.class_n, self.class_k, self.class_count))
            total = total + count * (k * first - n * np.logaddexp(first, 0.0))
        return total

    def draw_others(self, first: np.ndarray, second: np.ndarray, stream: np.random.Generator) -> dict[str, np.ndarray]:
        """Draw theta given mu and tau."""
        mu, tau = first[:, None], second[:, None]
        z = np.zeros((len(mu), self.n.shape[1]))
        if self.has_spread:
            z = Effect.of(n=self.n[0], k=self.k[0], mu=mu, tau=tau).draw(stream)
        return {"mu": first, "theta": mu + tau * z, "theta_decentered": z}

    def quantities(self, grid: Grid) -> BinomialQuantities:
        """Return mu, theta and p over the grid."""
        return BinomialQuantities(axes=self.axes, grid=grid, n=self.n[0], k=self.k[0], has_spread=self.has_spread)


def binomial_problem(stats: Mapping[str, np.ndarray], axes: tuple[Axis, Axis]) -> BinomialProblem:
    """Return the problem of data sets from the likelihood's sufficient statistics.

    Args:
        stats: of ``Binomial``; leaves (fit,) or (fit, group).
        axes: mu and tau.
    """
    found = [np.unique(np.stack(fit), axis=1, return_counts=True) for fit in zip(stats["n"], stats["k"], strict=True)]
    most = max(len(count) for _, count in found)
    padded = [np.pad(np.vstack([nk, count]), ((0, 0), (0, most - len(count)))) for nk, count in found]
    class_n, class_k, class_count = np.moveaxis(np.stack(padded), 1, 0)
    return BinomialProblem(
        axes=axes,
        n=stats["n"],
        k=stats["k"],
        constant=stats["constant"],
        class_n=class_n,
        class_k=class_k,
        class_count=class_count,
    )
