"""What a model is: a NumPyro program of data, the estimands of its posterior, and what it says of itself.

Samplers and the runner ask a model what it can do and what its axes are called; they never ask who it is.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from simstudy.models.estimands import Estimand
from simstudy.types import KnownPosterior, PyTree

GROUP = "group"
"""Name of the axis of the groups."""


@dataclass(frozen=True, kw_only=True)
class Axes:
    """Names of the axes of a model's arrays; a name stands for one length within a data set.

    Args:
        sites: latent site -> names of the axes of its constrained value; a name without a site does no harm.
        data: leaf of the data -> names of its axes.
        padded: the axes along which the program bears empty entries. Zeros in the data and False in ``data["mask"]``
            (the axis) make an entry that adds no density, whatever its latent values are.
    """

    sites: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    data: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    padded: tuple[str, ...] = ()

    def __hash__(self) -> int:
        return hash((frozenset(self.sites.items()), frozenset(self.data.items()), self.padded))


def stacked(each: Sequence[Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Return the arrays of several fits as one of each name, the fit on the first axis."""
    return {name: np.stack([fit[name] for fit in each]) for name in each[0]}


class Model(ABC):
    """What a sampler and the runner need of a model. Subclasses are hashable."""

    lanes_last: bool = False
    """Whether the program broadcasts over lanes on the last axis by itself."""

    @abstractmethod
    def __call__(self, data: PyTree) -> None:
        """Run the NumPyro program on the arrays that ``arrays`` made."""

    @abstractmethod
    def arrays(self, data: Sequence[Any]) -> PyTree:
        """Stack the data of a block of fits of one shape: leaves (fit, ...), float64."""

    def cell_arrays(self, data: Sequence[Any]) -> PyTree:
        """Stack what an exact posterior is made of, (fit, ...): statistics of single cells, and covariates."""
        return self.arrays(data)

    @abstractmethod
    def shape(self, data: Any) -> Hashable:
        """Return what a compiled program depends on: fits of one shape share a program."""

    @abstractmethod
    def estimands(
        self, sites: Mapping[str, np.ndarray], data: Sequence[Any], keys: np.ndarray
    ) -> dict[str, np.ndarray]:
        """Return the estimands of a block.

        Args:
            sites: latent site -> (fit, chain, draw, *site), constrained.
            data: the data of each fit.
            keys: (fit, 2) uint32 keys for predictions.

        Returns:
            estimand -> (fit, chain, draw, *group).
        """

    def known_shape(self, sizes: Sequence[int]) -> Hashable | None:
        """Return ``shape`` of data whose groups have so many observations, or None where only data can tell."""
        return None

    def padded_shape(self, shape: Hashable, pad: Callable[[int], int]) -> Hashable:
        """Return a shape with the lengths of its padded axes as ``pad`` makes them."""
        return shape

    def bound(self, data: Any) -> "Model":
        """Return the model with what all data of the shape of these share, as constants of its program."""
        return self

    @property
    def family(self) -> Any:
        """The likelihood of the observations; None for a program alone."""
        return None

    @property
    def has_short_trajectories(self) -> bool:
        """Whether few leapfrogs turn a trajectory, as in a model of two or three parameters."""
        return False

    @property
    def axes(self) -> Axes:
        """Names of the axes of latent sites and data; what is not named is taken as it is."""
        return Axes()

    @property
    def described(self) -> tuple[Estimand, ...]:
        """What the model declares of its estimands; one that is not among them is known by its name."""
        return ()

    @property
    @abstractmethod
    def words(self) -> str:
        """What the model is, for a report."""

    @property
    def pooling(self) -> str | None:
        """Which part it plays among the pooling models, ``none``, ``complete`` or ``partial``; None for no part."""
        return None

    @property
    def hierarchy(self) -> Any:
        """Structure, likelihood and priors, for samplers that work with them; None for a program alone."""
        return None

    @property
    def declared(self) -> Any:
        """What has ``parameters`` with priors, and says by ``unit_of`` what default ones are made of; None for none."""
        return self.hierarchy

    @property
    def sampled(self) -> Any:
        """The hierarchy that draws are made of: that of the data as ``arrays`` gives them, in a unit of their own."""
        return self.hierarchy

    def restored(self, known: KnownPosterior, data: Sequence[Any]) -> KnownPosterior:
        """Return what is known of the posteriors of ``arrays`` as it is for the data."""
        return known

    @property
    def effect_scale(self) -> str:
        """Scale of the effects: ``natural``, or ``link`` under a link function."""
        return "natural"

    def scale_of(self, estimand: str) -> str:
        """Return the scale an estimand is on, ``natural`` or ``link``."""
        declared = {one.name: one for one in self.described}
        return self.effect_scale if estimand in declared and declared[estimand].on_effect_scale else "natural"
