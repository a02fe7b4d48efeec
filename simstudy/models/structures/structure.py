"""What a structure is: how the effects of the groups hang together.

Inside a NumPyro program groups lie on axis 0 and lanes behind. Draws on the host have (fit, chain, draw) in front.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from simstudy.models.noise import Noise
from simstudy.models.priors import Prior

Array = Any  # a NumPy or JAX array
Priors = Mapping[str, Prior]
Sites = Mapping[str, np.ndarray]


class Structure(ABC):
    """The prior of the group effects theta. Subclasses are frozen dataclasses, without data."""

    kind: ClassVar[str]
    effects_differ: ClassVar[bool] = True
    """Whether groups can have different effects."""

    @property
    @abstractmethod
    def parameters(self) -> tuple[str, ...]:
        """Names of the priors that the structure needs."""

    @abstractmethod
    def effects(self, priors: Priors, shape: tuple[int, ...], mask: Array | None) -> Array:
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
            ``theta`` (fit, chain, draw, group), and ``mu`` and ``tau`` (fit, chain, draw) where the structure has them.
        """

    @abstractmethod
    def new_effect(self, restored: Sites, priors: Priors, noise: Noise) -> np.ndarray:
        """Draw the effect of a new group for each posterior draw, (fit, chain, draw)."""
