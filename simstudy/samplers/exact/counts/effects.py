"""Effects given the hyperparameters, compiled: their draws, and their density averaged over lattices of mu."""

import numpy as np

from simstudy.samplers.exact.counts.element import log_likelihood, mode, share_and_information, start
from simstudy.samplers.exact.counts.joint import NODES, as_element
from simstudy.samplers.exact.counts.native import native

TOUCH = 1.0
"""f has fallen about this far where tangents touch: a proposal then is kept nine times in ten."""
NARROW = 1.0
"""Spacings: the trapezoid rule of a normal density of this sd is in error by 5e-9."""
REACH = 8.0
"""Sds: the density of an effect around mu is 1e-14 there."""


@native
def draw(
    stream: np.random.Generator,
    family: int,
    n: np.ndarray,
    k: np.ndarray,
    size: np.ndarray,
    log_each: np.ndarray,
    mu: np.ndarray,
    tau: np.ndarray,
    phi: np.ndarray,
    out: np.ndarray,
) -> None:
    """Draw z of every group at every (mu, tau, phi), (draw, group), by rejection from tangents (Gilks & Wild 1992).

    Args:
        stream: random numbers.
        family: ``TRIALS``, ``COUNTS`` or ``NEGATIVE_BINOMIAL``.
        n: (group,) trials, or exposures.
        k: (group,) successes, or counts.
        size: (group,) observations.
        log_each: (group,) log exposure of an observation.
        mu: (draw,) mean of the effects.
        tau: (draw,) their sd.
        phi: (draw,) shape.
        out: (draw, group).
    """
    for i in range(len(mu)):
        for j in range(len(n)):
            kind, trials, shift = as_element(family, n[j], k[j], size[j], log_each[j], phi[i])
            out[i, j] = _draw(stream, kind, trials, k[j], mu[i] + shift, tau[i])


@native
def _draw(stream: np.random.Generator, kind: int, n: float, k: float, mu: float, tau: float) -> float:
    z, _, information = mode(kind, n, k, mu, tau, start(kind, n, k))
    peak = log_likelihood(kind, n, k, mu + tau * z) - 0.5 * z * z
    away = np.sqrt(2 * TOUCH / (1 + tau * tau * information))
    low, low_slope = _tangent(kind, n, k, mu, tau, z, peak, -away)
    high, high_slope = _tangent(kind, n, k, mu, tau, z, peak, away)
    left, middle, right = 1 / low_slope, high - low, -1 / high_slope
    while True:
        place = stream.random() * (left + middle + right) - left
        tail = 0.0
        if place < 0:
            tail = stream.standard_exponential()
            proposal = low - tail * left
        elif place < middle:
            proposal = low + place
        else:
            tail = stream.standard_exponential()
            proposal = high + tail * right
        f = log_likelihood(kind, n, k, mu + tau * proposal) - 0.5 * proposal * proposal
        if np.log(1 - stream.random()) < f - peak + tail:
            return proposal


@native
def _tangent(
    kind: int, n: float, k: float, mu: float, tau: float, z: float, peak: float, away: float
) -> tuple[float, float]:
    """Return where a tangent on one side of the mode reaches the peak, and its slope."""
    while True:
        at = z + away
        _, mean, _ = share_and_information(kind, n, mu + tau * at)
        fall = peak - log_likelihood(kind, n, k, mu + tau * at) + 0.5 * at * at
        # A tangent that touches far down is a poor envelope, and may have no finite slope.
        if fall < 3 * TOUCH:
            slope = tau * (k - mean) - at
            return at + fall / slope, slope
        away *= 0.6


