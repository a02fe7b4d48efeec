"""Normal estimates with known standard errors, the likelihood of meta-analysis: y_j ~ Normal(theta_j, se_j).

One estimate per group, so the raw observations are the sufficient statistics.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from simstudy.models.likelihoods.likelihood import Array, Likelihood, Priors, Statistics, normal_log_density
from simstudy.models.noise import Noise
from simstudy.types import GroupedData

LOG_2PI = float(np.log(2 * np.pi))


@dataclass(frozen=True, kw_only=True)
class NormalKnownSE(Likelihood):
    """One estimate per group with its standard error taken as known."""

    kind: ClassVar[str] = "normal_known_se"
    scale: ClassVar[str] = "natural"

    @property
    def parameters(self) -> tuple[str, ...]:
        """No scale parameter is estimated."""
        return ()

    def scale_parameters(self, priors: Priors, shape: tuple[int, ...]) -> dict[str, Array]:
        """Return no parameters."""
        return {}

    def restore(
        self, posterior: Mapping[str, np.ndarray], priors: Priors, shape: tuple[int, ...]
    ) -> dict[str, np.ndarray]:
        """Return no parameters."""
        return {}

    def statistics(self, data: GroupedData) -> dict[str, np.ndarray]:
        """Return the estimates, their precisions 1 / se^2 and the constant of the density."""
        if data.known_se is None:
            raise ValueError("the likelihood normal_known_se needs data with standard errors")
        precision = data.known_se**-2.0
        constant = -0.5 * data.n_groups * LOG_2PI + 0.5 * np.log(precision).sum()
        return {"y_mean": data.y_mean, "n": precision, "constant": np.asarray(constant)}

    def log_likelihood(
        self, theta: Array, scale: Mapping[str, Array], stats: Statistics, *, xp: ModuleType = jnp
    ) -> Array:
        """Return the sum of the normal log densities of the estimates."""
        return stats["constant"] - 0.5 * (stats["n"] * (stats["y_mean"] - theta) ** 2).sum(0)

    def raw(self, data: GroupedData) -> dict[str, np.ndarray]:
        """Return the estimates and their standard errors."""
        if data.known_se is None:
            raise ValueError("the likelihood normal_known_se needs data with standard errors")
        return {"y": data.y_mean, "known_se": data.known_se}

    def raw_log_likelihood(self, theta: Array, scale: Mapping[str, Array], raw: Statistics) -> Array:
        """Return the sum of the normal log densities of the estimates."""
        return normal_log_density(raw["y"], theta, raw["known_se"]).sum(0)

    def draw(self, key: Array, theta: Array, scale: Mapping[str, Array], known_se: Array) -> Array:
        """Draw y ~ Normal(theta, se)."""
        return theta + known_se * jax.random.normal(key, theta.shape, theta.dtype)

    def new_observation(self, theta_new: np.ndarray, scale: Mapping[str, np.ndarray], noise: Noise) -> np.ndarray:
        """Return theta_new itself, the limit of an exact estimate: a new group's standard error is not known."""
        return theta_new

    def shrinkage_weight(self, tau: Array, mu: Array, scale: Mapping[str, Array], stats: Statistics) -> Array:
        """Return B_j = se_j^2 / (se_j^2 + tau^2)."""
        return 1 / (1 + stats["n"] * tau**2)
