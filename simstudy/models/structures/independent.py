"""No pooling: every group has its own effect, under one fixed prior; the limit tau -> infinity of partial pooling."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from simstudy.models.noise import Noise
from simstudy.models.structures.structure import Array, Priors, Sites, Structure


@dataclass(frozen=True, kw_only=True)
class Independent(Structure):
    """No pooling: theta_j ~ prior, independently."""

    kind: ClassVar[str] = "none"

    @property
    def parameters(self) -> tuple[str, ...]:
        """The prior of each effect."""
        return ("theta",)

    def effects(self, priors: Priors, shape: tuple[int, ...], mask: Array | None) -> Array:
        """Sample every group's effect."""
        return priors["theta"].site("theta", shape)

    def restore(self, posterior: Sites, priors: Priors, shape: tuple[int, ...]) -> dict[str, np.ndarray]:
        """Return theta as it was drawn."""
        return {"theta": priors["theta"].draws(posterior.get("theta"), shape)}

    def new_effect(self, restored: Sites, priors: Priors, noise: Noise) -> np.ndarray:
        """Draw from the prior: nothing is learned about a new group."""
        return noise.prior(priors["theta"])
