"""Counts with a log link and an exposure: y_i ~ Poisson(e_i exp(theta_j)).

Sufficient statistics are the total count S_j and the total exposure E_j of a group. Written around the rate that the
data give, with w = max(S, 1) and d = theta - log(w / E), it is S d - w expm1(d) up to the constant kept in
``constant``: single precision then holds differences at a million counts, and at an exposure of a million without one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any, ClassVar

import numpy as np

from simstudy.late import jax, jnp
from simstudy.models.likelihoods.counts import Counts, drawn_counts, log_factorials, new_counts, totals
from simstudy.models.likelihoods.likelihood import ExactForm, Statistics
from simstudy.models.model import GROUP
from simstudy.models.noise import Noise
from simstudy.models.shapes import Array, Effects, OfLane, Scales
from simstudy.types import GroupedData


@dataclass(frozen=True, kw_only=True)
class Poisson(Counts):
    """Counts with an exposure; theta is the log of the group's rate."""

    kind: ClassVar[str] = "poisson"
    formula: ClassVar[str] = "Poisson counts, y_i ~ Poisson(exposure_i · exp(θ_j))"
    fits_data_of: ClassVar[tuple[str, ...]] = ("negative_binomial",)

    @property
    def words(self) -> str:
        """Counts."""
        return "Poisson counts"

    @property
    def exact_form(self) -> ExactForm:
        """Effects are integrated one by one."""
        return "poisson"

    @property
    def statistic_axes(self) -> Mapping[str, tuple[str, ...]]:
        """Exposure and count of each group, and what they are written around."""
        return {"n": (GROUP,), "total": (GROUP,), "weight": (GROUP,), "center": (GROUP,), "constant": ()}

    def statistics(self, data: GroupedData) -> dict[str, np.ndarray]:
        """Return exposure n, total count, the weight w = max(S, 1) and the center log(w / E); 0 of an empty group."""
        total, exposure = totals(data)
        is_seen = exposure > 0
        weight = np.where(is_seen, np.maximum(total, 1.0), 0.0)
        each = np.where(is_seen, exposure / np.maximum(data.n_obs, 1), 1.0)
        center = np.where(is_seen, np.log(np.maximum(weight, 1.0) / np.where(is_seen, exposure, 1.0)), 0.0)
        constant = (total * (center + np.log(each)) - weight).sum() - log_factorials(data, total)
        return {
            "n": exposure,
            "total": total,
            "weight": weight,
            "center": center,
            "constant": np.asarray(constant),
        }

    def log_likelihood(
        self, theta: Effects, scale: Mapping[str, Scales], stats: Statistics, *, xp: ModuleType = jnp
    ) -> OfLane:
        """Return the Poisson log probability."""
        d = theta - stats["center"]
        return stats["constant"] + (stats["total"] * d - stats["weight"] * xp.expm1(d)).sum(0)

    def raw_log_likelihood(self, theta: Effects, scale: Mapping[str, Scales], raw: Statistics) -> OfLane:
        """Return the sum of the log probabilities of single counts, without the factorials."""
        eta = jnp.take_along_axis(theta, raw["group_of"], axis=0) + raw["log_exposure"]
        return (raw["y"] * eta - jnp.exp(eta)).sum(0)

    def draw(self, key: jax.Array, theta: Array, scale: Mapping[str, Array], known_se: Any) -> jax.Array:
        """Draw counts; the log of an exposure is part of theta."""
        return drawn_counts(key, jnp.asarray(theta))

    def new_observation(self, theta_new: np.ndarray, scale: Mapping[str, np.ndarray], noise: Noise) -> np.ndarray:
        """Draw a count of exposure 1 in the new group."""
        return new_counts(theta_new, noise)

    def shrinkage_weight(self, tau: OfLane, mu: OfLane, scale: Mapping[str, Scales], stats: Statistics) -> Effects:
        """Return B_j = 1 / (1 + E_j exp(mu) tau^2): approximate, on the log scale."""
        return 1 / (1 + stats["n"] * np.exp(mu) * tau**2)
