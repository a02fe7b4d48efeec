"""Two kinds of groups: effects from a mixture of two normals, scaled to mean 0 and standard deviation 1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from simstudy.errors import StudyError
from simstudy.late import jax, optimize, stats
from simstudy.mechanisms.deviates import TwoComponentDeviates
from simstudy.mechanisms.grouped import GroupedMechanism

FAR = 40.0  # standard deviations: both tails of the mixture lie inside


@dataclass(frozen=True, kw_only=True)
class TwoComponent(GroupedMechanism):
    """Effects from two normal components.

    Args:
        weight: share of the upper component, in (0, 1).
        separation: distance of the component means in component standard deviations, at least 0.
    """

    kind: ClassVar[str] = "two_component"
    words: ClassVar[str] = "group effects of two kinds: a mixture of two normals with mean μ and sd τ"
    weight: float = 0.5
    separation: float = 4.0

    def __post_init__(self) -> None:
        if not 0 < self.weight < 1:
            raise StudyError(f"weight: {self.weight} is out of range; expected a share between 0 and 1")
        if not 0 <= self.separation < float("inf"):
            raise StudyError(f"separation: {self.separation} is out of range; expected a number >= 0")

    def standard_effects(self, key: jax.Array, n: int) -> jax.Array:
        """Draw from the mixture."""
        return self._deviates.draw(key, n)

    def effect_scores(self, n: int) -> np.ndarray:
        """Return quantiles of the mixture, found by bisection of its distribution function."""
        low, high, sd = self._deviates.components

        def cdf(x: float) -> float:
            return (1 - self.weight) * stats.norm.cdf(x, low, sd) + self.weight * stats.norm.cdf(x, high, sd)

        return np.array([optimize.brentq(lambda x, p=p: cdf(x) - p, -FAR, FAR) for p in (np.arange(n) + 0.5) / n])

    @property
    def _deviates(self) -> TwoComponentDeviates:
        return TwoComponentDeviates(weight=self.weight, separation=self.separation)
