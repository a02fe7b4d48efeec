"""What a mechanism is: it makes the data of a replicate, and knows the truth."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from simstudy.types import Replicate


class Mechanism(ABC):
    """A data-generating mechanism with every factor at one level. Subclasses are frozen dataclasses."""

    kind: ClassVar[str]
    replication: ClassVar[str] = "data"
    """``data``: every replicate has new data; ``sampler``: the data are fixed and only the sampler's seed is new."""

    @abstractmethod
    def simulate(self, keys: np.ndarray) -> list[Replicate]:
        """Return one replicate for each of the (replicate, 2) uint32 keys; the same key gives the same replicate."""

    @property
    @abstractmethod
    def fields(self) -> Mapping[str, Any]:
        """What sets the mechanism apart, as JSON values without defaults: its identity."""

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """Observations in each group: mechanisms of one shape can share compiled programs."""
