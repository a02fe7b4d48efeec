"""The profile of the deviance by a parameter, and the confidence that it gives to each value.

With D(x) the least deviance at a value x of a parameter and D_0 the least of all, the signed root
zeta(x) = sign(x - estimate) sqrt(D(x) - D_0) is nearly standard normal at the truth, so that Phi(zeta) is a
distribution of confidence and its quantiles bound the intervals of lme4's ``confint`` (Bates et al. 2015, section 5.1).
A value beyond which the parameter cannot go has the confidence that is left: where zeta does not reach a quantile
before 0, the quantile is 0.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.special import ndtr, ndtri

from simstudy.samplers.likelihood.search import Search

REACH = 2.9
"""Largest |zeta| that is looked for: beyond lie less than .002 of the confidence."""
SPACING = 0.8
"""Distance of zeta from one value to the next that is aimed at."""
TOO_FAR, SHORTEST = 1.8, 0.1
"""A step by more than so many spacings is taken again, shorter by this factor at most."""
MOST = 40
"""Steps to a side, at most."""
FIRST = 0.05
"""First step from an edge, in the unit of a scale."""
SMALL = 1e-7
"""The deviance is this near to its least at a profiled value."""
ROUNDS = 15
BISECTIONS = 45


@dataclass(frozen=True, kw_only=True)
class Profile:
    """The signed root at some values, interpolated by cubics with its slopes.

    Args:
        values: (value,) rising, of the parameter.
        zeta: (value,) rising.
        slopes: (value,) of zeta.
        is_lower_end: whether the first value is the least that the parameter can have.
        is_upper_end: whether the last value is the largest.
    """

    values: np.ndarray
    zeta: np.ndarray
    slopes: np.ndarray
    is_lower_end: bool
    is_upper_end: bool

    def root(self, value: float) -> float:
        """Return zeta at a value, along the last slope beyond the ends."""
        v = self.values
        if value <= v[0]:
            return -np.inf if self.is_lower_end and value < v[0] else self.zeta[0] + self.slopes[0] * (value - v[0])
        if value >= v[-1]:
            return np.inf if self.is_upper_end and value > v[-1] else self.zeta[-1] + self.slopes[-1] * (value - v[-1])
        return self._within(int(np.searchsorted(v, value, side="right")) - 1, value)

    def cdf(self, value: float) -> float:
        """Return the confidence that the parameter is less than a value; NaN for NaN."""
        if np.isnan(value) or (self.is_lower_end and value <= self.values[0]):
            return np.nan if np.isnan(value) else 0.0
        return float(ndtr(self.root(value)))

    def quantile(self, probability: float) -> float:
        """Return the value that the parameter is less than with a confidence."""
        z, v = float(ndtri(probability)), self.values
        if z <= self.zeta[0]:
            return v[0] if self.is_lower_end else v[0] + (z - self.zeta[0]) / self.slopes[0]
        if z >= self.zeta[-1]:
            return v[-1] if self.is_upper_end else v[-1] + (z - self.zeta[-1]) / self.slopes[-1]
        piece = int(np.searchsorted(self.zeta, z, side="right")) - 1
        low, high = float(v[piece]), float(v[piece + 1])
        for _ in range(BISECTIONS):
            middle = (low + high) / 2
            low, high = (middle, high) if self._within(piece, middle) < z else (low, middle)
        return (low + high) / 2

    @property
    def sd(self) -> float:
        """Half of the interval of 68 %, which is the standard error where the likelihood is that of a normal.

        The curvature at an estimate near 0 says nothing of how far from it the parameter may be.
        """
        return (self.quantile(float(ndtr(1))) - self.quantile(float(ndtr(-1)))) / 2

    def _within(self, piece: int, value: float) -> float:
        width = self.values[piece + 1] - self.values[piece]
        t = (value - self.values[piece]) / width
        a, b = self.zeta[piece], self.zeta[piece + 1]
        rise, fall = self.slopes[piece] * width - (b - a), (b - a) - self.slopes[piece + 1] * width
        return float((1 - t) * a + t * b + t * (1 - t) * ((1 - t) * rise + t * fall))


def profile(search: Search, x: np.ndarray, index: int, second: np.ndarray, at_edge: np.ndarray) -> Profile:
    """Return the profile by one of what is moved.

    Args:
        search: the deviance.
        x: its minimum.
        index: of the parameter.
        second: (moved, moved) second derivatives at the minimum; those at an edge have a curvature of 1 and no other.
        at_edge: (moved,) whether it is at a bound.
    """
    least = search.deviance(x)
    variance = np.linalg.inv(second)
    unit = FIRST if at_edge[index] else SPACING * np.sqrt(2 * variance[index, index])
    low, high = search.bounds[index]
    others = np.delete(np.arange(len(x)), index)
    inverse = np.linalg.inv(second[np.ix_(others, others)])
    tangent = np.zeros(len(x))
    tangent[others] = -inverse @ second[others, index]
    tangent[index] = 1.0
    sides: list[list[tuple[float, float, float]]] = [[], []]
    ends = [False, False]
    for side, (sign, bound) in enumerate(((-1, low), (1, high))):
        if sign * (bound - x[index]) <= 0:
            ends[side] = True
            continue
        at, root, step, direction = x, 0.0, unit, tangent
        for _ in range(MOST):
            value = at[index] + sign * step
            is_end = sign * (bound - value) <= 0
            value = bound if is_end else value
            start = at + (value - at[index]) * direction
            start[index] = value
            found, deviance, slope = _lowest(search, start, index, inverse, at_edge, at)
            reached = sign * np.sqrt(max(deviance - least, 0.0))
            rise = max(abs(reached - root), 1e-9)
            if rise > TOO_FAR * SPACING:
                step = abs(value - at[index]) * max(SPACING / rise, SHORTEST)
                continue
            sides[side].append((value, reached, slope / (2 * reached) if reached else 0.0))
            direction = (found - at) / (value - at[index])
            step *= float(np.clip(SPACING / rise, 0.4, 2.5))
            at, root, ends[side] = found, reached, is_end
            if is_end or abs(root) >= REACH:
                break
    middle = (x[index], 0.0, 1 / np.sqrt(2 * variance[index, index]))
    if at_edge[index]:
        if not (sides[0] or sides[1]):
            raise np.linalg.LinAlgError("no profile leads away from an edge")
        nearest = (sides[0] or sides[1])[0]
        middle = (x[index], 0.0, nearest[1] / (nearest[0] - x[index]))
    values, zeta, slopes = np.array([*reversed(sides[0]), middle, *sides[1]]).T
    natural = search.natural(index, values)
    by_natural = search.slope(index, values)
    return Profile(
        values=natural,
        zeta=np.maximum.accumulate(zeta),
        slopes=np.maximum(slopes / by_natural, 0.0),
        is_lower_end=ends[0],
        is_upper_end=ends[1],
    )


def _lowest(
    search: Search, x: np.ndarray, index: int, inverse: np.ndarray, at_edge: np.ndarray, before: np.ndarray
) -> tuple[np.ndarray, float, float]:
    """Return where the deviance is least with one parameter held, how high it is, and its slope by that parameter."""
    others = np.flatnonzero(np.arange(len(x)) != index)
    bounds = search.bounds
    if not at_edge[others].any():
        found = _quasi_newton(search, x, others, inverse, bounds)
        if found is not None:
            return found[0], found[1], float(found[2][index])
    start = before.copy()
    start[index] = x[index]
    lifted = at_edge & np.array([b == (0.0, np.inf) for b in bounds])
    start[lifted & (start == 0)] = FIRST
    start[index] = x[index]

    def of_others(part: Any) -> tuple[float, np.ndarray]:
        at = start.copy()
        at[others] = part
        deviance, gradient = search.with_gradient(at)
        return deviance, gradient[others]

    if len(others):
        options: Any = {"ftol": 1e-10, "gtol": 1e-5}
        found_part = minimize(
            of_others, start[others], jac=True, method="L-BFGS-B", bounds=[bounds[i] for i in others], options=options
        ).x
        start[others] = found_part
    deviance, gradient = search.with_gradient(start)
    return start, deviance, float(gradient[index])


def _quasi_newton(
    search: Search, x: np.ndarray, others: np.ndarray, inverse: np.ndarray, bounds: list[tuple[float, float]]
) -> tuple[np.ndarray, float, np.ndarray] | None:
    """Return the minimum over the others by BFGS steps from near it, or None where they do not lead there."""
    low, high = np.array([bounds[i] for i in others]).reshape(-1, 2).T
    if np.any(x[others] < low) or np.any(x[others] > high):
        return None
    inverse = inverse.copy()
    deviance, gradient = search.with_gradient(x)
    for _ in range(ROUNDS):
        g = gradient[others]
        step = -inverse @ g
        if -(g @ step) / 2 < SMALL:
            return x, deviance, gradient
        tried = x.copy()
        tried[others] += step
        if np.any(tried[others] < low) or np.any(tried[others] > high):
            return None
        below, slope = search.with_gradient(tried)
        change = slope[others] - g
        along = float(change @ step)
        if below > deviance + SMALL or along <= 0:
            return None
        outer = np.eye(len(step)) - np.outer(step, change) / along
        inverse = outer @ inverse @ outer.T + np.outer(step, step) / along
        x, deviance, gradient = tried, below, slope
    return None
