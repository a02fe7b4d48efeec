"""No pooling: every group has its own effect, under one fixed prior; the limit tau -> infinity of partial pooling."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from simstudy.errors import StudyError
from simstudy.models.estimands import THETA, Parameter
from simstudy.models.model import GROUP
from simstudy.models.noise import Noise
from simstudy.models.priors import Prior, constant
from simstudy.models.shapes import Effects, Mask
from simstudy.models.structures.structure import Pooling, Priors, Sites, Structure


@dataclass(frozen=True, kw_only=True)
class Independent(Structure):
    """No pooling: theta_j ~ prior, independently."""

    kind: ClassVar[str] = "none"
    pooling: ClassVar[Pooling] = "none"
    groups_are_apart: ClassVar[bool] = True
    prior_aliases: ClassVar[Mapping[str, str]] = {"mu": "theta"}

    @property
    def words(self) -> str:
        """Nothing is shared."""
        return "no pooling: every group by itself"

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The prior of each effect."""
        return (THETA,)

    @property
    def site_axes(self) -> Mapping[str, tuple[str, ...]]:
        """An effect for each group."""
        return {"theta": (GROUP,)}

    def effects(self, priors: Priors, shape: tuple[int, ...], mask: Mask | None) -> Effects:
        """Sample every group's effect."""
        return priors["theta"].site("theta", shape)

    def restore(self, posterior: Sites, priors: Priors, shape: tuple[int, ...]) -> dict[str, np.ndarray]:
        """Return theta as it was drawn."""
        return {"theta": priors["theta"].draws(posterior.get("theta"), shape)}

    def new_effect(self, restored: Sites, priors: Priors, noise: Noise) -> np.ndarray:
        """Draw from the prior: nothing is learned about a new group."""
        return noise.prior(priors["theta"])

    def normal_effects(self, priors: Priors) -> tuple[Prior, Prior]:
        """Return the prior of each effect: that of the mean of a population of one, without spread."""
        return priors["theta"], constant(0.0)

    def priors_of(self, mu: Prior, tau: Prior) -> dict[str, str]:
        """Return theta ~ Normal(mu, tau), where mu and tau are numbers."""
        if tau.is_zero:
            raise StudyError("with tau = 0 only complete pooling is calibrated")
        if not (mu.is_constant and tau.is_constant):
            raise StudyError(
                "no pooling is calibrated where mu and tau are numbers, with the prior theta ~ Normal(mu, tau); the "
                f"mechanism has mu = {mu.text} and tau = {tau.text}"
            )
        return {"theta": f"Normal({mu.text}, {tau.text})"}
