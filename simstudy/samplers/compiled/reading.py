"""What is read off the curve of a distribution function, compiled: quantiles, probabilities, intervals and scores."""

import numpy as np
from numpy.polynomial.legendre import leggauss

from simstudy.samplers.compiled.native import compiled, inlined
from simstudy.samplers.exact.distribution import LEAST

_STEPS = 60
_SETTLED = 1e-14
_NODES, _WEIGHTS = ((leggauss(10)[0] + 1) / 2, leggauss(10)[1] / 2)


@inlined
def _forward(u: float, lower: float, upper: float) -> float:
    """Return the number at a coordinate."""
    if lower == -np.inf:
        x = u
    elif upper == np.inf:
        x = lower + np.exp(u)
    else:
        x = lower + (upper - lower) / (1 + np.exp(-u))
    return x


@inlined
def _stretch(u: float, lower: float, upper: float) -> float:
    """Return the derivative of the number by its coordinate."""
    if lower == -np.inf:
        slope = 1.0
    elif upper == np.inf:
        slope = np.exp(u)
    else:
        e = np.exp(-abs(u))
        slope = (upper - lower) * e / (1 + e) ** 2
    return slope


@inlined
def _backward(x: float, lower: float, upper: float) -> float:
    """Return the coordinate of a number, -inf and inf outside its range."""
    if lower == -np.inf:
        u = x
    elif x <= lower:
        u = -np.inf
    elif upper == np.inf:
        u = np.log(x - lower)
    elif x >= upper:
        u = np.inf
    else:
        u = np.log((x - lower) / (upper - x))
    return u


@inlined
def _below(curve: np.ndarray, k: int, t: float) -> float:
    """Return the distribution function at a share t of the way through a panel."""
    v = t - 1
    tail = curve[k, 7] + v * (curve[k, 8] + v * (curve[k, 9] + v * (curve[k, 10] + v * curve[k, 11])))
    head = curve[k, 2] + t * (curve[k, 3] + t * (curve[k, 4] + t * (curve[k, 5] + t * curve[k, 6])))
    return head + t * t * t * t * t * tail


@inlined
def _slope(curve: np.ndarray, k: int, t: float) -> float:
    """Return its derivative by t."""
    v = t - 1
    tail = curve[k, 7] + v * (curve[k, 8] + v * (curve[k, 9] + v * (curve[k, 10] + v * curve[k, 11])))
    steep = curve[k, 8] + v * (2 * curve[k, 9] + v * (3 * curve[k, 10] + v * 4 * curve[k, 11]))
    head = curve[k, 3] + t * (2 * curve[k, 4] + t * (3 * curve[k, 5] + t * 4 * curve[k, 6]))
    return head + t * t * t * t * (5 * tail + t * steep)


@inlined
def _panel_of(curve: np.ndarray, column: int, x: float) -> int:
    """Return the last panel that begins at or below a value, of its place (0) or of its probability (2)."""
    low, high = 0, curve.shape[0]
    while high - low > 1:
        middle = (low + high) // 2
        if curve[middle, column] <= x:
            low = middle
        else:
            high = middle
    return low


@inlined
def _inverse(curve: np.ndarray, p: float) -> float:
    """Return the coordinate of a probability, by Newton's method inside a bracket that is halved where it leaves."""
    k = _panel_of(curve, 2, p)
    low, high = 0.0, 1.0
    rise = (curve[k + 1, 2] if k + 1 < curve.shape[0] else 1.0) - curve[k, 2]
    t = (p - curve[k, 2]) / rise if rise > 0 else 0.5
    t = min(max(t, 0.0), 1.0)
    for _ in range(_STEPS):
        error = _below(curve, k, t) - p
        if error < 0:
            low = t
        else:
            high = t
        if abs(error) < _SETTLED * p or high - low < _SETTLED:
            break
        slope = _slope(curve, k, t)
        following = t - error / slope if slope > 0 else -1.0
        t = following if low < following < high else 0.5 * (low + high)
    return curve[k, 0] + t * curve[k, 1]


@inlined
def _cdf(curve: np.ndarray, u: float) -> float:
    """Return the distribution function at a coordinate."""
    k = _panel_of(curve, 0, u)
    t = min(max((u - curve[k, 0]) / curve[k, 1], 0.0), 1.0)
    return min(max(_below(curve, k, t), 0.0), 1.0)


@inlined
def _height(curve: np.ndarray, u: float, lower: float, upper: float) -> float:
    """Return the density of the number at a coordinate."""
    k = _panel_of(curve, 0, u)
    t = min(max((u - curve[k, 0]) / curve[k, 1], 0.0), 1.0)
    return _slope(curve, k, t) / curve[k, 1] / _stretch(u, lower, upper)


