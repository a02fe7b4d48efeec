"""log p(y | total, sigma) of many rows: compiled where Numba is installed, by NumPy where it is not."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cache
from importlib.util import find_spec
from typing import Any

import numpy as np


@dataclass(frozen=True, kw_only=True, eq=False)
class Modes:
    """What the densities of rows are made of.

    Args:
        within: (row, 4) n_within, a, log_s and constant of the likelihood's statistics.
        squares: (row, class) distinct squares of singular values.
        count: (row, class) number of modes.
        yy: (row, class) sums over modes of squares of the data; of products with the columns of the location, and of
            these with each other, in ``xy`` (row, class, column) and ``xx`` (row, class, column, column).
        left_yy: (row,) what no mode has of y'y; of x'y and x'x in ``left_xy`` and ``left_xx``.
        precision: (row, column, column) of the prior of the location.
        precision_mean: (row, column) its product with the prior mean.
        mean_square: (row,) and with both.
        log_det: (row,) log of its determinant.
    """

    within: np.ndarray
    squares: np.ndarray
    count: np.ndarray
    yy: np.ndarray
    xy: np.ndarray
    xx: np.ndarray
    left_yy: np.ndarray
    left_xy: np.ndarray
    left_xx: np.ndarray
    precision: np.ndarray
    precision_mean: np.ndarray
    mean_square: np.ndarray
    log_det: np.ndarray


ARGUMENTS = tuple(field.name for field in fields(Modes))
"""In the order in which the compiled loop takes them."""


def log_marginals(problem: Modes, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return log p(y | total, sigma).

    Args:
        problem: rows.
        first: totals, which broadcast with the sigmas to (row, node, node).
        second: sigmas.
    """
    return density()(problem, first, second)


@cache
def density() -> Callable[..., np.ndarray]:
    """Return the fastest way there is."""
    if find_spec("numba") is None:
        return by_numpy
    from simstudy.samplers.compiled.modes import by_modes

    def compiled(problem: Modes, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        total, sigma = np.broadcast_arrays(first, second)
        shape = total.shape
        flat = (np.ascontiguousarray(x, float).reshape(shape[0], -1) for x in (total, sigma))
        return by_modes(*flat, *_arguments(problem)).reshape(shape)

    return compiled


def _arguments(p: Modes) -> tuple[Any, ...]:
    return tuple(np.ascontiguousarray(getattr(p, name)) for name in ARGUMENTS)


def by_numpy(p: Modes, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the log densities by NumPy."""
    total, sigma = np.broadcast_arrays(first, second)
    ratio, i2 = (total / sigma) ** 2, sigma**-2.0
    behind = (slice(None), None, None)
    log_v, yy = np.zeros(total.shape), p.left_yy[behind] * np.ones(total.shape)
    xy, xx = (
        np.array(p.left_xy[behind] + np.zeros((*total.shape, 1))),
        p.left_xx[behind] + np.zeros((*total.shape, 1, 1)),
    )
    for k in range(p.squares.shape[1]):
        v = 1 + ratio * p.squares[:, k][behind]
        log_v += p.count[:, k][behind] * np.log(v)
        yy += p.yy[:, k][behind] / v
        xy = xy + p.xy[:, k][behind] / v[..., None]
        xx = xx + p.xx[:, k][behind] / v[..., None, None]
    squares, log_a = yy * i2 + p.mean_square[behind], 0.0
    if xy.shape[-1]:
        a = xx * i2[..., None, None] + p.precision[behind]
        r = xy * i2[..., None] + p.precision_mean[behind]
        squares = np.maximum(squares - (r * np.linalg.solve(a, r[..., None])[..., 0]).sum(-1), 0.0)
        log_a = np.linalg.slogdet(a)[1] - p.log_det[behind]
    n_within, spread, log_s, constant = (column[behind] for column in p.within.T)
    d = np.log(sigma) - log_s
    within = n_within * d + 0.5 * spread * np.expm1(-2 * d)
    return constant - within - 0.5 * (log_v + log_a + squares)
