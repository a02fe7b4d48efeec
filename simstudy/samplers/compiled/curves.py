"""Distribution functions as curves of polynomials, compiled: how they are made. ``reading.py`` reads them.

A curve is a row per panel: where it begins, its width, and ten coefficients of the distribution function there, the
polynomial of degree 9 with the values and the first four derivatives at both ends (Hermite's interpolation). Panels are
halved until the density in the middle is what its ends foretell. A curve has an error of about 1e-9 in probability.
"""

import math

import numpy as np

from simstudy.samplers.compiled.native import compiled, inlined
from simstudy.samplers.exact.distribution import LEAST

WIDTH = 12  # numbers of a panel

_FAR = 40.0  # exponents beyond it count for nothing
_REDUCTION = 256.0  # 2^8: an exponential of a 256th, squared eight times
_TOLERANCE = 3e-8  # of the probability in a panel, before it is halved once more, which divides its error by 2^9
_FIRST_PANELS = 4
_MOST_KNOTS = 2048
_WIDEST = 8.0  # sds of the narrowest component in it: a wider panel may hide it
_ROOT = 1 / math.sqrt(2 * math.pi)
_FACTORIALS = np.array([math.factorial(k) for k in range(5)], float)
_BINOMIALS = np.array([[math.comb(i, j) for j in range(6)] for i in range(6)], float)
_MIDDLES = np.array([1 / 2, 11 / 64, 3 / 128, 1 / 768])  # of a polynomial of degree 7, of its ends' derivatives
_INTEGRALS = np.array([1 / 2, 3 / 28, 1 / 84, 1 / 1680])


@inlined
def _density(x: float, weights: np.ndarray, means: np.ndarray, rates: np.ndarray, out: np.ndarray) -> None:
    """Write the density of a mixture of normals at x and its first three derivatives into (4,)."""
    d0, d1, d2, d3 = 0.0, 0.0, 0.0, 0.0
    for i in range(weights.size):
        rate = rates[i]
        z = (x - means[i]) * rate
        t = 0.5 * z * z
        y = (t if t < _FAR else _FAR) * (-1 / _REDUCTION)
        e = 1 + y * (1 / 8) * (1 + y * (1 / 9))
        e = 1 + y * (1 / 5) * (1 + y * (1 / 6) * (1 + y * (1 / 7) * e))
        e = 1 + y * (1 + y * (1 / 2) * (1 + y * (1 / 3) * (1 + y * (1 / 4) * e)))
        e *= e
        e *= e
        e *= e
        e *= e
        e *= e
        e *= e
        e *= e
        e *= e
        e *= weights[i] * rate if t < _FAR else 0.0
        d0 += e
        e *= rate
        d1 -= e * z
        e *= rate
        d2 += e * (z * z - 1)
        d3 -= e * rate * z * (z * z - 3)
    out[0], out[1], out[2], out[3] = d0 * _ROOT, d1 * _ROOT, d2 * _ROOT, d3 * _ROOT


@inlined
def _panels(knots: np.ndarray, density: np.ndarray, order: np.ndarray, out: np.ndarray) -> None:
    """Write the panels between knots, put in order, whose density and derivatives are known, (panel, 12)."""
    below = 0.0
    for k in range(out.shape[0]):
        a, b = order[k], order[k + 1]
        h = knots[b] - knots[a]
        out[k, 0], out[k, 1], out[k, 2] = knots[a], h, below
        power = h
        mass = 0.0
        for j in range(4):
            out[k, 3 + j] = density[a, j] * power / _FACTORIALS[j + 1]
            sign = 1.0 if j % 2 == 0 else -1.0
            mass += _INTEGRALS[j] * power * (density[a, j] + sign * density[b, j])
            power *= h
        # Over (t - 1), t^5 times the polynomial with coefficients 7 to 11 is what Taylor's, 2 to 6, lacks at t = 1.
        power = h
        for j in range(5):
            if j == 0:
                lack = mass - (out[k, 3] + out[k, 4] + out[k, 5] + out[k, 6])
            else:
                lack = density[b, j - 1] * power / _FACTORIALS[j]
                power *= h
                for i in range(j, 5):
                    lack -= _BINOMIALS[i, j] * out[k, 2 + i]
            for i in range(j):
                lack -= _BINOMIALS[5, j - i] * out[k, 7 + i]
            out[k, 7 + j] = lack
        below += mass
    for k in range(out.shape[0]):
        for j in range(2, WIDTH):
            out[k, j] /= below


