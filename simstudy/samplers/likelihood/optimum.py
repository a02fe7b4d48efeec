"""The maximum of the likelihood: L-BFGS-B from the best of a few starts, then Newton steps to rounding.

The deviance is even in a standard deviation, so that 0 is always a stationary point. Whether it is the best is asked of
the deviance itself: a small value goes to 0 where the deviance rises from there on, and one that a step threw to 0
starts again.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import minimize

from simstudy.samplers.likelihood.frame import Frame
from simstudy.samplers.likelihood.search import HIGH, Search, curvature

STARTS = (0.1, 0.3, 1.0, 3.0, 10.0, 100.0, 1000.0)
"""Values that all scales start from together, in their units."""
SMALL = 0.05
"""A scale below this is compared with 0."""
TINY = 1e-3
"""A scale below this is 0: its fourth power is what the deviance could tell it by."""
SAME = 1e-9
"""Deviances that differ by less are the same."""
NEWTON = 4
DECREMENT = 1e-5
"""Largest distance of the deviance from its minimum, by a quadratic at the end of a search, that counts as reached."""
FLAT = 1e-11
"""Smallest curvature, as a share of the largest, that counts as one."""
NOT_FOUND = "the search for the maximum of the likelihood did not end"


@dataclass(frozen=True, kw_only=True)
class Optimum:
    """Where the deviance is least.

    Args:
        x: what is moved.
        deviance: there.
        at_edge: (moved,) bool, at a bound, or without any effect because of another that is.
        reason: why it cannot be used; empty for none.
    """

    x: np.ndarray
    deviance: float
    at_edge: np.ndarray
    reason: str = ""


def minimum(search: Search) -> Optimum:
    """Return the least deviance of a data set."""
    free = search.frame.free
    is_scale = np.array([f.kind == "scale" for f in free] + [False] * (search.form == "free"), bool)
    usual = search.moved(np.array([f.usual for f in free]), search.sigma)
    if not len(usual):
        return Optimum(x=usual, deviance=search.deviance(usual), at_edge=np.zeros(0, bool))
    starts = [np.where(is_scale, start, usual) for start in (STARTS if is_scale.any() else (1.0,))]
    x = min(starts, key=search.deviance)
    x, least = _descended(search, x)
    for _ in range(len(x)):
        moved, below = _at_zero_or_not(search, x, least, is_scale)
        if np.array_equal(moved, x):
            break
        x, least = _descended(search, moved) if below else (moved, search.deviance(moved))
    return _polished(search, x, is_scale)


def _descended(search: Search, x: Any) -> tuple[np.ndarray, float]:
    options: Any = {"ftol": 1e-13, "gtol": 1e-7, "maxiter": 500}
    found = minimize(search.with_gradient, x, jac=True, method="L-BFGS-B", bounds=search.bounds, options=options)
    return np.asarray(found.x), float(found.fun)


def _at_zero_or_not(search: Search, x: np.ndarray, least: float, is_scale: np.ndarray) -> tuple[np.ndarray, bool]:
    """Return x with a scale taken to 0, or away from it, where that is better; and whether to search again."""
    for i in np.flatnonzero(is_scale & (x < SMALL)):
        other = x.copy()
        other[i] = SMALL if x[i] == 0 else 0.0
        below = search.deviance(other) - least
        if x[i] == 0 and below < -SAME:
            return other, True
        if x[i] > 0 and below <= SAME * max(1.0, abs(least)) and _rises_from_zero(search, other, int(i)):
            return other, False
    return x, False


def _rises_from_zero(search: Search, x: np.ndarray, index: int) -> bool:
    near = x.copy()
    near[index] = TINY
    return bool(search.with_gradient(near)[1][index] >= 0)


def _polished(search: Search, x: np.ndarray, is_scale: np.ndarray) -> Optimum:
    """Return the minimum after Newton steps in what is not at a bound."""
    values, _ = search.parameters(x)
    at_edge = np.array([f.is_at_edge(v) for f, v in zip(search.frame.free, values, strict=True)] + [False], bool)
    at_edge = at_edge[: len(x)]
    at_edge[: len(values)] |= undefined(search.frame, values)
    least, gradient = search.with_gradient(x)
    moving = np.flatnonzero(~at_edge)
    reason = "" if least < HIGH else NOT_FOUND
    for _ in range(NEWTON if len(moving) and not reason else 0):
        second, _ = curvature(search, x, moving)
        ends = np.linalg.eigvalsh(second)
        if ends[0] <= FLAT * abs(ends[-1]):
            reason = flat_words(search, moving)
            break
        step = np.zeros(len(x))
        step[moving] = np.linalg.solve(second, gradient[moving])
        decrement = float(gradient[moving] @ step[moving]) / 2
        tried = x - step
        below, slope = search.with_gradient(tried) if np.all(tried[is_scale] >= 0) else (HIGH, gradient)
        if below > least + SAME * max(1.0, abs(least)):
            reason = NOT_FOUND if decrement > DECREMENT else ""
            break
        x, least, gradient = tried, below, slope
        if decrement < SAME / 10:
            break
    return Optimum(x=x, deviance=least, at_edge=at_edge, reason=reason)


def undefined(frame: Frame, values: np.ndarray) -> np.ndarray:
    """Return (free,) whether a parameter says nothing: the correlation of an effect that does not vary."""
    return np.array(
        [f.kind != "scale" and not frame.derivative(i, values).any() for i, f in enumerate(frame.free)], bool
    )


def flat_words(search: Search, moving: np.ndarray) -> str:
    """Return what the data do not tell apart."""
    names = " and ".join(search.names[i] for i in moving) if len(moving) > 1 else search.names[moving[0]]
    return f"the likelihood is flat: these data do not tell {names}{' apart' if len(moving) > 1 else ''}"
