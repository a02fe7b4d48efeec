"""Mean and variance of every Gaussian number of a data set at the nodes of a grid of (total, sigma)."""

from dataclasses import dataclass

import numpy as np

from simstudy.samplers.exact.grid import Grid
from simstudy.samplers.exact.terms.design import Node, along, beyond
from simstudy.samplers.exact.terms.spectral import OneData, SpectralProblem

LEAST_WEIGHT = 1e-8
"""Lighter nodes of a grid have no part in numbers that are normal given them."""
EVERY = 2
"""Which nodes of each axis have one: grids are refined until every second node alone is right to 1e-5."""


@dataclass(frozen=True, kw_only=True)
class Given:
    """Normal distributions at the nodes of one grid that have weight, numbers less ``base_of``.

    Args:
        weight: (node,) that sum to 1.
        total: (node,).
        sigma: (node,).
        mean: (node, number).
        variance: (node, number).
    """

    weight: np.ndarray
    total: np.ndarray
    sigma: np.ndarray
    mean: np.ndarray
    variance: np.ndarray


def base_of(data: OneData, node: Node) -> np.ndarray:
    """Return what means are told less of, (number,): constants and the fit of the location."""
    return node.constant + node.of_location @ data.fitted


def given(data: OneData, node: Node, problem: SpectralProblem, grid: Grid) -> Given:
    """Return the distributions of all numbers at the nodes of a grid.

    Args:
        data: the data set.
        node: its design at outer coordinates.
        problem: of one row, for its axes.
        grid: its grid.
    """
    first, second = (axis.value(u) for axis, u in zip(problem.axes, grid.coordinates, strict=True))
    weights = grid.weights[::EVERY, ::EVERY]
    i, j = np.nonzero(weights > LEAST_WEIGHT)
    weight, total, sigma = weights[i, j], first[::EVERY][i], second[::EVERY][j]
    moves = Moves.of(data, node, total, sigma)
    return Given(
        weight=weight / weight.sum(),
        total=total,
        sigma=sigma,
        mean=moves.location @ node.of_location.T + moves.modes @ node.of_modes.T,
        variance=_variance(node, moves, total),
    )


@dataclass(frozen=True, kw_only=True)
class Moves:
    """The posterior of location and modes at given scales.

    Args:
        q: (node, mode) 1 / (1 + (total s / sigma)^2), the posterior variance of a mode given the location.
        gain: (node, mode) total times what a mode's mean has of its residual.
        root: (node, column, column) Cholesky factor of the precision of the location.
        location: (node, column) its mean, less the fit.
        modes: (node, mode) total times the modes' means at that location.
    """

    q: np.ndarray
    gain: np.ndarray
    root: np.ndarray
    location: np.ndarray
    modes: np.ndarray

    @classmethod
    def of(cls, data: OneData, node: Node, total: np.ndarray, sigma: np.ndarray) -> "Moves":
        """Return the posterior at pairs of (total, sigma), each (node,)."""
        design = data.design
        c, e = along(data.y, node.left), node.x_along
        ratio, i2 = (total / sigma) ** 2, sigma**-2.0
        q = 1 / (1 + ratio[:, None] * node.singular**2)
        gain = ratio[:, None] * node.singular * q
        p = design.x.shape[1]
        if not p:
            nothing = np.zeros((len(total), 0))
            return cls(q=q, gain=gain, root=np.zeros((len(total), 0, 0)), location=nothing, modes=gain * c)
        left_y, left_x = beyond(data.y, node.left), node.x_beyond
        xx = left_x.T @ left_x + (q @ (e[:, :, None] * e[:, None, :]).reshape(len(c), p * p)).reshape(-1, p, p)
        xy = left_x.T @ left_y + q @ (e * c[:, None])
        a = xx * i2[:, None, None] + design.prior_precision
        r = xy * i2[:, None] + design.prior_precision @ data.prior_mean
        location = np.linalg.solve(a, r[..., None])[..., 0]
        return cls(q=q, gain=gain, root=np.linalg.cholesky(a), location=location, modes=gain * (c - location @ e.T))


def _variance(node: Node, moves: Moves, total: np.ndarray) -> np.ndarray:
    """Return (node, number) variances."""
    out = total[:, None] ** 2 * (moves.q @ (node.of_modes**2).T + node.unseen)
    e = node.x_along
    p = e.shape[1]
    if not p:
        return out
    each = [node.of_location[:, k] - (moves.gain * e[:, k]) @ node.of_modes.T for k in range(p)]
    if p == 1:
        return out + (each[0] / moves.root[:, 0]) ** 2
    solved: list[np.ndarray] = []
    for k in range(p):  # forward substitution, all numbers at once
        left = each[k] - sum((moves.root[:, k, m, None] * solved[m] for m in range(k)), 0.0)
        solved.append(left / moves.root[:, k, k, None])
    return out + sum(part**2 for part in solved)
