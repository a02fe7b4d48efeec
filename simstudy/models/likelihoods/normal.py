"""Normal observations: y_i ~ Normal(theta_j, sigma_j), with sigma shared, one per group, or hierarchical.

Sufficient statistics of a group: its size n_j, mean ybar_j and within sum of squares ss_j. With N the sum of n_j,

    log L = -N/2 log(2 pi) - sum_j n_j log sigma_j - sum_j [ss_j + n_j (ybar_j - theta_j)^2] / (2 sigma_j^2).

The within part is the difference of two large numbers when n is large. Written around the scale s that the within sum
of squares gives, with d = log(sigma / s) and a = ss / s^2, it is -(n d + a expm1(-2 d) / 2) up to the constant kept
in ``constant``: exact to float32 rounding of d even at a million observations.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import ClassVar, Literal

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
from numpyro.handlers import reparam
from numpyro.infer.reparam import LocScaleReparam

from simstudy.models.likelihoods.likelihood import Array, Likelihood, Priors, Statistics, by_group, normal_log_density
from simstudy.models.noise import Noise
from simstudy.types import GroupedData

LOG_2PI = float(np.log(2 * np.pi))
SigmaBy = Literal["shared", "group", "hierarchical"]


@dataclass(frozen=True, kw_only=True)
class Normal(Likelihood):
    """Normal observations with unknown standard deviation.

    Args:
        sigma_by: ``shared``: one sigma; ``group``: independent sigma_j with the same prior; ``hierarchical``:
            log sigma_j ~ Normal(log sigma_median, omega), non-centered.
    """

    kind: ClassVar[str] = "normal"
    scale: ClassVar[str] = "natural"
    sigma_by: SigmaBy = "shared"

    @property
    def parameters(self) -> tuple[str, ...]:
        """``sigma``, and ``omega`` (sd of the log standard deviations) when they share a distribution."""
        return ("sigma", "omega") if self.sigma_by == "hierarchical" else ("sigma",)

    def scale_parameters(self, priors: Priors, shape: tuple[int, ...]) -> dict[str, Array]:
        """Sample sigma: (*lane) when shared, (group, *lane) otherwise."""
        if self.sigma_by == "shared":
            return {"sigma": priors["sigma"].site("sigma", shape[1:])}
        if self.sigma_by == "group":
            return {"sigma": priors["sigma"].site("sigma", shape)}
        sigma_median = priors["sigma"].site("sigma_median", shape[1:])
        omega = priors["omega"].site("omega", shape[1:])
        with reparam(config={"log_sigma": LocScaleReparam(0)}):
            log_sigma = numpyro.sample("log_sigma", dist.Normal(jnp.log(sigma_median), omega).expand(shape))
        return {"sigma": jnp.exp(log_sigma), "sigma_median": sigma_median, "omega": omega}

    def restore(
        self, posterior: Mapping[str, np.ndarray], priors: Priors, shape: tuple[int, ...]
    ) -> dict[str, np.ndarray]:
        """Return sigma, one or by group; under ``hierarchical`` also its median and omega."""
        if self.sigma_by != "hierarchical":
            shape = shape[:-1] if self.sigma_by == "shared" else shape
            return {"sigma": priors["sigma"].draws(posterior.get("sigma"), shape)}
        sigma_median = priors["sigma"].draws(posterior.get("sigma_median"), shape[:-1])
        omega = priors["omega"].draws(posterior.get("omega"), shape[:-1])
        sigma = sigma_median[..., None] * np.exp(omega[..., None] * posterior["log_sigma_decentered"])
        return {"sigma": sigma, "sigma_median": sigma_median, "omega": omega}

    def statistics(self, data: GroupedData) -> dict[str, np.ndarray]:
        """Return n and ybar by group, and the within part: by group, or pooled where sigma is shared."""
        n = data.n_obs.astype(np.float64)
        n_within, ss = (n.sum(), data.y_ss.sum()) if self.sigma_by == "shared" else (n, data.y_ss)
        has_scale = ss > 0
        s2 = np.where(has_scale, ss / np.maximum(n_within, 1), 1.0)
        log_s = 0.5 * np.log(s2)
        constant = -0.5 * np.sum(n) * LOG_2PI - np.sum(n_within * log_s + 0.5 * ss / s2)
        return {"n": n, "y_mean": data.y_mean, "n_within": n_within, "a": ss / s2, "log_s": log_s, "constant": constant}

    def log_likelihood(
        self, theta: Array, scale: Mapping[str, Array], stats: Statistics, *, xp: ModuleType = jnp
    ) -> Array:
        """Return the log likelihood of the module's formula."""
        sigma = scale["sigma"]
        d = xp.log(sigma) - stats["log_s"]
        within = stats["n_within"] * d + 0.5 * stats["a"] * xp.expm1(-2 * d)
        if self.sigma_by != "shared":
            within = within.sum(0)
        standardized = (stats["y_mean"] - theta) / by_group(sigma, theta)
        return stats["constant"] - within - 0.5 * (stats["n"] * standardized**2).sum(0)

    def raw_log_likelihood(self, theta: Array, scale: Mapping[str, Array], raw: Statistics) -> Array:
        """Return the sum of the normal log densities of single observations."""
        sigma = jnp.broadcast_to(by_group(scale["sigma"], theta), theta.shape)
        group_of = raw["group_of"]
        return normal_log_density(raw["y"], _of_group(theta, group_of), _of_group(sigma, group_of)).sum(0)

    def draw(self, key: Array, theta: Array, scale: Mapping[str, Array], known_se: Array) -> Array:
        """Draw y ~ Normal(theta, sigma)."""
        return theta + scale["sigma"] * jax.random.normal(key, theta.shape, theta.dtype)

    def new_observation(self, theta_new: np.ndarray, scale: Mapping[str, np.ndarray], noise: Noise) -> np.ndarray:
        """Draw y ~ Normal(theta_new, sigma).

        Under ``group`` the new group's sigma is one of the observed groups' at random, under ``hierarchical`` it is
        drawn from their distribution.
        """
        sigma = scale["sigma"]
        if self.sigma_by == "hierarchical":
            sigma = scale["sigma_median"] * np.exp(scale["omega"] * noise.normal())
        elif self.sigma_by == "group":
            chosen = (noise.uniform() * len(sigma)).astype(np.int64)
            sigma = np.take_along_axis(sigma, chosen[None], 0)[0]
        return theta_new + sigma * noise.normal()

    def shrinkage_weight(self, tau: Array, mu: Array, scale: Mapping[str, Array], stats: Statistics) -> Array:
        """Return B_j = sigma_j^2 / (sigma_j^2 + n_j tau^2)."""
        n = stats["n"]
        sigma2 = by_group(scale["sigma"], n * tau) ** 2
        return sigma2 / (sigma2 + n * tau**2)


def _of_group(values: Array, group_of: Array) -> Array:
    """Give every observation its group's value: (group, *lane), (observation, *lane) -> (observation, *lane)."""
    return jnp.take_along_axis(values, group_of, axis=0)
