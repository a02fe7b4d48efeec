"""The design of data with several grouping factors: cells, and the levels of each factor that they belong to.

A *cell* is the set of observations with the same linear predictor: under one grouping factor the group, under nested
ones the innermost level, under crossed ones the pair. A design belongs to a scenario, not to a replicate, and is a
constant of the programs that are compiled for it.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from simstudy.errors import StudyError, suggestion
from simstudy.types import GroupedData


@dataclass(frozen=True, kw_only=True, eq=False)
class Factor:
    """A grouping factor of the cells, and how its levels lie to each other.

    Args:
        name: what it is called in study files and tables.
        level: (cell,) int64, the level of each cell, from 0.
        n_levels: number of levels, at least the largest of ``level`` and 1.
        labels: names of the levels; none where they have numbers alone.
        within: factor that it is nested in; None for a crossed one.
        parent: (level,) int64, the level of ``within`` that each level belongs to; None for a crossed factor.
        edges: (edge, 2) int64, pairs of neighboring levels, each pair once; None where there is no graph.
        points: (level, dimension) float64, where each level lies; None where it lies nowhere.
    """

    name: str
    level: np.ndarray
    n_levels: int
    labels: tuple[str, ...] = ()
    within: str | None = None
    parent: np.ndarray | None = None
    edges: np.ndarray | None = None
    points: np.ndarray | None = None

    @cached_property
    def digest(self) -> str:
        """Identity of the factor, its labels aside: the same digest is the same design."""
        digest = hashlib.blake2b(f"{self.name}/{self.n_levels}/{self.within}".encode(), digest_size=8)
        for array in (self.level, self.parent, self.edges, self.points):
            digest.update(b"-" if array is None else np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Factor) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    @cached_property
    def index(self) -> np.ndarray:
        """``level`` as programs of any precision index with it, int32."""
        return self.level.astype(np.int32)

    def at_cells(self, of_levels: Any) -> Any:
        """Return (level, *lane) values as (cell, *lane): of each cell that of its level."""
        return of_levels if self.is_cells else of_levels[self.index]

    @cached_property
    def is_cells(self) -> bool:
        """Whether its levels are the cells, in their order."""
        return len(self.level) == self.n_levels and bool((self.level == np.arange(self.n_levels)).all())


@dataclass(frozen=True, kw_only=True)
class Design:
    """Cells and their factors.

    Args:
        n_cells: number of cells.
        factors: the grouping factors, in the order in which a study names them.
    """

    n_cells: int
    factors: tuple[Factor, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the factors."""
        return tuple(factor.name for factor in self.factors)

    @cached_property
    def digest(self) -> str:
        """Identity of the design."""
        texts = [str(self.n_cells), *(factor.digest for factor in self.factors)]
        return hashlib.blake2b("/".join(texts).encode(), digest_size=8).hexdigest()

    def factor(self, name: str) -> Factor:
        """Return a factor by name.

        Raises:
            StudyError: there is none of this name.
        """
        for factor in self.factors:
            if factor.name == name:
                return factor
        near = suggestion(name, self.names)
        raise StudyError(f"no factor {name!r}{near}; expected one of {', '.join(self.names)}")


@dataclass(frozen=True, kw_only=True)
class CellData(GroupedData):
    """Observations of one replicate in cells: groups of ``GroupedData`` that share levels of several factors.

    Args:
        design: the cells' factors, the same for all replicates of a scenario.
        covariates: (name, (cell,) float64 values) of each covariate.
    """

    design: Design
    covariates: tuple[tuple[str, np.ndarray], ...] = field(default=())

    def covariate(self, name: str) -> np.ndarray:
        """Return the (cell,) values of a covariate."""
        return dict(self.covariates)[name]


def nested_levels(n_outer: int, n_inner: Sequence[int]) -> np.ndarray:
    """Return the parent of each level of a nested factor, given the number of its levels in each outer level.

    >>> nested_levels(2, [3, 2])
    array([0, 0, 0, 1, 1])
    """
    return np.repeat(np.arange(n_outer), n_inner)
