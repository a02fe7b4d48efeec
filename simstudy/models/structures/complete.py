"""Complete pooling: one mean for all groups, theta_j = mu. The limit tau -> 0 of partial pooling."""

from dataclasses import dataclass
from typing import ClassVar

import jax.numpy as jnp
import numpy as np

from simstudy.models.noise import Noise
from simstudy.models.structures.structure import Array, Priors, Sites, Structure


@dataclass(frozen=True, kw_only=True)
class Complete(Structure):
    """Complete pooling."""

    kind: ClassVar[str] = "complete"
    effects_differ: ClassVar[bool] = False

    @property
    def parameters(self) -> tuple[str, ...]:
        """The common mean."""
        return ("mu",)

    def effects(self, priors: Priors, shape: tuple[int, ...], mask: Array | None) -> Array:
        """Sample mu and give it to every group."""
        return jnp.broadcast_to(priors["mu"].site("mu", shape[1:]), shape)

    def restore(self, posterior: Sites, priors: Priors, shape: tuple[int, ...]) -> dict[str, np.ndarray]:
        """Return mu, and theta equal to it."""
        mu = priors["mu"].draws(posterior.get("mu"), shape[:-1])
        return {"mu": mu, "theta": np.broadcast_to(mu[..., None], shape)}

    def new_effect(self, restored: Sites, priors: Priors, noise: Noise) -> np.ndarray:
        """Return mu: a new group is like all others."""
        return restored["mu"]
