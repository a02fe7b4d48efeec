"""Successes out of trials with a logit link: k_j ~ Binomial(n_j, p_j), logit p_j = theta_j.

Sufficient statistics are n_j and k_j: log L = constant + sum_j [k_j theta_j - n_j log(1 + exp theta_j)]. A raw
observation is one trial, 0 or 1; its likelihood lacks the binomial coefficient.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from scipy.special import expit, gammaln

from simstudy.models.estimands import Estimand, P
from simstudy.models.likelihoods.likelihood import ExactForm, Likelihood, Statistics
from simstudy.models.model import GROUP
from simstudy.models.noise import Noise
from simstudy.models.shapes import Array, Effects, OfLane, Scales
from simstudy.models.unit import Unit, unit_of_estimates
from simstudy.types import GroupedData


@dataclass(frozen=True, kw_only=True)
class Binomial(Likelihood):
    """Counts of successes; theta is the logit of the group's probability."""

    kind: ClassVar[str] = "binomial"
    scale: ClassVar[str] = "link"
    formula: ClassVar[str] = "binomial counts, successes_j ~ Binomial(n_j, expit(θ_j))"
    mean: ClassVar[Estimand | None] = P
    unit_words: ClassVar[str] = (
        "m is the mean of the groups’ logits l = log((k + ½) / (n − k + ½)), s² their variance plus the median of "
        "1 / (k + ½) + 1 / (n − k + ½)"
    )

    @property
    def words(self) -> str:
        """Counts."""
        return "binomial counts"

    @property
    def exact_form(self) -> ExactForm:
        """Effects are integrated one by one."""
        return "binomial"

    def group_estimates(self, data: GroupedData) -> tuple[np.ndarray, np.ndarray]:
        """Return l_j = logit((k_j + 1/2) / (n_j + 1)) and 1 / (k_j + 1/2) + 1 / (n_j - k_j + 1/2) (Haldane 1956)."""
        k, n = np.rint(data.n_obs * data.y_mean), data.n_obs.astype(float)
        return np.log(k + 0.5) - np.log(n - k + 0.5), 1 / (k + 0.5) + 1 / (n - k + 0.5)

    def unit_of(self, data: GroupedData) -> Unit:
        """Return m, the mean of the l_j of ``group_estimates``, and s; s^2 is their variance plus the median one."""
        estimates, variances = self.group_estimates(data)
        return unit_of_estimates(estimates, float(np.median(variances)))

    @property
    def statistic_axes(self) -> Mapping[str, tuple[str, ...]]:
        """Trials and successes of each group."""
        return {"n": (GROUP,), "k": (GROUP,), "constant": ()}

    def statistics(self, data: GroupedData) -> dict[str, np.ndarray]:
        """Return trials n, successes k and the sum of the log binomial coefficients."""
        n, k = data.n_obs.astype(np.float64), np.rint(data.n_obs * data.y_mean)
        constant = (gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)).sum()
        return {"n": n, "k": k, "constant": np.asarray(constant)}

    def log_likelihood(
        self, theta: Effects, scale: Mapping[str, Scales], stats: Statistics, *, xp: ModuleType = jnp
    ) -> OfLane:
        """Return the binomial log probability."""
        return stats["constant"] + (stats["k"] * theta - stats["n"] * xp.logaddexp(theta, 0.0)).sum(0)

    def raw_log_likelihood(self, theta: Effects, scale: Mapping[str, Scales], raw: Statistics) -> OfLane:
        """Return the sum of the Bernoulli log probabilities of single trials."""
        logit = jnp.take_along_axis(theta, raw["group_of"], axis=0)
        return jnp.where(raw["y"] > 0, jax.nn.log_sigmoid(logit), jax.nn.log_sigmoid(-logit)).sum(0)

    def group_columns(self, data: GroupedData) -> dict[str, np.ndarray]:
        """Return successes and trials."""
        return {"n_success": np.rint(data.n_obs * data.y_mean), "n_trials": data.n_obs.astype(float)}

    def draw(self, key: jax.Array, theta: Array, scale: Mapping[str, Array], known_se: Any) -> jax.Array:
        """Draw single trials, 0 or 1."""
        return jax.random.bernoulli(key, jax.nn.sigmoid(theta)).astype(theta.dtype)

    def new_observation(self, theta_new: np.ndarray, scale: Mapping[str, np.ndarray], noise: Noise) -> np.ndarray:
        """Draw one trial of the new group, 0 or 1."""
        return (noise.uniform() < expit(theta_new)).astype(theta_new.dtype)

    def shrinkage_weight(self, tau: OfLane, mu: OfLane, scale: Mapping[str, Scales], stats: Statistics) -> Effects:
        """Return B_j = 1 / (1 + n_j p (1 - p) tau^2) at p = expit(mu): approximate, on the logit scale."""
        p = expit(mu)
        return 1 / (1 + stats["n"] * p * (1 - p) * tau**2)

    def inverse_link(self, theta: Array) -> Array:
        """Return p = expit(theta)."""
        return expit(theta)
