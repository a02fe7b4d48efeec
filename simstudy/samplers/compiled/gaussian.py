"""Moments and curves of what is normal given tau and sigma, for one data set, compiled: see ``gaussian.py``."""

import numpy as np

from simstudy.samplers.compiled.curves import WIDTH, normals_curve
from simstudy.samplers.compiled.native import compiled, inlined

_WIDEST_SPACING = 0.25  # of nodes on the log scale: a normal density is analytic in its log sd within pi / 4 of it
_HALVED_ERROR = 1e-7  # of every second node, for that rule to serve distribution functions


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
def _at_edge(weights: np.ndarray, mean: np.ndarray, variance: np.ndarray, center: float, power: int) -> float:
    """Return the largest side's sum of |mean|, or of variance + (mean - center)^2 for a power of 2."""
    rows, columns = weights.shape
    largest = 0.0
    for side in range(4):
        if (side < 2 and rows == 1) or (side >= 2 and columns == 1):
            continue
        total = 0.0
        for j in range(columns if side < 2 else rows):
            i = (0 if side == 0 else rows - 1) if side < 2 else j
            k = j if side < 2 else (0 if side == 2 else columns - 1)
            if power == 1:
                total += weights[i, k] * abs(mean[i, k])
            else:
                total += weights[i, k] * (variance[i, k] + (mean[i, k] - center) ** 2)
        largest = max(largest, total)
    return largest


@inlined
def _write_moments(
    weights: np.ndarray, mean: np.ndarray, variance: np.ndarray, most_at_edge: float, out: np.ndarray
) -> None:
    """Write mean and sd from those at the nodes, NaN with too large a share of a moment on a side of the grid."""
    rows, columns = weights.shape
    overall, size = 0.0, 0.0
    for i in range(rows):
        for k in range(columns):
            term = weights[i, k] * mean[i, k]
            overall += term
            size += abs(term)
    spread = 0.0
    for i in range(rows):
        for k in range(columns):
            spread += weights[i, k] * (variance[i, k] + (mean[i, k] - overall) ** 2)
    out[0], out[1] = np.nan, np.nan
    if size == 0 or _at_edge(weights, mean, variance, 0.0, 1) < most_at_edge * size:
        out[0] = overall
        if spread == 0 or _at_edge(weights, mean, variance, overall, 2) < most_at_edge * spread:
            out[1] = np.sqrt(spread)


@compiled
def describe(
    weights: np.ndarray,
    spacings: tuple[float, float],
    scales: tuple[np.ndarray, np.ndarray],
    mu: tuple[np.ndarray, np.ndarray],
    n: np.ndarray,
    y: np.ndarray,
    center: float,
    most_at_edge: float,
    limits: tuple[float, float],
    moments: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Write moments of tau, sigma, mu, a new effect and the effects, and return curves of all but tau and sigma.

    Args:
        weights: (node, node) posterior of tau and sigma.
        spacings: of their nodes.
        scales: tau and sigma, (node,) each.
        mu: mean, less the center, and variance of mu at every node, (node, node).
        n: (group,) observations, or 1 / se^2 where sigma is 1.
        y: (group,) means, less the center.
        center: what was subtracted.
        most_at_edge: share of a moment on a side of the grid with which it does not exist.
        limits: least weight that has a part in a distribution function; tau^2 that is none, as a share of the variance
            of mu.
        moments: (4 + group, 2) for mean and sd.

    Returns:
        (panel, 12) of all curves, and (curve + 1,) where they begin.
    """
    tau, sigma = scales
    rows, columns = weights.shape
    strides = _stride(weights, spacings[0], 0), _stride(weights, spacings[1], 1)
    gathered = np.zeros((rows, columns))
    n_small = 0
    for i in range(rows):
        is_small = n_small == i
        for k in range(columns):
            is_small = is_small and tau[i] ** 2 < limits[1] * mu[1][i, k]
        n_small += is_small
    # All tau too small to make a difference are put on the largest of them.
    largest_small = (n_small - 1) // strides[0] * strides[0]
    for i in range(0, rows, strides[0]):
        for k in range(0, columns, strides[1]):
            gathered[max(i, largest_small), k] += weights[i, k]
    kept, total = 0, 0.0
    nodes, shares = np.empty((rows * columns, 2), np.int64), np.empty(rows * columns)
    least = limits[0] / (strides[0] * strides[1])
    for i in range(0, rows, strides[0]):
        for k in range(0, columns, strides[1]):
            if gathered[i, k] > least:
                nodes[kept, 0], nodes[kept, 1], shares[kept] = i, k, gathered[i, k]
                total += gathered[i, k]
                kept += 1
    shares = shares[:kept] / total
    inverse = 1 / sigma**2
    means, sds = np.empty(kept), np.empty(kept)
    mean, variance = np.empty((rows, columns)), np.empty((rows, columns))
    n_curves = moments.shape[0] - 2
    panels, starts = np.empty((n_curves * 64, WIDTH)), np.zeros(n_curves + 1, np.int64)
    for quantity in range(n_curves + 2):
        for i in range(rows):
            square = tau[i] ** 2
            if quantity < 2:
                for k in range(columns):
                    mean[i, k] = tau[i] if quantity == 0 else sigma[k]
                    variance[i, k] = 0.0
            elif quantity < 4:
                for k in range(columns):
                    mean[i, k] = mu[0][i, k]
                    variance[i, k] = mu[1][i, k] + (quantity - 2) * square
            else:
                size, at = n[quantity - 4] * square, y[quantity - 4]
                for k in range(columns):
                    b = 1 / (1 + size * inverse[k])
                    mean[i, k] = at + b * (mu[0][i, k] - at)
                    variance[i, k] = b * (square + b * mu[1][i, k])
        _write_moments(weights, mean, variance, most_at_edge, moments[quantity])
        if quantity < 2:
            continue
        moments[quantity, 0] += center
        for j in range(kept):
            means[j] = mean[nodes[j, 0], nodes[j, 1]]
            sds[j] = np.sqrt(variance[nodes[j, 0], nodes[j, 1]])
        curve = normals_curve(shares, means, sds)
        start = starts[quantity - 2]
        stop = start + len(curve)
        if stop > len(panels):
            longer = np.empty((2 * stop, WIDTH))
            longer[:start] = panels[:start]
            panels = longer
        panels[start:stop] = curve
        panels[start:stop, 0] += center
        starts[quantity - 1] = stop
    return panels[: starts[n_curves]], starts
