"""The trapezoid rule for the effect of one group given mu and tau, compiled.

It runs from the mode to both sides until f has fallen by ``DROP``. Its nodes are evenly spaced, so that exp theta is a
product; where a likelihood has no fall on one side and tau is large, they are spread by a sinh around the knee.
"""

import numpy as np

from simstudy.samplers.exact.counts.element import log_likelihood
from simstudy.samplers.exact.counts.functions import sum_of_exponentials, write_log1p_of_rarer
from simstudy.samplers.exact.counts.native import native, reordered
from simstudy.samplers.exact.effect import COUNTS, TRIALS

DROP = 17.5
"""f falls by this over the range of the trapezoid rule: the next node has 1e-9 of the mass."""
MOMENT_DROP = 30.0
"""And by this where moments are taken: those of exp theta lie away from the mode."""
STEP, WIDEST = 0.75, 0.4
"""Largest distance of nodes, in sds at the mode and in theta, where the likelihood has its poles, or grows, at i pi."""
TOGETHER = 16
"""Nodes that are computed at once."""
MOST_CHUNKS = 256
SPREAD_FROM, SPREAD_STEP, SPREAD_WIDTH = 4.0, 0.15, 1.5
"""From this tau on, flat sides have nodes theta = knee + width sinh(t), at these distances of t."""


@native
def is_flat(kind: int, n: float, k: float) -> bool:
    """Whether the likelihood has no fall on one side."""
    return k <= 0 or (kind == TRIALS and k >= n)


@native
def evidence(
    kind: int, n: float, k: float, mu: float, tau: float, z: float, information: float, scratch: np.ndarray
) -> float:
    """Return the integral of exp(f - peak) over z, by the trapezoid rule.

    Args:
        kind: of likelihood.
        n: trials, or exposure.
        k: successes, or count.
        mu: mean of effects.
        tau: their sd.
        z: the mode.
        information: there.
        scratch: (3, 16) memory.
    """
    if is_flat(kind, n, k) and tau > SPREAD_FROM:
        sums = np.zeros(5)
        walk_spread(kind, n, k, mu, tau, z, kind, sums)
        return float(sums[0])
    sd = 1 / np.sqrt(1 + tau * tau * information)
    step = min(STEP * sd, WIDEST / tau) if tau > 0 else STEP * sd
    theta = mu + tau * z
    peak = log_likelihood(kind, n, k, theta) - 0.5 * z * z
    places, powers, falls = scratch[0], scratch[1], scratch[2]
    up, half = np.exp(tau * step), TOGETHER // 2
    power, odds = 1.0, np.exp(theta)
    for j in range(half):
        power *= up
        places[half + j], powers[half + j] = j + 1, odds * power
        places[half - 1 - j], powers[half - 1 - j] = -(j + 1), odds / power
    total = 1.0 + _sum(kind, n, k, theta, tau, z, peak, step, places, powers, falls)
    needs_more = falls[0] < DROP, falls[TOGETHER - 1] < DROP
    for side in (0, 1):
        if not needs_more[side]:
            continue
        ratio, sign = (up, 1) if side else (1 / up, -1)
        power = odds * ratio**half
        for chunk in range(MOST_CHUNKS):
            for j in range(TOGETHER):
                power *= ratio
                places[j], powers[j] = sign * (half + chunk * TOGETHER + j + 1), power
            total += _sum(kind, n, k, theta, tau, z, peak, step, places, powers, falls)
            if not falls[TOGETHER - 1] < DROP:
                break
    return total * step