@native
def density(
    kind: int,
    n: float,
    k: float,
    shift: float,
    theta: np.ndarray,
    peak: np.ndarray,
    spacing: np.ndarray,
    tau: np.ndarray,
    log_rest: np.ndarray,
    out: np.ndarray,
) -> None:
    """Add the density of a group's effect at theta, averaged over the nodes of lattices of one phi.

    It is the likelihood times the sum over nodes of Normal(theta | mu, tau) exp(log_rest). Where tau is narrow against
    the distance of the nodes, log_rest is a quartic through five of them, and the integral over mu Laplace's.

    Args:
        kind: of the integral over an effect.
        n: trials, or exposure.
        k: successes, or count.
        shift: what is added to theta in it.
        theta: (point,) evenly spaced.
        peak: (pair,) middle of each lattice.
        spacing: (pair,) distance of its nodes.
        tau: (pair,) sd of the effects.
        log_rest: (pair, node) log weights without the group's own part, -inf for nodes without weight.
        out: (point,) to add to.
    """
    values, middle, step = np.empty(3), NODES // 2, theta[1] - theta[0]
    own, around = np.empty(len(theta)), np.zeros(len(theta))
    for r in range(len(theta)):
        own[r] = log_likelihood(kind, n, k, theta[r] + shift)
    most = own.max()
    for i in range(len(peak)):
        if tau[i] < NARROW * spacing[i]:
            for r in range(len(theta)):
                interpolate(log_rest[i], (theta[r] - peak[i]) / spacing[i] + middle, values)
                slope, curvature = values[1] / spacing[i], values[2] / spacing[i] ** 2
                shrunk = 1 - curvature * tau[i] ** 2
                if values[0] > -np.inf and shrunk > 0:
                    exponent = own[r] + values[0] + 0.5 * (slope * tau[i]) ** 2 / shrunk
                    out[r] += np.exp(exponent) / np.sqrt(shrunk) / spacing[i]
            continue
        # Of a normal density at even points, ratios of neighbors have a constant ratio.
        scale, move = most - np.log(tau[i] * np.sqrt(2 * np.pi)), step / tau[i]
        bend = np.exp(-move * move)
        for m in range(NODES):
            if log_rest[i, m] == -np.inf:
                continue
            mu = peak[i] + (m - middle) * spacing[i]
            first = max(int(np.ceil((mu - REACH * tau[i] - theta[0]) / step)), 0)
            last = min(int(np.floor((mu + REACH * tau[i] - theta[0]) / step)), len(theta) - 1)
            away = (theta[0] + first * step - mu) / tau[i]
            value, ratio = np.exp(log_rest[i, m] + scale - 0.5 * away * away), np.exp(-move * (away + 0.5 * move))
            for r in range(first, last + 1):
                around[r] += value
                value *= ratio
                ratio *= bend
    for r in range(len(theta)):
        out[r] += np.exp(own[r] - most) * around[r]


@native
def interpolate(f: np.ndarray, place: float, out: np.ndarray) -> None:
    """Write value, slope and curvature of the quartic through the five nodes nearest to a place; -inf outside.

    Args:
        f: (node,).
        place: in nodes, from 0.
        out: (3,).
    """
    out[:] = -np.inf
    if place < 0 or place > len(f) - 1:
        return
    first = min(max(int(np.rint(place)) - 2, 0), len(f) - 5)
    x = place - first - 2
    a, b, c, d, e = f[first], f[first + 1], f[first + 2], f[first + 3], f[first + 4]
    if not np.isfinite(a + b + c + d + e):
        return
    one, two = (8 * (d - b) - (e - a)) / 12, (16 * (b + d) - (a + e) - 30 * c) / 24
    three, four = ((e - a) - 2 * (d - b)) / 12, ((a + e) - 4 * (b + d) + 6 * c) / 24
    out[0] = c + x * (one + x * (two + x * (three + x * four)))
    out[1] = one + x * (2 * two + x * (3 * three + x * 4 * four))
    out[2] = 2 * two + x * (6 * three + x * 12 * four)


@native
def location_density(
    at: np.ndarray, peak: np.ndarray, spacing: np.ndarray, log_weight: np.ndarray, out: np.ndarray
) -> None:
    """Add the density of mu at points, averaged over its lattices.

    Args:
        at: (point,).
        peak: (pair,) middle of each lattice.
        spacing: (pair,) distance of its nodes.
        log_weight: (pair, node) log probabilities.
        out: (point,) to add to.
    """
    values, middle = np.empty(3), NODES // 2
    for r in range(len(at)):
        for i in range(len(peak)):
            interpolate(log_weight[i], (at[r] - peak[i]) / spacing[i] + middle, values)
            if values[0] > -np.inf:
                out[r] += np.exp(values[0]) / spacing[i]
