"""Observations with heavy tails: y_i = theta_j + sigma t_nu.

There are no sufficient statistics: a program has all observations, (group, slot), where slots beyond a group's size are
empty. With r = (y - theta) / sigma,

    log p = lgamma((nu + 1) / 2) - lgamma(nu / 2) - log(pi nu) / 2 - log sigma - (nu + 1) / 2 log1p(r^2 / nu),

whose first three terms are ``log_gamma_ratio``: in single precision their difference would be lost for large nu.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any, ClassVar

import numpy as np

from simstudy.late import jax, jnp
from simstudy.models.estimands import SIGMA, Parameter
from simstudy.models.likelihoods.likelihood import Likelihood, Statistics, variance_within
from simstudy.models.model import GROUP
from simstudy.models.noise import Noise
from simstudy.models.shapes import Array, Effects, OfLane, Scales
from simstudy.models.unit import Unit, unit_of_estimates
from simstudy.types import GroupedData

NU = Parameter(
    name="nu",
    symbol="ν",
    words="the degrees of freedom ν",
    lower=0.0,
    support="positive",
    default="Gamma(2, 0.1)",
    value=4.0,
    moves="none",
)
SLOT = "slot"
SHIFT = 8
"""Steps of the gamma function's recursion before Stirling's series."""


@dataclass(frozen=True, kw_only=True)
class StudentT(Likelihood):
    """Student-t observations with unknown scale and degrees of freedom."""

    kind: ClassVar[str] = "student_t"
    scale: ClassVar[str] = "natural"
    formula: ClassVar[str] = "observations with heavy tails, y_i ~ Student-t(ν, θ_j, σ)"
    every_parameter: ClassVar[tuple[Parameter, ...]] = (SIGMA, NU)
    fits_data_of: ClassVar[tuple[str, ...]] = ("normal",)
    unit_words: ClassVar[str] = (
        "m is the mean of the groups’ means, s² their variance plus the pooled variance within groups"
    )

    @property
    def words(self) -> str:
        """Heavy tails."""
        return "Student-t observations"

    def group_estimates(self, data: GroupedData) -> tuple[np.ndarray, np.ndarray]:
        """Return the groups' means, and the pooled variance within groups over their sizes."""
        return data.y_mean, variance_within(data) / np.maximum(data.n_obs, 1)

    def unit_of(self, data: GroupedData) -> Unit:
        """Return center and spread as of normal observations."""
        return unit_of_estimates(data.y_mean, variance_within(data))

    def latent_variance(self, scale: Mapping[str, Scales]) -> Scales:
        """Return sigma^2 nu / (nu - 2), infinite for nu of 2 and less."""
        nu = np.asarray(scale["nu"])
        with np.errstate(divide="ignore"):
            return np.where(nu > 2, np.asarray(scale["sigma"]) ** 2 * nu / np.where(nu > 2, nu - 2, 1.0), np.inf)

    def known_shape(self, sizes: Sequence[int] | np.ndarray) -> tuple[int, ...]:
        """Return the number of slots, that of the largest group."""
        return (int(max(sizes)),)

    @property
    def statistic_axes(self) -> Mapping[str, tuple[str, ...]]:
        """All observations."""
        return {"n": (GROUP,), "y": (GROUP, SLOT), "is_seen": (GROUP, SLOT)}

    def statistics(self, data: GroupedData) -> dict[str, np.ndarray]:
        """Return the observations of each group, zeros behind the last, and 1 where there is one."""
        if data.y is None:
            raise ValueError("the likelihood student_t needs single observations, but the data hold summaries only")
        n = data.n_obs
        slot = np.arange(len(data.y)) - np.repeat(np.cumsum(n) - n, n)
        y, is_seen = np.zeros((2, len(n), int(n.max())))
        y[data.group_of, slot], is_seen[data.group_of, slot] = data.y, 1.0
        return {"n": n.astype(np.float64), "y": y, "is_seen": is_seen}

    def log_likelihood(
        self, theta: Effects, scale: Mapping[str, Scales], stats: Statistics, *, xp: ModuleType = jnp
    ) -> OfLane:
        """Return the log likelihood of the module's formula."""
        nu, sigma = scale["nu"], scale["sigma"]
        residual = (stats["y"] - theta[:, None]) / sigma
        beyond = (stats["is_seen"] * xp.log1p(residual**2 / nu)).sum((0, 1))
        of_each = log_gamma_ratio(nu / 2, xp) - 0.5 * np.log(2 * np.pi) - xp.log(sigma)
        return stats["n"].sum(0) * of_each - (nu + 1) / 2 * beyond

    def raw_log_likelihood(self, theta: Effects, scale: Mapping[str, Scales], raw: Statistics) -> OfLane:
        """Return the sum of the log densities of single observations."""
        mean = jnp.take_along_axis(theta, raw["group_of"], axis=0)
        return jax.scipy.stats.t.logpdf(raw["y"], scale["nu"], mean, scale["sigma"]).sum(0)

    def draw(self, key: jax.Array, theta: Array, scale: Mapping[str, Array], known_se: Any) -> jax.Array:
        """Draw y = theta + sigma t_nu."""
        return jnp.asarray(theta) + scale["sigma"] * jax.random.t(key, scale["nu"], theta.shape, theta.dtype)

    def new_observation(self, theta_new: np.ndarray, scale: Mapping[str, np.ndarray], noise: Noise) -> np.ndarray:
        """Draw y = theta_new + sigma t_nu."""
        nu = scale["nu"]
        root = np.sqrt(np.maximum(noise.gamma(nu / 2), np.finfo(np.float32).tiny) / (nu / 2))
        return theta_new + scale["sigma"] * noise.normal() / root

    def shrinkage_weight(self, tau: OfLane, mu: OfLane, scale: Mapping[str, Scales], stats: Statistics) -> Effects:
        """Return B_j = v / (v + n_j tau^2), v = sigma^2 (nu + 3) / (nu + 1) the inverse information: approximate."""
        v = scale["sigma"] ** 2 * (scale["nu"] + 3) / (scale["nu"] + 1)
        return v / (v + stats["n"] * tau**2)


def log_gamma_ratio(x: Any, xp: ModuleType) -> Any:
    """Return log(Gamma(x + 1/2) / Gamma(x)) - log(x) / 2 for x > 0, without cancellation; 0 in the limit of large x.

    ``SHIFT`` steps of Gamma(x + 1) = x Gamma(x), then Stirling's series of the ratio (Tricomi & Erdelyi 1951).

    >>> bool(abs(log_gamma_ratio(0.5, np) - np.log(2 / np.pi) / 2) < 1e-8)
    True
    """
    z = x + SHIFT
    tail = (-1 / 8 + (1 / 192 - 1 / (640 * z * z)) / (z * z)) / z
    steps = sum(xp.log1p(-0.5 / (x + i + 0.5)) for i in range(SHIFT))
    return tail + steps + 0.5 * xp.log1p(SHIFT / x)
