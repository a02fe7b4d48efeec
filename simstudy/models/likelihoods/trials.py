"""Successes out of trials with a logit link: k_j ~ Binomial(n_j, p_j), logit p_j = theta_j.

Sufficient statistics are n_j and k_j: log L = constant + sum_j [k_j theta_j - n_j log(1 + exp theta_j)]. A raw
observation is one trial, 0 or 1; its likelihood lacks the binomial coefficient.

From ``MANY_TRIALS`` trials in a group on, it is written around p_j = (k_j + 1/2) / (n_j + 1): with d = theta - logit p,

    log L = constant + sum_j n_j [(k_j / n_j) d - log1p(p_j expm1(d))],

successes and failures exchanged where failures are rarer. Its terms are small where theta is near what the data say,
so that single precision holds them at a million trials.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any, ClassVar

import numpy as np
from scipy.special import expit, gammaln, logit

from simstudy.late import jax, jnp
from simstudy.models.estimands import Estimand, P
from simstudy.models.likelihoods.likelihood import ExactForm, Likelihood, Statistics
from simstudy.models.model import GROUP
from simstudy.models.noise import Noise
from simstudy.models.shapes import Array, Effects, OfLane, Scales
from simstudy.models.unit import Unit, unit_of_estimates
from simstudy.types import GroupedData

MANY_TRIALS = 10_000
"""Trials in a group from which single precision needs the form around the data's own share."""
FAR = 30.0
"""Where log1p(p expm1(d)) is log(p) + d to rounding, and expm1 is still finite in single precision."""


@dataclass(frozen=True, kw_only=True)
class Trials(Likelihood):
    """What likelihoods of trials with a logit link share; theta is the logit of the group's probability."""

    scale: ClassVar[str] = "link"
    mean: ClassVar[Estimand | None] = P
    unit_words: ClassVar[str] = (
        "m is the mean of the groups’ logits l = log((k + ½) / (n − k + ½)), s² their variance plus the median of "
        "1 / (k + ½) + 1 / (n − k + ½)"
    )

    @property
    def exact_form(self) -> ExactForm:
        """Effects are integrated one by one."""
        return "binomial"

    def known_shape(self, sizes: Sequence[int] | np.ndarray) -> tuple[int, ...]:
        """Return whether the form for many trials is taken, by the largest number of trials."""
        return (MANY_TRIALS,) if max(sizes) >= MANY_TRIALS else ()

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
        """Trials and successes of each group, and of many what they are written around."""
        of_groups = ("n", "k", "sign", "share", "p", "log_p", "center")
        return {**dict.fromkeys(of_groups, (GROUP,)), "constant": ()}

    def statistics(self, data: GroupedData) -> dict[str, np.ndarray]:
        """Return trials n, successes k and the sum of the log binomial coefficients; of many, what they are around."""
        n, k = data.n_obs.astype(np.float64), np.rint(data.n_obs * data.y_mean)
        constant = (gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)).sum()
        if not self.known_shape(data.n_obs):
            return {"n": n, "k": k, "constant": np.asarray(constant)}
        # Written for the rarer outcome, whose terms are the smaller ones.
        sign = np.where(2 * k > n, -1.0, 1.0)
        rare = np.where(2 * k > n, n - k, k)
        p = (rare + 0.5) / (n + 1)
        share = np.where(n > 0, rare / np.maximum(n, 1), 0.0)
        around = {"sign": sign, "share": share, "p": p, "log_p": np.log(p), "center": sign * logit(p)}
        constant += (rare * np.log(p) + (n - rare) * np.log1p(-p)).sum()
        return {"n": n, "k": k, **around, "constant": np.asarray(constant)}

    def log_likelihood(
        self, theta: Effects, scale: Mapping[str, Scales], stats: Statistics, *, xp: ModuleType = jnp
    ) -> OfLane:
        """Return the binomial log probability."""
        if "center" in stats:
            d = stats["sign"] * (theta - stats["center"])
            near = xp.log1p(stats["p"] * xp.expm1(xp.minimum(d, FAR)))
            moved = xp.where(d > FAR, stats["log_p"] + d, near)
            return stats["constant"] + (stats["n"] * (stats["share"] * d - moved)).sum(0)
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

    def latent_variance(self, scale: Mapping[str, Scales]) -> np.ndarray:
        """Return pi^2 / 3, the variance of the logistic distribution behind a trial (Goldstein et al. 2002, eq. 5)."""
        return np.asarray(np.pi**2 / 3)

    def inverse_link(self, theta: Array) -> Array:
        """Return p = expit(theta)."""
        return expit(theta)
