"""Normal estimates with known standard errors, the likelihood of meta-analysis: y_j ~ Normal(theta_j, se_j).

One estimate per group, so the raw observations are the sufficient statistics.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any, ClassVar

import numpy as np

from simstudy.late import jax, jnp
from simstudy.models.likelihoods.likelihood import ExactForm, Likelihood, Statistics, normal_log_density
from simstudy.models.model import GROUP
from simstudy.models.noise import Noise
from simstudy.models.shapes import Array, Effects, OfLane, Scales
from simstudy.models.unit import Unit, unit_of_estimates
from simstudy.types import GroupedData

LOG_2PI = float(np.log(2 * np.pi))


@dataclass(frozen=True, kw_only=True)
class NormalKnownSE(Likelihood):
    """One estimate per group with its standard error taken as known."""

    kind: ClassVar[str] = "normal_known_se"
    scale: ClassVar[str] = "natural"
    formula: ClassVar[str] = "one estimate per group with a known standard error, y_j ~ Normal(θ_j, se_j)"
    needs_standard_errors: ClassVar[bool] = True
    has_normal_means: ClassVar[bool] = True
    has_unit: ClassVar[bool] = True
    unit_words: ClassVar[str] = (
        "m is the mean of the estimates, s² their variance plus the median squared standard error"
    )

    @property
    def words(self) -> str:
        """Estimates."""
        return "normal, standard errors known"

    @property
    def exact_form(self) -> ExactForm:
        """Effects are integrated in closed form."""
        return "normal"

    def group_estimates(self, data: GroupedData) -> tuple[np.ndarray, np.ndarray]:
        """Return the estimates and their squared standard errors."""
        return data.y_mean, _standard_errors(data) ** 2

    def unit_of(self, data: GroupedData) -> Unit:
        """Return m, the mean of the estimates, and s; s^2 is their variance plus the median squared standard error."""
        return unit_of_estimates(data.y_mean, float(np.median(_standard_errors(data) ** 2)))

    @property
    def statistic_axes(self) -> Mapping[str, tuple[str, ...]]:
        """Estimate and precision of each group."""
        return {"y_mean": (GROUP,), "n": (GROUP,), "constant": ()}

    def statistics(self, data: GroupedData) -> dict[str, np.ndarray]:
        """Return the estimates, their precisions 1 / se^2 and the constant of the density."""
        precision = _standard_errors(data) ** -2.0
        constant = -0.5 * data.n_groups * LOG_2PI + 0.5 * np.log(precision).sum()
        return {"y_mean": data.y_mean, "n": precision, "constant": np.asarray(constant)}

    def log_likelihood(
        self, theta: Effects, scale: Mapping[str, Scales], stats: Statistics, *, xp: ModuleType = jnp
    ) -> OfLane:
        """Return the sum of the normal log densities of the estimates."""
        return stats["constant"] - 0.5 * (stats["n"] * (stats["y_mean"] - theta) ** 2).sum(0)

    def raw(self, data: GroupedData) -> dict[str, np.ndarray]:
        """Return the estimates and their standard errors."""
        return {"y": data.y_mean, "known_se": _standard_errors(data)}

    def raw_log_likelihood(self, theta: Effects, scale: Mapping[str, Scales], raw: Statistics) -> OfLane:
        """Return the sum of the normal log densities of the estimates."""
        return normal_log_density(raw["y"], theta, raw["known_se"]).sum(0)

    def draw(self, key: jax.Array, theta: Array, scale: Mapping[str, Array], known_se: Any) -> jax.Array:
        """Draw y ~ Normal(theta, se)."""
        return jnp.asarray(theta) + known_se * jax.random.normal(key, theta.shape, theta.dtype)

    def new_observation(self, theta_new: np.ndarray, scale: Mapping[str, np.ndarray], noise: Noise) -> np.ndarray:
        """Return theta_new itself, the limit of an exact estimate: a new group's standard error is not known."""
        return theta_new

    def shrinkage_weight(self, tau: OfLane, mu: OfLane, scale: Mapping[str, Scales], stats: Statistics) -> Effects:
        """Return B_j = se_j^2 / (se_j^2 + tau^2)."""
        return 1 / (1 + stats["n"] * tau**2)


def _standard_errors(data: GroupedData) -> np.ndarray:
    if data.known_se is None:
        raise ValueError("the likelihood normal_known_se needs data with standard errors")
    return data.known_se
