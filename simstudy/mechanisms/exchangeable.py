"""Exchangeable normal effects: theta_j ~ Normal(mu, tau), the mechanism that partial pooling assumes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from simstudy.mechanisms.normal_effects import NormalEffects
from simstudy.models.priors import Prior


@dataclass(frozen=True, kw_only=True)
class Exchangeable(NormalEffects):
    """Normal effects, new in each replicate or fixed at normal scores."""

    kind: ClassVar[str] = "exchangeable"
    words: ClassVar[str] = "exchangeable group effects: θ_j ~ Normal(μ, τ)"

    @property
    def population(self) -> Mapping[str, Prior] | None:
        """The priors, where effects are random."""
        return self.priors if self.effects == "random" else None
