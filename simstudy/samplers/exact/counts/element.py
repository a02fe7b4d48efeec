"""The integral over the effect of one group given mu and tau, compiled.

The effect is theta = mu + tau z, z of log density f(z) = l(theta) - z^2 / 2, with l(theta) = k theta - n log(1 + exp
theta) of trials and k theta - n exp(theta) of counts; n may be any positive number. f is concave, with a curvature of
at least 1. Newton's method inside a bracket finds its mode.

Where f is nearly quadratic the integral is Laplace's with its corrections of two orders (Shun & McCullagh 1995, Laplace
approximation of high dimensional integrals, Journal of the Royal Statistical Society B 57:749). Elsewhere the trapezoid
rule runs from the mode to both sides until f has fallen by ``DROP``. Its nodes are evenly spaced, so that exp theta is a
product; where a likelihood has no fall on one side and tau is large, they are spread by a sinh around the knee.
"""

import numpy as np

from simstudy.samplers.exact.counts.functions import sum_of_exponentials, write_log1p_of_rarer
from simstudy.samplers.exact.effect import COUNTS, TRIALS
from simstudy.summaries.compiled.native import native, reordered

DROP = 17.5
"""f falls by this over the range of the trapezoid rule: the next node has 1e-9 of the mass."""
MOMENT_DROP = 30.0
"""And by this where moments are taken: those of exp theta lie away from the mode."""
STEP, WIDEST = 0.75, 0.4
"""Largest distance of nodes, in sds at the mode and in theta, where the likelihood has its poles, or grows, at i pi."""
TOGETHER = 16
"""Nodes that are computed at once."""
MOST_CHUNKS = 256
NEARLY_NORMAL = 1.5e-3
"""How far from quadratic f may be: the third order of corrections is the cube, or less."""
EIGHTH = 15_000.0
"""The eighth derivative counts so much: with 1e-7 of it, its correction is 1e-9."""
SPREAD_FROM, SPREAD_STEP, SPREAD_WIDTH = 4.0, 0.15, 1.5
"""From this tau on, flat sides have nodes theta = knee + width sinh(t), at these distances of t."""
MODE_STEPS = 150
MODE_ERROR = 1e-3
"""In sds: what is left after one more step of Newton's method is its square, and f off by the square of that."""


@native
def log_likelihood(kind: int, n: float, k: float, theta: float) -> float:
    """Return l(theta)."""
    if kind == COUNTS:
        return k * theta - n * np.exp(theta)
    return k * theta - n * (max(theta, 0.0) + np.log1p(np.exp(-abs(theta))))


@native
def share_and_information(kind: int, n: float, theta: float) -> tuple[float, float, float]:
    """Return p (0 of counts), n times the mean of an observation, and the information -l''."""
    if kind == COUNTS:
        mean = n * np.exp(theta)
        return 0.0, mean, mean
    small = np.exp(-abs(theta))
    other = 1 / (1 + small)
    p = other if theta > 0 else small * other
    return p, n * p, n * small * other * other


@native
def mode(kind: int, n: float, k: float, mu: float, tau: float, near: float) -> tuple[float, float, float]:
    """Return z of the largest density, p there, and the information there.

    Args:
        kind: of likelihood.
        n: trials, or exposure.
        k: successes, or count.
        mu: mean of effects.
        tau: their sd.
        near: an effect to start from.
    """
    p, mean, information = share_and_information(kind, n, mu)
    far = tau * (k - mean)
    if tau == 0.0 or far == 0.0:
        return 0.0, p, information
    # The mode lies between 0 and f'(0), as the curvature is at least 1; of counts f' may be beyond any number.
    far = min(max(far, -1e300), 1e300)
    low, high = min(far, 0.0), max(far, 0.0)
    z = (near - mu) / tau
    if not low <= z <= high:
        z = far / (1 + tau * tau * information)
    for step in range(MODE_STEPS):
        p, mean, information = share_and_information(kind, n, mu + tau * z)
        slope = tau * (k - mean) - z
        precision = 1 + tau * tau * information
        if slope >= 0:
            low = z
        if slope <= 0:
            high = z
        following = z + slope / precision
        if not low <= following <= high or (step % 3 == 2 and step > 5):
            following = 0.5 * (low + high)
        elif (following - z) ** 2 * precision < MODE_ERROR * MODE_ERROR:
            z = following
            break
        z = following
    p, mean, information = share_and_information(kind, n, mu + tau * z)
    return z, p, information


@native
def start(kind: int, n: float, k: float) -> float:
    """Return an effect near that of the largest likelihood, finite."""
    if kind == COUNTS:
        return np.log(max(k, 0.5) / n) if n > 0 else 0.0
    return np.log(k + 0.5) - np.log(n - k + 0.5)


@native
def largest_log_likelihood(kind: int, n: float, k: float) -> float:
    """Return the largest value of l(theta)."""
    if k <= 0:
        return 0.0
    if kind == COUNTS:
        return k * np.log(k / n) - k
    return k * np.log(k / n) + ((n - k) * np.log(1 - k / n) if k < n else 0.0)


@native
def corrections(kind: int, p: float, information: float, scale: float) -> tuple[float, float]:
    """Return how far f is from quadratic, and the sum of the first two orders of Laplace's corrections.

    Args:
        kind: of likelihood.
        p: share at the mode.
        information: there.
        scale: sd of theta at the mode.
    """
    b3 = b4 = b5 = b6 = 1.0
    if kind == TRIALS:
        q = p * (1 - p)
        b3, b4, b5, b6 = 1 - 2 * p, 1 - 6 * q, (1 - 2 * p) * (1 - 12 * q), 1 - 30 * q + 120 * q * q
    square = scale * scale
    of_two = -information * square
    a3, a4 = of_two * scale * b3, of_two * square * b4
    a5, a6 = of_two * square * scale * b5, of_two * square * square * b6
    squared = a3 * a3
    first = a4 / 8 + 5 * squared / 24
    second = a6 / 48 + 7 * a3 * a5 / 48 + 35 * a4 * a4 / 384 + 35 * squared * a4 / 64 + 385 * squared * squared / 1152
    far = squared - of_two * square * (1 + EIGHTH * square * square)
    return far, first + second


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
