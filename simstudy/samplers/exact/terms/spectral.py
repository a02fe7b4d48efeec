"""Posteriors over (total, sigma) of data whose modes are independent at given outer coordinates.

With V = I + (total / sigma)^2 M M', b the coefficients of the location with the prior Normal(m, D), and x, y weighted
with the root of the cells' observations (Gelman et al. 2013, Bayesian Data Analysis, sections 14.2 and 15.3):

    A = x' V^-1 x / sigma^2 + D^-1,    b | y ~ Normal(A^-1 r, A^-1),    r = x' V^-1 y / sigma^2 + D^-1 m
    log p(y | total, sigma) = -(N log sigma + log |V| / 2 + log |D| / 2 + log |A| / 2)
                              - (y' V^-1 y / sigma^2 + m' D^-1 m - r' A^-1 r) / 2 + constant.

Every product with V^-1 is a sum over modes, those of one singular value together. y is taken less its own fit, so that
squares lose no digits.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Self

import numpy as np

from simstudy.models.priors import constant
from simstudy.samplers.exact.axis import Axis
from simstudy.samplers.exact.grid import Grid
from simstudy.samplers.exact.problem import FLOOR, Problem
from simstudy.samplers.exact.quantities import Quantities
from simstudy.samplers.exact.terms.design import Node, TermsDesign, along, beyond
from simstudy.samplers.exact.terms.marginal_density import Modes, log_marginals

_SAME = 1e-9
"""Of the largest: squares of singular values no farther apart are one."""


_LEAST_SIGMA, _STEEP = 1e-9, 10.0


@dataclass(frozen=True, kw_only=True)
class TotalAxis(Axis):
    """The total of several scales, by its logarithm; the scales have the priors."""

    @property
    def is_fixed(self) -> bool:
        """Never."""
        return False

    @property
    def bounds(self) -> tuple[float, float]:
        """All positive numbers."""
        return 0.0, np.inf

    def value(self, u: np.ndarray) -> np.ndarray:
        """Return the exponential."""
        return np.exp(u)

    def coordinate(self, x: np.ndarray) -> np.ndarray:
        """Return the logarithm."""
        with np.errstate(divide="ignore"):
            return np.log(x)

    def log_prior(self, u: np.ndarray) -> np.ndarray:
        """Return 0."""
        return np.zeros_like(u)


@dataclass(frozen=True, kw_only=True, eq=False)
class OneData:
    """One data set of a design, less the fit of the location.

    Args:
        design: what it is a data set of.
        y: (cell,) weighted means of the cells, less the fit.
        fitted: (column,) coefficients of the fit.
        within: (4,) n_within, a, log_s and constant of the likelihood's statistics.
    """

    design: TermsDesign
    y: np.ndarray
    fitted: np.ndarray
    within: np.ndarray

    @property
    def floor(self) -> float:
        """Log of a sigma that is next to nothing beside the spread of the data; -inf where they have none."""
        n_within, a, log_s, _ = self.within
        squares = float(self.y @ self.y) + float(a * np.exp(2 * log_s))
        n = max(float(n_within), len(self.y), 1.0)
        return float(np.log(_LEAST_SIGMA) + 0.5 * np.log(squares / n)) if squares > 0 else -np.inf

    @property
    def prior_mean(self) -> np.ndarray:
        """(column,) of the location, less the fit."""
        return self.design.prior_mean - self.fitted


def one_data(design: TermsDesign, stats: Mapping[str, np.ndarray]) -> OneData:
    """Return a data set as its modes need it.

    Args:
        design: of its cells.
        stats: sufficient statistics of the likelihood, of one fit.
    """
    y = np.where(design.root > 0, design.root * (np.nan_to_num(stats["y_mean"]) - design.offset), 0.0)
    fitted = np.linalg.lstsq(design.x, y, rcond=None)[0] if design.x.shape[1] else np.zeros(0)
    within = np.array([float(stats.get(name, 0.0)) for name in ("n_within", "a", "log_s", "constant")])
    return OneData(design=design, y=y - design.x @ fitted, fitted=fitted, within=within)


@dataclass(frozen=True, kw_only=True)
class SpectralProblem(Modes, Problem):
    """Posteriors over (total, sigma), one for every data set and node of the outer coordinates.

    Args:
        axes: total (or the only scale) and sigma.
        scale_axes: the scales whose priors the total has; none where the first axis has its own.
        shifts: (row, scale) log of scale over total.
        floor: (row,) log of the sigma below which the density is let fall: where terms fit every cell it has nothing
            but rounding there, and its mass is below 1e-9 of what sigma has at the size of the data.
    """

    axes: tuple[Axis, Axis]
    scale_axes: tuple[Axis, ...]
    shifts: np.ndarray
    floor: np.ndarray

    @property
    def n_fits(self) -> int:
        """Number of rows."""
        return len(self.within)

    def take(self, index: np.ndarray) -> Self:
        """Return the problem of some of the rows."""
        names = [f.name for f in fields(self) if f.name not in ("axes", "scale_axes")]
        return replace(self, **{name: getattr(self, name)[index] for name in names})

    def log_marginal(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """Return log p(y | total, sigma)."""
        return log_marginals(self, first, second)

    def log_density(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """Return the log joint density of data and coordinates."""
        density = super().log_density(first, second)
        if not self.axes[1].is_fixed:
            with np.errstate(divide="ignore"):
                below = np.maximum(self.floor[:, None, None] - np.log(self.axes[1].value(second)), 0.0)
            density = density - _STEEP * below**2
        for k, axis in enumerate(self.scale_axes):
            with np.errstate(over="ignore", invalid="ignore"):
                density = density + axis.log_prior(first + self.shifts[:, k, None, None])
        return np.maximum(np.where(np.isnan(density), FLOOR, density), FLOOR)

    def draw_others(self, first: np.ndarray, second: np.ndarray, stream: np.random.Generator) -> dict[str, np.ndarray]:
        """Nothing: what was integrated out is drawn for all nodes together."""
        raise NotImplementedError

    def quantities(self, grid: Grid) -> Quantities:
        """Nothing: quantities are mixtures over all nodes."""
        raise NotImplementedError


def axes_of(design: TermsDesign) -> tuple[tuple[Axis, Axis], tuple[Axis, ...]]:
    """Return the axes of total and sigma, and those of the scales that the total stands for."""
    hyper = design.hyper
    sigma = Axis(name="sigma", prior=hyper.sigma or constant(1.0))
    if len(hyper.scales) > 1:
        return (TotalAxis(name="total", prior=hyper.scales[0].prior), sigma), tuple(s.axis for s in hyper.scales)
    if hyper.scales:
        return (hyper.scales[0].axis, sigma), ()
    return (Axis(name="total", prior=constant(1.0)), sigma), ()


def spectral_problem(rows: Sequence[tuple[OneData, tuple[float, ...]]]) -> SpectralProblem:
    """Return the problem of data sets of one model, each at outer coordinates.

    Args:
        rows: data sets and outer coordinates.
    """
    axes, scale_axes = axes_of(rows[0][0].design)
    each = [_row(data, data.design.node(t), data.design.log_shares(t)) for data, t in rows]
    n_classes = max(len(one["squares"]) for one in each)
    stacked = {name: np.stack([_padded(one[name], name, n_classes) for one in each]) for name in each[0]}
    return SpectralProblem(axes=axes, scale_axes=scale_axes, **stacked)


_OF_CLASSES = ("squares", "count", "yy", "xy", "xx")


def _padded(value: np.ndarray, name: str, n_classes: int) -> np.ndarray:
    if name not in _OF_CLASSES:
        return value
    return np.pad(value, [(0, n_classes - len(value)), *[(0, 0)] * (value.ndim - 1)])


def _row(data: OneData, node: Node, shifts: np.ndarray) -> dict[str, Any]:
    design = data.design
    c, left_y = along(data.y, node.left), beyond(data.y, node.left)
    e, left_x = node.x_along, node.x_beyond
    squares, starts = _classes(node.singular**2)
    mean, precision = data.prior_mean, design.prior_precision
    sums = {"yy": c * c, "xy": e * c[:, None], "xx": e[:, :, None] * e[:, None, :]}
    return {
        "shifts": shifts,
        "within": data.within,
        "squares": squares,
        "count": np.diff(np.append(starts, len(c))).astype(float),
        **{name: np.add.reduceat(value, starts, axis=0) if len(starts) else value for name, value in sums.items()},
        "left_yy": left_y @ left_y,
        "left_xy": left_x.T @ left_y,
        "left_xx": left_x.T @ left_x,
        "precision": precision,
        "precision_mean": precision @ mean,
        "mean_square": mean @ precision @ mean,
        "log_det": np.asarray(design.prior_log_det),
        "floor": np.asarray(data.floor),
    }


def _classes(squares: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return distinct squares, falling, and where each begins."""
    if not len(squares):
        return squares, np.zeros(0, int)
    starts = np.flatnonzero(np.append(True, -np.diff(squares) > _SAME * squares[0]))
    return squares[starts], starts
