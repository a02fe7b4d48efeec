"""What a likelihood is: it draws observations of groups, and says how probable given ones are.

A log likelihood comes in two forms that differ by a constant at most. On *sufficient statistics* its cost depends on
the number of groups; on *raw* observations on the number of observations. In both, groups (and observations) lie on
axis 0 and any axes behind it are lanes, so that one text serves a single fit, a batch of lanes and an array of draws.
A group with ``n = 0`` has no part in any sum: padding needs no mask here.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import ModuleType
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from simstudy.models.noise import Noise
from simstudy.models.priors import Prior
from simstudy.types import GroupedData

Array = Any  # a NumPy or JAX array
Statistics = Mapping[str, Array]
Priors = Mapping[str, Prior]


class Likelihood(ABC):
    """The distribution of observations given their group's effect theta and the scale sigma.

    Subclasses are frozen dataclasses: a likelihood is a choice, hashable, and holds no data.
    """

    kind: ClassVar[str]
    scale: ClassVar[str]
    """Scale of theta: ``natural`` (that of the observations) or ``link``."""

    @property
    @abstractmethod
    def parameters(self) -> tuple[str, ...]:
        """Names of the priors that the scale parameters need."""

    @abstractmethod
    def scale_parameters(self, priors: Priors, shape: tuple[int, ...]) -> dict[str, Array]:
        """Sample the scale parameters inside a NumPyro program.

        Args:
            priors: prior by parameter.
            shape: (group, *lane), the shape of theta.

        Returns:
            The named parameters; ``sigma``, where there is one, broadcasts against (group, *lane).
        """

    @abstractmethod
    def restore(
        self, posterior: Mapping[str, np.ndarray], priors: Priors, shape: tuple[int, ...]
    ) -> dict[str, np.ndarray]:
        """Return the scale parameters from draws of the latent sites.

        Args:
            posterior: site -> (fit, chain, draw, *site), constrained.
            priors: prior by parameter; a constant stands in for its missing site.
            shape: (fit, chain, draw, group) of theta.

        Returns:
            The parameters that ``scale_parameters`` names: (fit, chain, draw), or with groups behind.
        """

    @abstractmethod
    def statistics(self, data: GroupedData) -> dict[str, np.ndarray]:
        """Return the float64 arrays that ``log_likelihood`` needs, (group,) or scalar."""

    @abstractmethod
    def log_likelihood(
        self, theta: Array, scale: Mapping[str, Array], stats: Statistics, *, xp: ModuleType = jnp
    ) -> Array:
        """Return the log likelihood on sufficient statistics, summed over groups.

        Args:
            theta: (group, *lane) effects.
            scale: what ``scale_parameters`` returned.
            stats: what ``statistics`` returned, with lanes behind.
            xp: ``jax.numpy`` or ``numpy``.
        """

    @abstractmethod
    def raw_log_likelihood(self, theta: Array, scale: Mapping[str, Array], raw: Statistics) -> Array:
        """Return the log likelihood on raw observations ``y`` and their ``group_of`` index, summed over both."""

    @abstractmethod
    def draw(self, key: Array, theta: Array, scale: Mapping[str, Array], known_se: Array) -> Array:
        """Draw one observation for each element of theta, with a JAX key."""

    @abstractmethod
    def new_observation(self, theta_new: np.ndarray, scale: Mapping[str, np.ndarray], noise: Noise) -> np.ndarray:
        """Draw an observation of a new group for each draw of its effect, (fit, chain, draw)."""

    @abstractmethod
    def shrinkage_weight(self, tau: Array, mu: Array, scale: Mapping[str, Array], stats: Statistics) -> Array:
        """Return B_j, the weight of the common mean in the group's effect, (group, *lane), in [0, 1]."""

    def inverse_link(self, theta: Array) -> Array | None:
        """Return the mean of an observation given theta, or None where that is theta itself."""
        return None

    def raw(self, data: GroupedData) -> dict[str, np.ndarray]:
        """Return the arrays that ``raw_log_likelihood`` needs."""
        if data.y is None:
            raise ValueError("raw observations asked for, but the data hold summaries of the groups only")
        return {"y": data.y, "group_of": data.group_of}


def by_group(scale: Array, theta: Array) -> Array:
    """Give a scale shared by all groups, (*lane), the group axis of theta (group, *lane); leave others alone."""
    return scale if scale.ndim == theta.ndim else scale[None]


def normal_log_density(y: Array, mean: Array, sd: Array) -> Array:
    """Return log Normal(y | mean, sd), elementwise, in JAX."""
    return jax.scipy.stats.norm.logpdf(y, mean, sd)
