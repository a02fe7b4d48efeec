"""Complete pooling: one mean for all groups, theta_j = mu. The limit tau -> 0 of partial pooling."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from simstudy.errors import StudyError
from simstudy.late import jnp
from simstudy.models.estimands import MU, THETA, Estimand, Parameter
from simstudy.models.noise import Noise
from simstudy.models.priors import Prior, constant
from simstudy.models.shapes import Effects, Mask
from simstudy.models.structures.structure import Pooling, Priors, Sites, Structure


@dataclass(frozen=True, kw_only=True)
class Complete(Structure):
    """Complete pooling."""

    kind: ClassVar[str] = "complete"
    pooling: ClassVar[Pooling] = "complete"
    effects_differ: ClassVar[bool] = False

    @property
    def words(self) -> str:
        """One mean."""
        return "complete pooling: one mean for all groups"

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The common mean."""
        return (MU,)

    @property
    def described(self) -> tuple[Estimand, ...]:
        """The mean, and the effects equal to it."""
        return MU, THETA

    @property
    def site_axes(self) -> Mapping[str, tuple[str, ...]]:
        """The mean is shared."""
        return {"mu": ()}

    def effects(self, priors: Priors, shape: tuple[int, ...], mask: Mask | None) -> Effects:
        """Sample mu and give it to every group."""
        return jnp.broadcast_to(priors["mu"].site("mu", shape[1:]), shape)

    def restore(self, posterior: Sites, priors: Priors, shape: tuple[int, ...]) -> dict[str, np.ndarray]:
        """Return mu, and theta equal to it."""
        mu = priors["mu"].draws(posterior.get("mu"), shape[:-1])
        return {"mu": mu, "theta": np.broadcast_to(mu[..., None], shape)}

    def new_effect(self, restored: Sites, priors: Priors, noise: Noise) -> np.ndarray:
        """Return mu: a new group is like all others."""
        return restored["mu"]

    def normal_effects(self, priors: Priors) -> tuple[Prior, Prior]:
        """Return the prior of mu, and no spread."""
        return priors["mu"], constant(0.0)

    def priors_of(self, mu: Prior, tau: Prior) -> dict[str, str]:
        """Return the prior of mu, where tau = 0."""
        if not tau.is_zero:
            raise StudyError(f"complete pooling is calibrated where tau = 0; the mechanism has tau = {tau.text}")
        return {"mu": mu.text}