@inlined
def normals_curve(weights: np.ndarray, means: np.ndarray, sds: np.ndarray) -> np.ndarray:
    """Return the curve of a mixture of normals, (panel, 12): no panel where there are too many, or an sd is 0."""
    rates = 1 / sds
    reach = np.sqrt(2 * np.maximum(np.log(np.maximum(weights, 1e-300) / (0.1 * LEAST)), 0.0))
    lowest, highest, narrowest = (means - reach * sds).min(), (means + reach * sds).max(), sds.min()
    knots, density = np.empty(_MOST_KNOTS), np.empty((_MOST_KNOTS, 4))
    ends = np.empty((_MOST_KNOTS, 2), np.int64)
    following = np.arange(1, _MOST_KNOTS + 1)  # the knot to the right of each
    n_knots = _FIRST_PANELS + 1
    for i in range(n_knots):
        knots[i] = lowest + (highest - lowest) * i / _FIRST_PANELS
        ends[i, 0], ends[i, 1] = i, i + 1
        _density(knots[i], weights, means, rates, density[i])
    n_asked = _FIRST_PANELS
    asked = 0
    is_whole = narrowest > 0
    while is_whole and asked < n_asked:
        a, b = ends[asked, 0], ends[asked, 1]
        asked += 1
        if n_knots + 2 >= _MOST_KNOTS or n_asked + 2 >= _MOST_KNOTS:
            is_whole = False
            break
        c = n_knots
        n_knots += 1
        following[a], following[c] = c, b
        h = knots[b] - knots[a]
        knots[c] = knots[a] + 0.5 * h
        _density(knots[c], weights, means, rates, density[c])
        foretold = 0.0
        power = 1.0
        for j in range(4):
            sign = 1.0 if j % 2 == 0 else -1.0
            foretold += _MIDDLES[j] * power * (density[a, j] + sign * density[b, j])
            power *= h
        is_fine = abs(foretold - density[c, 0]) * h < _TOLERANCE
        if is_fine and h > _WIDEST * narrowest:
            for i in range(means.size):
                if knots[a] <= means[i] <= knots[b] and h > _WIDEST * sds[i]:
                    is_fine = False
                    break
        if not is_fine:
            ends[n_asked, 0], ends[n_asked, 1] = a, c
            ends[n_asked + 1, 0], ends[n_asked + 1, 1] = c, b
            n_asked += 2
    n_panels = n_knots - 1 if is_whole else 0
    out = np.empty((n_panels, WIDTH))
    order = np.zeros(n_knots, np.int64)
    for k in range(1, n_knots):
        order[k] = following[order[k - 1]]
    if is_whole:
        _panels(knots, density, order, out)
    return out


@compiled
def curve_of_normals(weights: np.ndarray, means: np.ndarray, sds: np.ndarray) -> np.ndarray:
    """Return the curve of a mixture of normals, (panel, 12): no panel where there are too many, or an sd is 0."""
    return normals_curve(weights, means, sds)


@compiled
def curve_of_nodes(weights: np.ndarray, locations: np.ndarray) -> np.ndarray:
    """Return the curve of a density given on evenly spaced nodes in order, by sinc interpolation, (panel, 12)."""
    n = weights.size
    h = (locations[n - 1] - locations[0]) / (n - 1)
    density = np.empty((n, 4))
    slopes = np.zeros((3, 2 * n))
    for d in range(1, n):
        sign = 1.0 if d % 2 == 0 else -1.0
        slopes[0, n + d] = sign / d
        slopes[1, n + d] = -2 * sign / d**2
        slopes[2, n + d] = sign * (6 / d**3 - np.pi**2 / d)
        slopes[0, n - d], slopes[1, n - d], slopes[2, n - d] = -slopes[0, n + d], slopes[1, n + d], -slopes[2, n + d]
    slopes[1, n] = -(np.pi**2) / 3
    for k in range(n):
        d1, d2, d3 = 0.0, 0.0, 0.0
        for i in range(n):
            w = weights[i]
            d1 += w * slopes[0, n + k - i]
            d2 += w * slopes[1, n + k - i]
            d3 += w * slopes[2, n + k - i]
        density[k, 0], density[k, 1], density[k, 2], density[k, 3] = weights[k] / h, d1 / h**2, d2 / h**3, d3 / h**4
    out = np.empty((n - 1, WIDTH))
    _panels(locations, density, np.arange(n), out)
    return out
