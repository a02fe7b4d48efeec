"""Where a posterior over two coordinates lies: a box that holds its mass, and its moments where these exist.

A coarse grid over the whole range is narrowed, step by step, to what can matter. Each axis is judged by its profile,
the maximum of the density over the other axis, found by zooming in along that one: a narrow ridge may run between the
nodes of the grid. A peak may also lie between the nodes of the profile, so a node counts by a bound on the cells around
it: as far as the log density is concave, it lies below the lines through the two nodes on either side of a cell.
"""

import numpy as np

from simstudy.samplers.exact.axis import LIMIT
from simstudy.samplers.exact.problem import Problem

MASS_DROP = 26.0  # the density is followed down to exp(-26), 5e-12, of its peak
MOMENT_DROP = 17.0  # and the integrands of the moments to 4e-8 of theirs
POWERS = (1, 2)  # of the parameters: the moments that are looked after

_COARSE_NODES = 32
_FITS_AT_ONCE = 32  # arrays of 32 x 32 x 32 numbers stay in the cache
_MOST_ZOOMS = 12
_SETTLED = 0.8  # a box that keeps more than this of its sides is found
_FLATTEST = -0.05  # an integrand that falls more slowly than this with the logarithm of its parameter has no end
_PROFILE_ZOOMS, _PROFILE_NODES = 4, 8  # a cell is narrowed by 2/7 four times, to 0.7 % of it


def boxes(problem: Problem) -> tuple[np.ndarray, np.ndarray]:
    """Return the lower and upper ends of each posterior's box, both (fit, axis); 0 and 0 for a constant."""
    starts = range(0, problem.n_fits, _FITS_AT_ONCE)
    each = [_boxes(problem.take(np.arange(s, min(s + _FITS_AT_ONCE, problem.n_fits)))) for s in starts]
    lower, upper = (np.concatenate(ends) for ends in zip(*each, strict=True))
    return lower, upper


def nodes(lower: np.ndarray, upper: np.ndarray, n: int) -> np.ndarray:
    """Return n evenly spaced nodes between ends, behind the axes of the ends."""
    return lower[..., None] + (upper - lower)[..., None] * np.linspace(0.0, 1.0, n)


def _boxes(problem: Problem) -> tuple[np.ndarray, np.ndarray]:
    free = np.array([not axis.is_fixed for axis in problem.axes])
    upper = np.where(free, LIMIT, 0.0) * np.ones((problem.n_fits, 1))
    lower = -upper
    exists = np.ones((problem.n_fits, 2, len(POWERS)), bool)
    active = np.arange(problem.n_fits if free.any() else 0)
    for zoom in range(_MOST_ZOOMS):
        if not len(active):
            break
        some, sides = problem.take(active), upper[active] - lower[active]
        u = [nodes(lower[active, a], upper[active, a], _COARSE_NODES if free[a] else 1) for a in (0, 1)]
        log_density = some.log_density(u[0][:, :, None], u[1][:, None, :])
        for a in np.flatnonzero(free).tolist():
            profile, bound = _profile(some, u, log_density, a)
            log_value = np.log(np.abs(problem.axes[a].value(u[a])) + np.finfo(float).tiny)
            if zoom == 0:
                exists[active, a] = _moments_exist(profile, log_value, u[a])
            matters = _matters(profile, bound, log_value, exists[active, a])
            lower[active, a], upper[active, a] = _extent(u[a], matters)
        active = active[~((upper[active] - lower[active] > _SETTLED * sides) | ~free).all(axis=1)]
    return lower, upper


def _profile(problem: Problem, u: list[np.ndarray], log_density: np.ndarray, a: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the largest log density over the other axis that was found, and a bound on it, (fit, node of a)."""
    rows = log_density if a == 0 else np.swapaxes(log_density, 1, 2)
    other = u[1 - a]
    bound = profile = rows.max(2)
    for _ in range(_PROFILE_ZOOMS if other.shape[1] > 1 else 0):
        best = rows.argmax(2)[..., None]
        cells = np.broadcast_to(other if other.ndim == 3 else other[:, None, :], rows.shape)
        below, above = np.maximum(best - 1, 0), np.minimum(best + 1, rows.shape[2] - 1)
        lower, upper = (np.take_along_axis(cells, place, 2)[..., 0] for place in (below, above))
        other = nodes(lower, upper, _PROFILE_NODES)
        if a == 0:
            rows = problem.log_density(u[0][:, :, None], other)
        else:
            rows = np.swapaxes(problem.log_density(np.swapaxes(other, 1, 2), u[1][:, None, :]), 1, 2)
        profile, bound = np.maximum(profile, rows.max(2)), _cell_bound(rows).max(2)
    return profile, np.maximum(bound, _cell_bound(profile))


def _matters(profile: np.ndarray, bound: np.ndarray, log_value: np.ndarray, exists: np.ndarray) -> np.ndarray:
    """Return (fit, node) bool: near enough to the peak of the density, or of the integrand of a moment."""
    matters = bound > profile.max(1, keepdims=True) - MASS_DROP
    for k, power in enumerate(POWERS):
        peak = (profile + power * log_value).max(1, keepdims=True)
        matters |= exists[:, k, None] & (bound + power * log_value > peak - MOMENT_DROP)
    return matters


def _moments_exist(profile: np.ndarray, log_value: np.ndarray, u: np.ndarray) -> np.ndarray:
    """Return (fit, power) bool: whether the integrand of the moment falls at the far end of the range."""
    distance = u[:, -1] - u[:, -2]
    slopes = [(profile + power * log_value)[:, -2:] @ np.array([-1.0, 1.0]) / distance for power in POWERS]
    return np.stack(slopes, axis=1) < _FLATTEST


def _extent(u: np.ndarray, matters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the nodes just outside the first and the last that matter, each (fit,)."""
    last_node = u.shape[1] - 1
    first = np.maximum(matters.argmax(1) - 1, 0)
    last = np.minimum(last_node - matters[:, ::-1].argmax(1) + 1, last_node)
    fit = np.arange(len(u))
    return u[fit, first], u[fit, last]


def _cell_bound(f: np.ndarray) -> np.ndarray:
    """Return at each node of the last axis a bound on f in the cells that meet there, as far as f is concave."""
    rise = np.diff(f, axis=-1)
    unknown = np.full((*f.shape[:-1], 1), np.inf)
    from_left = f[..., :-1] + np.maximum(np.concatenate([unknown, rise[..., :-1]], -1), 0)
    from_right = f[..., 1:] + np.maximum(np.concatenate([-rise[..., 1:], unknown], -1), 0)
    cell = np.maximum(np.maximum(f[..., :-1], f[..., 1:]), np.minimum(from_left, from_right))
    return np.maximum(np.concatenate([cell[..., :1], cell], -1), np.concatenate([cell, cell[..., -1:]], -1))