@compiled
def quantiles_of(
    curves: np.ndarray, starts: np.ndarray, bounds: np.ndarray, probabilities: np.ndarray, out: np.ndarray
) -> None:
    """Write the quantiles of curves with panels, (curve, probability).

    Args:
        curves: (panel, 12) of all curves.
        starts: (curve + 1,) where their panels begin.
        bounds: (curve, 2) -inf and inf where coordinates are the numbers; their range, where that begins at a number.
        probabilities: in (0, 1).
        out: what is written; a curve without panels leaves it.
    """
    for c in range(bounds.shape[0]):
        curve = curves[starts[c] : starts[c + 1]]
        if curve.shape[0]:
            for j in range(probabilities.size):
                out[c, j] = _forward(_inverse(curve, probabilities[j]), bounds[c, 0], bounds[c, 1])


@compiled
def below_of(curves: np.ndarray, starts: np.ndarray, bounds: np.ndarray, values: np.ndarray, out: np.ndarray) -> None:
    """Write the probabilities of less than (curve,) values; arguments as of ``quantiles_of``."""
    for c in range(bounds.shape[0]):
        curve = curves[starts[c] : starts[c + 1]]
        if curve.shape[0]:
            u = _backward(values[c], bounds[c, 0], bounds[c, 1])
            out[c] = np.nan if np.isnan(values[c]) else _cdf(curve, u)


@compiled
def shortest_of(curves: np.ndarray, starts: np.ndarray, bounds: np.ndarray, level: float, out: np.ndarray) -> None:
    """Write the ends of the shortest intervals with a probability, (curve, 2); arguments as of ``quantiles_of``."""
    for c in range(bounds.shape[0]):
        curve = curves[starts[c] : starts[c + 1]]
        if not curve.shape[0]:
            continue
        lower, upper = bounds[c, 0], bounds[c, 1]
        from_u, to_u = _inverse(curve, LEAST), _inverse(curve, 1 - level - LEAST)
        best, width = 0, np.inf
        first, last = _panel_of(curve, 0, from_u), _panel_of(curve, 0, to_u)
        # The places that are tried first: both ends, and where panels begin between them.
        for k in range(first, last + 2):
            start = from_u if k == first else to_u if k == last + 1 else curve[k, 0]
            high = _inverse(curve, min(_cdf(curve, start) + level, 1 - LEAST))
            found = _forward(high, lower, upper) - _forward(start, lower, upper)
            if found < width:
                best, width = k, found
        low = from_u if best <= first + 1 else curve[best - 1, 0]
        high = to_u if best >= last else curve[best + 1, 0]
        # The interval shrinks as it moves while its upper end is the higher: until both are as high.
        for _ in range(_STEPS):
            start = 0.5 * (low + high)
            end = _inverse(curve, min(_cdf(curve, start) + level, 1 - LEAST))
            if _height(curve, start, lower, upper) < _height(curve, end, lower, upper):
                low = start
            else:
                high = start
            if high - low < 1e-12 * curve[0, 1]:
                break
        start = 0.5 * (low + high)
        out[c, 0] = _forward(start, lower, upper)
        out[c, 1] = _forward(_inverse(curve, min(_cdf(curve, start) + level, 1 - LEAST)), lower, upper)


@compiled
def scores_of(curves: np.ndarray, starts: np.ndarray, bounds: np.ndarray, values: np.ndarray, out: np.ndarray) -> None:
    """Write the continuous ranked probability scores of (curve,) values; arguments as of ``quantiles_of``.

    The square of a panel's polynomial has degree 18: Gauss and Legendre's rule with ten nodes is exact.
    """
    for c in range(bounds.shape[0]):
        curve = curves[starts[c] : starts[c + 1]]
        n = curve.shape[0]
        if not n:
            continue
        if np.isnan(values[c]):
            out[c] = np.nan
            continue
        lower, upper = bounds[c, 0], bounds[c, 1]
        u = _backward(values[c], lower, upper)
        start, end = curve[0, 0], curve[n - 1, 0] + curve[n - 1, 1]
        total = 0.0
        if u < start:
            total += _forward(start, lower, upper) - values[c]
        if u > end:
            total += values[c] - _forward(end, lower, upper)
        for k in range(n):
            t = (u - curve[k, 0]) / curve[k, 1]
            t = min(max(t, 0.0), 1.0)
            for side in range(2):
                width = t if side == 0 else 1 - t
                if width <= 0:
                    continue
                for j in range(_NODES.size):
                    at = width * _NODES[j] + (0.0 if side == 0 else t)
                    p = _below(curve, k, at) - side
                    scale = _stretch(curve[k, 0] + at * curve[k, 1], lower, upper)
                    total += _WEIGHTS[j] * width * curve[k, 1] * p * p * scale
        out[c] = total