@reordered
def _sum(
    kind: int,
    n: float,
    k: float,
    theta: float,
    tau: float,
    z: float,
    peak: float,
    step: float,
    places: np.ndarray,
    odds: np.ndarray,
    falls: np.ndarray,
) -> float:
    """Return the sum of exp(f - peak) at some nodes, and write how far f has fallen at each.

    Args:
        kind: of likelihood.
        n: trials, or exposure.
        k: successes, or count.
        theta: effect at the mode.
        tau: its sd.
        z: the mode.
        peak: f there.
        step: distance of the nodes in z.
        places: (node,) steps from the mode.
        odds: (node,) exp theta.
        falls: (node,) to write to.
    """
    if kind == COUNTS:
        for j in range(len(places)):
            at = z + places[j] * step
            falls[j] = peak - (k * (theta + places[j] * tau * step) - n * odds[j] - 0.5 * at * at)
    else:
        write_log1p_of_rarer(odds, falls)
        for j in range(len(places)):
            at, x = z + places[j] * step, theta + places[j] * tau * step
            falls[j] = peak - (k * x - n * (max(x, 0.0) + falls[j]) - 0.5 * at * at)
    return sum_of_exponentials(falls)


@native
def walk(
    kind: int,
    n: float,
    k: float,
    mu: float,
    tau: float,
    z: float,
    information: float,
    link: int,
    out: np.ndarray,
) -> None:
    """Write the integral of exp(f - peak), and those of x, x^2, m and m^2 weighted so, by the same rule.

    x is theta, and m the mean of an observation, less what they are at the mode.

    Args:
        kind: of likelihood.
        n: trials, or exposure.
        k: successes, or count.
        mu: mean of effects.
        tau: their sd.
        z: the mode.
        information: there.
        link: kind of likelihood whose mean m is.
        out: (5,) sums.
    """
    out[:] = 0.0
    if is_flat(kind, n, k) and tau > SPREAD_FROM:
        walk_spread(kind, n, k, mu, tau, z, link, out)
        return
    sd = 1 / np.sqrt(1 + tau * tau * information)
    step = min(STEP * sd, WIDEST / tau) if tau > 0 else STEP * sd
    theta = mu + tau * z
    peak = log_likelihood(kind, n, k, theta) - 0.5 * z * z
    at_mode = mean_of(link, theta)
    for side in (-1.0, 1.0):
        for i in range(0 if side < 0 else 1, MOST_CHUNKS * TOGETHER):
            at, x = z + side * step * i, side * tau * step * i
            fall = peak - log_likelihood(kind, n, k, theta + x) + 0.5 * at * at
            if not fall < MOMENT_DROP:
                break
            _add(np.exp(-fall) * step, x, mean_of(link, theta + x) - at_mode, out)


@native
def mean_of(kind: int, theta: float) -> float:
    """Return the mean of an observation."""
    if kind == COUNTS:
        return np.exp(theta)
    small = np.exp(-abs(theta))
    return (1.0 if theta > 0 else small) / (1 + small)


@native
def _add(weight: float, x: float, mean: float, out: np.ndarray) -> None:
    out[0] += weight
    out[1] += weight * x
    out[2] += weight * x * x
    out[3] += weight * mean
    out[4] += weight * mean * mean


@native
def walk_spread(kind: int, n: float, k: float, mu: float, tau: float, z: float, link: int, out: np.ndarray) -> None:
    """Add the sums of the rule with nodes spread by a sinh around the knee, where the likelihood begins to fall."""
    theta = mu + tau * z
    peak = log_likelihood(kind, n, k, theta) - 0.5 * z * z
    knee = -np.log(n) if k <= 0 else np.log(n)
    middle = np.arcsinh((theta - knee) / SPREAD_WIDTH)
    # The Jacobian, at most (range of z), may grow while f falls.
    drop, at_mode = MOMENT_DROP + np.log(1 + tau), mean_of(link, theta)
    for side in (-1.0, 1.0):
        for i in range(0 if side < 0 else 1, MOST_CHUNKS * TOGETHER):
            t = middle + side * SPREAD_STEP * i
            x = knee + SPREAD_WIDTH * np.sinh(t)
            at = (x - mu) / tau
            fall = peak - log_likelihood(kind, n, k, x) + 0.5 * at * at
            if not fall < drop:
                break
            weight = np.exp(-fall) * SPREAD_WIDTH * np.cosh(t) / tau * SPREAD_STEP
            _add(weight, x - theta, mean_of(link, x) - at_mode, out)
