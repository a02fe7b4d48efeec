"""Independent draws of the two parameters from their exact posterior, by rejection from the cells of its grid.

A cell is proposed with the largest density at its corners, a little raised, times its area; a point in it is uniform.
It is kept with the ratio of the density there, computed anew, to that height (von Neumann 1951). Where a density
exceeds its height the draws are made again with higher cells.
"""

import numpy as np

from simstudy.samplers.exact.grid import Grid
from simstudy.samplers.exact.problem import Problem

_HEADROOMS = (0.1, 0.5, 2.0, 5.0)  # on the log scale, tried in turn


def draw_parameters(
    problem: Problem, grid: Grid, stream: np.random.Generator, n: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return n draws of the two parameters of one data set, each (n,).

    Args:
        problem: of the one data set.
        grid: its posterior on a grid.
        stream: random numbers.
        n: number of draws.

    Raises:
        ArithmeticError: the density exceeds even the highest cells: the grid misses a peak.
    """
    for headroom in _HEADROOMS:
        kept = _kept(problem, grid, stream, n, headroom)
        if kept is not None:
            return problem.axes[0].value(kept[0]), problem.axes[1].value(kept[1])
    raise ArithmeticError("the density between the nodes of the grid is far above that at the nodes")


def _kept(
    problem: Problem, grid: Grid, stream: np.random.Generator, n: int, headroom: float
) -> np.ndarray | None:
    """Return (2, n) coordinates, or None where a density exceeds the height of its cell."""
    heights = _largest_corner(grid.log_density) + headroom
    cumulative = np.cumsum(np.exp(heights - heights.max()))
    kept: list[np.ndarray] = []
    while sum(one.shape[1] for one in kept) < n:
        uniform = stream.random((4, n))
        cell = np.searchsorted(cumulative, uniform[0] * cumulative[-1], side="right")
        u = np.stack([_inside(*axis) for axis in zip(grid.coordinates, np.divmod(cell, heights.shape[1]), uniform[1:3], strict=True)])
        log_density = problem.log_density(u[0][None, :, None], u[1][None, :, None])[0, :, 0]
        excess = log_density - heights.ravel()[cell]
        if (excess > 0).any():
            return None
        kept.append(u[:, uniform[3] < np.exp(excess)])
    return np.concatenate(kept, axis=1)[:, :n]


def _largest_corner(f: np.ndarray) -> np.ndarray:
    """Return the largest value at the corners of each cell; an axis with one node has one cell, the node."""
    along = np.maximum(f[1:], f[:-1]) if f.shape[0] > 1 else f
    return np.maximum(along[:, 1:], along[:, :-1]) if f.shape[1] > 1 else along


def _inside(coordinates: np.ndarray, cell: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Return the points at a share of the way through the cells of one axis."""
    if len(coordinates) == 1:
        return np.full(len(cell), coordinates[0])
    return coordinates[cell] + share * (coordinates[1] - coordinates[0])
