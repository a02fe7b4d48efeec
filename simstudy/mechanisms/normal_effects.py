"""Normal effects: what exchangeable groups have, and new groups around a posterior."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from simstudy.late import jax
from simstudy.mechanisms.grouped import GroupedMechanism


@dataclass(frozen=True, kw_only=True)
class NormalEffects(GroupedMechanism):
    """Normal effects, new in each replicate or fixed at normal scores."""

    def standard_effects(self, key: jax.Array, n: int) -> jax.Array:
        """Draw standard normal effects."""
        return jax.random.normal(key, (n,))

    def effect_scores(self, n: int) -> np.ndarray:
        """Return standard normal quantiles."""
        return ndtri((np.arange(n) + 0.5) / n)
