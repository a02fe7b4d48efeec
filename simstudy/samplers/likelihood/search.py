"""What a search moves: free parameters in units of their own, and the deviance and its gradient there.

Three forms: sigma *profiled* out, scales being relative to it (Bates et al. 2015, eq. 35); sigma *free*, moved on the
log scale, which is also the form in which uncertainty is looked at; sigma *held* at a constant.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from simstudy.samplers.likelihood.criterion import Data, Point, evaluate
from simstudy.samplers.likelihood.frame import Frame

Form = Literal["profiled", "free", "held"]
NEAR = 0.1
"""Least distance from 0 that steps of differences are a share of."""
HIGH = 1e300
"""Deviance where the covariance has no factor."""


@dataclass(frozen=True, kw_only=True)
class Search:
    """The deviance of a data set as a function of what a search moves.

    Args:
        frame: of the data's design.
        data: one data set.
        restricted: whether REML.
        form: what becomes of sigma.
        sigma: its constant value where it is held, its unit where it is free; 1 where it is profiled out.
    """

    frame: Frame
    data: Data
    restricted: bool
    form: Form
    sigma: float

    @property
    def names(self) -> tuple[str, ...]:
        """What the study calls the parameters that are moved."""
        return (*(f.study_name for f in self.frame.free), *(("sigma",) if self.form == "free" else ()))

    @property
    def bounds(self) -> list[tuple[float, float]]:
        """Of what is moved."""
        of_free = [tuple(self._moved(i, bound) for bound in f.bounds) for i, f in enumerate(self.frame.free)]
        return [(low, high) for low, high in of_free] + ([(-np.inf, np.inf)] if self.form == "free" else [])

    def parameters(self, x: np.ndarray) -> tuple[np.ndarray, float]:
        """Return the free parameters' values, and sigma."""
        values = np.array([self._value(i, x[i]) for i in range(len(self.frame.free))])
        return values, float(self.sigma * np.exp(x[-1])) if self.form == "free" else self.sigma

    def moved(self, values: np.ndarray, sigma: float) -> np.ndarray:
        """Return what is moved, given the free parameters' values and sigma."""
        x = [self._moved(i, value) for i, value in enumerate(values)]
        return np.array([*x, np.log(sigma / self.sigma)] if self.form == "free" else x)

    def natural(self, index: int, x: np.ndarray) -> np.ndarray:
        """Return values of a parameter given values of what is moved in its place."""
        if index == len(self.frame.free):
            return self.sigma * np.exp(x)
        kind, usual = self.frame.free[index].kind, self.frame.free[index].usual
        if kind == "scale":
            return x * usual * self.sigma
        return usual * np.exp(x) if kind == "length" else x

    def point(self, x: np.ndarray, *, with_gradient: bool = False) -> Point:
        """Return what the criterion is made of."""
        values, sigma = self.parameters(x)
        return evaluate(
            self.frame, self.data, values, sigma**2, restricted=self.restricted, with_gradient=with_gradient
        )

    def deviance(self, x: np.ndarray) -> float:
        """Return the deviance, very high where the covariance has no factor."""
        try:
            point = self.point(x)
        except np.linalg.LinAlgError:
            return HIGH
        return point.profiled if self.form == "profiled" else point.deviance

    def with_gradient(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the deviance and its gradient by what is moved."""
        try:
            point = self.point(x, with_gradient=True)
        except np.linalg.LinAlgError:
            return HIGH, np.zeros(len(x))
        return (point.profiled if self.form == "profiled" else point.deviance), self.gradient(x, point)

    def gradient(self, x: np.ndarray, point: Point) -> np.ndarray:
        """Return the gradient by what is moved, given a point with that by parameters."""
        assert point.gradient is not None  # it was asked for; for the type checker
        by_det, by_squares = point.gradient
        weight = point.n / point.squares if self.form == "profiled" else 1.0
        by_parameter = by_det + weight * by_squares
        out = [by_parameter[i] * self.slope(i, x[i]) for i in range(len(self.frame.free))]
        if self.form == "free":
            out.append(by_parameter[-1] * 2 * self.parameters(x)[1] ** 2)
        return np.array(out)

    def _value(self, index: int, x: float) -> float:
        return float(self.natural(index, np.asarray(x)))

    def _moved(self, index: int, value: float) -> float:
        free = self.frame.free[index]
        if free.kind == "scale":
            return value / (free.usual * self.sigma)
        return float(np.log(value / free.usual)) if free.kind == "length" else value

    def slope(self, index: int, x: np.ndarray) -> np.ndarray:
        """Return the derivative of a parameter by what is moved in its place."""
        if index == len(self.frame.free):
            return self.natural(index, x)
        free = self.frame.free[index]
        if free.kind == "scale":
            return np.full(np.shape(x), free.usual * self.sigma)
        return self.natural(index, x) if free.kind == "length" else np.ones(np.shape(x))


def curvature(search: Search, x: np.ndarray, moving: np.ndarray, step: float = 1e-4) -> tuple[np.ndarray, np.ndarray]:
    """Return the second derivatives of the deviance, and the first of the fixed effects' variance, by differences.

    Args:
        search: the deviance.
        x: where.
        moving: indices of what is moved; the others are held.
        step: of the differences.

    Returns:
        (moving, moving), and (moving, column, column).

    Raises:
        numpy.linalg.LinAlgError: the covariance has no factor near x.
    """
    n, p = len(moving), search.frame.n_fixed
    second, first = np.empty((n, n)), np.empty((n, p, p))
    for k, i in enumerate(moving):
        h = step * max(abs(x[i]), NEAR)
        ends = []
        for sign in (1, -1):
            at = x.copy()
            at[i] += sign * h
            point = search.point(at, with_gradient=True)
            ends.append((search.gradient(at, point)[moving], point.variance))
        second[k] = (ends[0][0] - ends[1][0]) / (2 * h)
        first[k] = (ends[0][1] - ends[1][1]) / (2 * h)
    return (second + second.T) / 2, first
