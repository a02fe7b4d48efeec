"""What a structure is: how the effects of the groups hang together.

Inside a NumPyro program groups lie on axis 0 and lanes behind. Draws on the host have (fit, chain, draw) in front.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar, Literal

import numpy as np

from simstudy.errors import StudyError
from simstudy.models.estimands import Estimand, Parameter
from simstudy.models.noise import Noise
from simstudy.models.priors import Prior
from simstudy.models.shapes import Effects, Mask

Priors = Mapping[str, Prior]
Sites = Mapping[str, np.ndarray]
Pooling = Literal["none", "complete", "partial"]


class Structure(ABC):
    """The prior of the group effects theta. Subclasses are frozen dataclasses, without data; their fields are options.

    What a structure says of itself in class attributes serves study files, measures and reports.
    """

    kind: ClassVar[str]
    pooling: ClassVar[Pooling]
    """The part that it plays among the pooling models."""
    effects_differ: ClassVar[bool] = True
    """Whether groups can have different effects."""
    groups_are_apart: ClassVar[bool] = False
    """Whether nothing is shared between groups, so that each has a posterior of its own."""
    prior_aliases: ClassVar[Mapping[str, str]] = {}
    """Other names under which a study file may give a parameter's prior."""
    identified_by: ClassVar[tuple[str, ...]] = ()
    """Options that stand in a method's identity whatever their value is; others do not at their default."""

    @property
    @abstractmethod
    def words(self) -> str:
        """What it is, for a report."""

    @property
    @abstractmethod
    def parameters(self) -> tuple[Parameter, ...]:
        """Its parameters, each of which needs a prior."""

    @property
    def described(self) -> tuple[Estimand, ...]:
        """The estimands that ``restore`` returns."""
        return self.parameters

    @property
    @abstractmethod
    def site_axes(self) -> Mapping[str, tuple[str, ...]]:
        """Latent site -> names of its axes; a parameter that is fixed has no site."""

    @abstractmethod
    def effects(self, priors: Priors, shape: tuple[int, ...], mask: Mask | None) -> Effects:
        """Sample theta inside a NumPyro program.

        Args:
            priors: prior by parameter.
            shape: (group, *lane) of theta.
            mask: (group, *lane) bool, false for padded groups, or None where there are none.
        """

    @abstractmethod
    def restore(self, posterior: Sites, priors: Priors, shape: tuple[int, ...]) -> dict[str, np.ndarray]:
        """Return the structure's parameters from draws of the latent sites.

        Args:
            posterior: site -> (fit, chain, draw, *site), constrained.
            priors: prior by parameter; a constant stands in for its missing site.
            shape: (fit, chain, draw, group) of theta.

        Returns:
            ``theta`` (fit, chain, draw, group), and the structure's parameters (fit, chain, draw) by name.
        """

    @abstractmethod
    def new_effect(self, restored: Sites, priors: Priors, noise: Noise) -> np.ndarray:
        """Draw the effect of a new group for each posterior draw, (fit, chain, draw)."""

    def normal_effects(self, priors: Priors) -> tuple[Prior, Prior] | None:
        """Return the priors of m and s, where theta_j ~ Normal(m, s) given them, or None for other effects.

        Samplers that integrate the effects out ask for it.
        """
        return None

    def priors_of(self, mu: Prior, tau: Prior) -> dict[str, str]:
        """Return the priors, as text, under which the effects are those of a population Normal(mu, tau).

        A calibration study holds its methods to them.

        Raises:
            StudyError: under no priors they are; says why.
        """
        raise StudyError(f"the structure {self.kind!r} has no priors that make its effects those of Normal(mu, tau)")
