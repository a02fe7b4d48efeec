"""Independent draws of the two parameters from their exact posterior, by rejection from the cells of its grid.

A cell is proposed with the largest density at its corners, a little raised, times its area; a point in it is uniform.
It is kept with the ratio of the density there, computed anew, to that height (von Neumann 1951). Where a density
exceeds its height all draws of that posterior are made again with higher cells. Posteriors are served together, each
from its own random numbers.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec

import numpy as np

from simstudy.samplers.exact.grid import Grid
from simstudy.samplers.exact.problem import Problem

_HEADROOMS = (0.1, 0.5, 2.0, 5.0)  # on the log scale, tried in turn
_PROPOSALS = 2048  # at once

Search = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass(kw_only=True)
class _Cells:
    """Proposals for one posterior, and what was kept of them."""

    grid: Grid
    stream: np.random.Generator
    trial: int = 0
    kept: list[np.ndarray] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._corners = _largest_corner(self.grid.log_density)
        self._cumulative = np.cumsum(np.exp(self._corners - self._corners.max()))

    @property
    def n_kept(self) -> int:
        """Number of draws so far."""
        return sum(u.shape[1] for u in self.kept)

    def propose(self) -> tuple[np.ndarray, np.ndarray]:
        """Return points, (2, proposal) coordinates, and the log heights of their cells."""
        uniform = self.stream.random((3, _PROPOSALS))
        cell = _search()(self._cumulative, uniform[0] * self._cumulative[-1])
        places = np.divmod(cell, self._corners.shape[1])
        u = np.stack([_inside(self.grid.coordinates[a], places[a], uniform[1 + a]) for a in (0, 1)])
        return u, self._corners.ravel()[cell] + _HEADROOMS[self.trial]

    def judge(self, u: np.ndarray, log_height: np.ndarray, log_density: np.ndarray) -> None:
        """Keep proposals, or begin again with higher cells where one was too low."""
        excess = log_density - log_height
        if (excess > 0).any():
            self.trial, self.kept = self.trial + 1, []
        else:
            self.kept.append(u[:, self.stream.random(_PROPOSALS) < np.exp(excess)])


def draw_coordinates(
    problem: Problem, grids: Sequence[Grid], streams: Sequence[np.random.Generator], n: int
) -> list[np.ndarray | None]:
    """Return for each data set n draws of the two coordinates, (2, n).

    Args:
        problem: the data sets.
        grids: their posteriors.
        streams: their random numbers.
        n: number of draws.

    Returns:
        The draws, or None where the density exceeds even the highest cells: the grid misses a peak.
    """
    each = [_Cells(grid=grid, stream=stream) for grid, stream in zip(grids, streams, strict=True)]
    while active := [i for i, cells in enumerate(each) if cells.trial < len(_HEADROOMS) and cells.n_kept < n]:
        proposals = [each[i].propose() for i in active]
        u = np.stack([u for u, _ in proposals], axis=1)[..., None]
        log_density = problem.take(np.array(active)).log_density(u[0], u[1])[..., 0]
        for i, proposal, density in zip(active, proposals, log_density, strict=True):
            each[i].judge(*proposal, density)
    return [np.concatenate(c.kept, axis=1)[:, :n] if c.trial < len(_HEADROOMS) else None for c in each]


@cache
def _search() -> Search:
    """Return the function that finds the first place whose value is above each target; the two give the same."""
    if find_spec("numba") is None:
        return lambda cumulative, targets: np.searchsorted(cumulative, targets, side="right")
    from simstudy.samplers.compiled.search import places_above

    return places_above


def _largest_corner(f: np.ndarray) -> np.ndarray:
    """Return the largest value at the corners of each cell; an axis with one node has one cell, the node."""
    along = np.maximum(f[1:], f[:-1]) if f.shape[0] > 1 else f
    return np.maximum(along[:, 1:], along[:, :-1]) if f.shape[1] > 1 else along


def _inside(coordinates: np.ndarray, cell: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Return the points at a share of the way through the cells of one axis."""
    if len(coordinates) == 1:
        return np.full(len(cell), coordinates[0])
    return coordinates[cell] + share * (coordinates[1] - coordinates[0])
