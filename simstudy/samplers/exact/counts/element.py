"""The effect of one group given mu and tau, compiled: its likelihood, its mode, and Laplace's integral over it.

The effect is theta = mu + tau z, z of log density f(z) = l(theta) - z^2 / 2, with l(theta) = k theta - n log(1 + exp
theta) of trials and k theta - n exp(theta) of counts; n may be any positive number. f is concave, with a curvature of
at least 1. Newton's method inside a bracket finds its mode.

Where f is nearly quadratic the integral is Laplace's with its corrections of two orders (Shun & McCullagh 1995, Laplace
approximation of high dimensional integrals, Journal of the Royal Statistical Society B 57:749). Elsewhere the trapezoid
rule runs from the mode to both sides until f has fallen by ``DROP``. Its nodes are evenly spaced, so that exp theta
is a product; where a likelihood has no fall on one side and tau is large, they are spread by a sinh around the knee.
"""

import numpy as np

from simstudy.samplers.exact.counts.native import native
from simstudy.samplers.exact.effect import COUNTS, TRIALS

NEARLY_NORMAL = 1.5e-3
"""How far from quadratic f may be: the third order of corrections is the cube, or less."""
EIGHTH = 15_000.0
"""The eighth derivative counts so much: with 1e-7 of it, its correction is 1e-9."""
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
