"""What a model is: a NumPyro program of data, and the estimands of its posterior."""

from abc import ABC, abstractmethod
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np

from simstudy.types import PyTree


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

    def scale_of(self, estimand: str) -> str:
        """Return the scale an estimand is on, ``natural`` or ``link``."""
        return "natural"
