"""Moments and curves of what is normal given tau and sigma, for one data set, compiled: see ``gaussian.py``."""

import numpy as np

from simstudy.samplers.exact.compiled.curves import WIDTH, normals_curve
from simstudy.samplers.exact.compiled.native import compiled, inlined

_WIDEST_SPACING = 0.2  # of nodes on the log scale: a normal density is analytic in its log sd within pi / 4 of the line
_HALVED_ERROR = 1e-9  # of every second node, for that rule to serve distribution functions


@inlined
def _stride(weights: np.ndarray, spacing: float, axis: int) -> int:
    """Return which share of the nodes of an axis is enough for distribution functions: every one, second, fourth ..."""
    stride = 1
    while weights.shape[axis] > 1 and 2 * stride * spacing <= _WIDEST_SPACING:
        total = 0.0
        for i in range(0, weights.shape[0], 2 * stride if axis == 0 else 1):
            for k in range(0, weights.shape[1], 2 * stride if axis == 1 else 1):
                total += weights[i, k]
        if abs(2 * stride * total - 1) > _HALVED_ERROR:
            break
        stride *= 2
    return stride


@inlined
def _expectation(terms: np.ndarray, most_at_edge: float) -> float:
    """Return the sum of (node, node) terms, NaN with too large a share of it on a side of the grid: it has none."""
    rows, columns = terms.shape
    total, size = 0.0, 0.0
    for i in range(rows):
        for k in range(columns):
            total += terms[i, k]
            size += abs(terms[i, k])
    largest = 0.0
    if rows > 1:
        first, last = 0.0, 0.0
        for k in range(columns):
            first += abs(terms[0, k])
            last += abs(terms[rows - 1, k])
        largest = max(largest, first, last)
    if columns > 1:
        first, last = 0.0, 0.0
        for i in range(rows):
            first += abs(terms[i, 0])
            last += abs(terms[i, columns - 1])
        largest = max(largest, first, last)
    return total if size == 0 or largest < most_at_edge * size else np.nan


@compiled
def describe(
    weights: np.ndarray,
    spacings: tuple[float, float],
    tau: np.ndarray,
    sigma: np.ndarray,
    mu: tuple[np.ndarray, np.ndarray],
    n: np.ndarray,
    y: np.ndarray,
    center: float,
    most_at_edge: float,
    limits: tuple[float, float],
    moments: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Write moments, and return curves, of mu, of a new effect, and of the effects.

    Args:
        weights: (node, node) posterior of tau and sigma.
        spacings: of their nodes.
        tau: (node,).
        sigma: (node,).
        mu: mean, less the center, and variance of mu at every node, (node, node).
        n: (group,) observations, or 1 / se^2 where sigma is 1.
        y: (group,) means, less the center.
        center: what was subtracted.
        most_at_edge: share of a moment on a side of the grid with which it does not exist.
        limits: least weight that has a part in a distribution function; tau^2 that is none, as a share of the variance
            of mu.
        moments: (2 + group, 2) for mean and sd.

    Returns:
        (panel, 12) of all curves, and (curve + 1,) where they begin.
    """
    rows, columns = weights.shape
    gathered = weights.copy()
    strides = _stride(weights, spacings[0], 0), _stride(weights, spacings[1], 1)
    n_small = 0
    for i in range(rows):
        is_small = True
        for k in range(columns):
            is_small = is_small and tau[i] ** 2 < limits[1] * mu[1][i, k]
        if not is_small:
            break
        n_small += 1
    # All tau too small to make a difference are put on the largest of them.
    for i in range(n_small - 1):
        for k in range(columns):
            gathered[n_small - 1, k] += gathered[i, k]
            gathered[i, k] = 0.0
    if n_small > 1:
        strides = 1, strides[1]
    kept, total = 0, 0.0
    nodes, shares = np.empty((rows * columns, 2), np.int64), np.empty(rows * columns)
    for i in range(0, rows, strides[0]):
        for k in range(0, columns, strides[1]):
            if gathered[i, k] > limits[0]:
                nodes[kept, 0], nodes[kept, 1], shares[kept] = i, k, gathered[i, k]
                total += gathered[i, k]
                kept += 1
    shares = shares[:kept] / total
    inverse = 1 / sigma**2
    means, sds = np.empty(kept), np.empty(kept)
    mean, variance, terms = np.empty((rows, columns)), np.empty((rows, columns)), np.empty((rows, columns))
    curves, starts = np.empty((0, WIDTH)), np.zeros(moments.shape[0] + 1, np.int64)
    for quantity in range(moments.shape[0]):
        for i in range(rows):
            square = tau[i] ** 2
            if quantity < 2:
                for k in range(columns):
                    mean[i, k] = mu[0][i, k]
                    variance[i, k] = mu[1][i, k] + quantity * square
            else:
                size, at = n[quantity - 2] * square, y[quantity - 2]
                for k in range(columns):
                    b = 1 / (1 + size * inverse[k])
                    mean[i, k] = at + b * (mu[0][i, k] - at)
                    variance[i, k] = b * (square + b * mu[1][i, k])
        for i in range(rows):
            for k in range(columns):
                terms[i, k] = weights[i, k] * mean[i, k]
        overall = _expectation(terms, most_at_edge)
        moments[quantity, 0], moments[quantity, 1] = overall + center, np.nan
        if not np.isnan(overall):
            for i in range(rows):
                for k in range(columns):
                    terms[i, k] = weights[i, k] * (variance[i, k] + (mean[i, k] - overall) ** 2)
            moments[quantity, 1] = np.sqrt(_expectation(terms, most_at_edge))
        for j in range(kept):
            means[j] = mean[nodes[j, 0], nodes[j, 1]]
            sds[j] = np.sqrt(variance[nodes[j, 0], nodes[j, 1]])
        curve = normals_curve(shares, means, sds)
        for k in range(curve.shape[0]):
            curve[k, 0] += center
        curves = np.concatenate((curves, curve))
        starts[quantity + 1] = len(curves)
    return curves, starts
