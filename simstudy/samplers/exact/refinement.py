"""The trapezoid rule for a posterior over two coordinates, refined until it is exact to nine digits.

For an analytic density that falls off at both ends the error of the rule falls exponentially with the number of nodes.
The rule on every second node is compared with the rule on all: the error of the latter is about the square of the
difference, or less (Trefethen & Weideman 2014, The exponentially convergent trapezoidal rule, SIAM Review 56:385,
theorem 5.1).
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from simstudy.samplers.exact.box import boxes, nodes
from simstudy.samplers.exact.grid import Grid
from simstudy.samplers.exact.problem import FLOOR, Problem

_FIRST_SPACING = 0.3
_FEWEST_NODES, _FIRST_MOST_NODES, _MOST_NODES = 32, 128, 1024
_HALVED_ERROR = 1e-5  # of every second node: its square is the error allowed
_NODES_AT_ONCE = 1 << 16  # of all data sets together: arrays stay in the cache


def grids(problem: Problem) -> list[Grid]:
    """Return the posterior of every data set on its own grid; none depends on the others."""
    lower, upper = boxes(problem)
    counts = _first_counts(problem, upper - lower)
    found: dict[int, Grid] = {}
    while len(found) < problem.n_fits:
        for index in _alike(counts, found):
            u = [nodes(lower[index, a], upper[index, a], counts[index[0], a]) for a in (0, 1)]
            log_density = problem.take(index).log_density(u[0][:, :, None], u[1][:, None, :])
            for i, fit in enumerate(index):
                grid = _grid((u[0][i], u[1][i]), log_density[i])
                grow = _is_coarse(grid) & (counts[fit] < _MOST_NODES)
                counts[fit] *= np.where(grow, 2, 1)
                if not grow.any():
                    found[fit] = _checked(grid)
    return [found[fit] for fit in range(problem.n_fits)]


def _first_counts(problem: Problem, sides: np.ndarray) -> np.ndarray:
    """Return the (fit, axis) number of nodes to start with, powers of two; 1 for a constant."""
    wanted = np.clip(sides / _FIRST_SPACING, _FEWEST_NODES, _FIRST_MOST_NODES)
    fixed = [axis.is_fixed for axis in problem.axes]
    return np.where(fixed, 1, 2 ** np.ceil(np.log2(wanted)).astype(int))


def _alike(counts: np.ndarray, found: dict[int, Grid]) -> Iterator[np.ndarray]:
    """Yield the fits still to do, those of one number of nodes together, few enough for the cache."""
    todo = np.array([fit for fit in range(len(counts)) if fit not in found])
    for count in np.unique(counts[todo], axis=0):
        alike = todo[(counts[todo] == count).all(1)]
        step = max(1, _NODES_AT_ONCE // int(count.prod()))
        yield from (alike[start : start + step] for start in range(0, len(alike), step))


def _grid(coordinates: tuple[np.ndarray, np.ndarray], log_density: np.ndarray) -> Grid:
    peak = log_density.max()
    cell = np.prod([u[1] - u[0] for u in coordinates if len(u) > 1])
    log_evidence = float(peak + np.log(np.exp(log_density - peak).sum() * cell))
    return Grid(coordinates=coordinates, log_density=log_density, log_evidence=log_evidence)


def _is_coarse(grid: Grid) -> np.ndarray:
    """Return for each axis whether the rule on every second node differs too much."""
    weights = grid.weights
    halves = (2 * weights[::2].sum(), 2 * weights[:, ::2].sum())
    free = [len(u) > 1 for u in grid.coordinates]
    return np.array([is_free and abs(half - 1) > _HALVED_ERROR for is_free, half in zip(free, halves, strict=True)])


def _checked(grid: Grid) -> Grid:
    reason = None
    if grid.log_evidence < FLOOR / 2:
        reason = "the evidence is not finite: the data are impossible under the model"
    elif _is_coarse(grid).any():
        reason = f"the quadrature has not converged with {_MOST_NODES} nodes on an axis"
    elif np.isnan(grid.moment(np.ones(()))):
        reason = "the posterior reaches beyond the grid: more than 1e-6 of its mass lies at the edge"
    return grid if reason is None else replace(grid, reason=reason)
