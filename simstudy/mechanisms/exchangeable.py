"""Exchangeable normal effects: theta_j ~ Normal(mu, tau), the mechanism that partial pooling assumes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import jax
import numpy as np
from scipy.special import ndtri

from simstudy.mechanisms.grouped import GroupedMechanism
from simstudy.models.priors import Prior


@dataclass(frozen=True, kw_only=True)
class Exchangeable(GroupedMechanism):
    """Normal effects, new in each replicate or fixed at normal scores."""

    kind: ClassVar[str] = "exchangeable"
    words: ClassVar[str] = "exchangeable group effects: θ_j ~ Normal(μ, τ)"

    @property
    def population(self) -> Mapping[str, Prior] | None:
        """The priors, where effects are random."""
        return self.priors if self.effects == "random" else None

    def standard_effects(self, key: jax.Array, n: int) -> jax.Array:
        """Draw standard normal effects."""
        return jax.random.normal(key, (n,))

    def effect_scores(self, n: int) -> np.ndarray:
        """Return standard normal quantiles."""
        return ndtri((np.arange(n) + 0.5) / n)
