"""log p(y | total, sigma) of many rows: compiled where Numba is installed, by NumPy where it is not."""

from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from simstudy.samplers.exact.terms.spectral import SpectralProblem


ARGUMENTS = (
    "within",
    "squares",
    "count",
    "yy",
    "xy",
    "xx",
    "left_yy",
    "left_xy",
    "left_xx",
    "precision",
    "precision_mean",
    "mean_square",
    "log_det",
)


def log_marginals(problem: "SpectralProblem", first: np.ndarray, second: np.ndarray) -> np.ndarray:
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

    def compiled(problem: "SpectralProblem", first: np.ndarray, second: np.ndarray) -> np.ndarray:
        total, sigma = np.broadcast_arrays(first, second)
        shape = total.shape
        flat = (np.ascontiguousarray(x, float).reshape(shape[0], -1) for x in (total, sigma))
        return by_modes(*flat, *_arguments(problem)).reshape(shape)

    return compiled


def _arguments(p: "SpectralProblem") -> tuple[Any, ...]:
    return tuple(np.ascontiguousarray(getattr(p, name)) for name in ARGUMENTS)


def by_numpy(p: "SpectralProblem", first: np.ndarray, second: np.ndarray) -> np.ndarray:
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
