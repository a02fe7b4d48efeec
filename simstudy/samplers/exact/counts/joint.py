"""The joint density of counts and hyperparameters, compiled: effects integrated out, mu along a lattice of its own.

A negative binomial group of one exposure e, total S and m observations is one of trials: with theta' = theta + log(e /
phi), its log likelihood is S theta' - (S + m phi) log(1 + exp theta') and a function of phi.

Given (tau, phi) the density of mu is log-concave, as are the likelihoods and its normal prior (Prekopa 1973), so
Newton's method on Laplace's approximation leads to its peak, and evenly spaced nodes around it hold its mass.
"""

import numpy as np

from simstudy.samplers.exact.counts.element import (
    NEARLY_NORMAL,
    corrections,
    log_likelihood,
    mode,
    share_and_information,
    start,
)
from simstudy.samplers.exact.counts.native import native
from simstudy.samplers.exact.counts.rules import TOGETHER, evidence, mean_of, walk
from simstudy.samplers.exact.effect import COUNTS, NEGATIVE_BINOMIAL, TRIALS

NODES = 33
"""Of the lattice of mu, at most: odd, the peak is in the middle."""
STEP = 0.6
"""Their distance in sds."""
DROP, FALL = 19.0, 14.0
"""The density is followed until it has fallen by the first; at the ends of a lattice it has by the second."""
FEWEST = 12
"""Nodes of which the density is followed; where there are fewer, they are too far from each other."""
SEARCH_STEPS = 200
SEARCH_ERROR = 1e-3
FARTHEST_STEP = 3.0
SCALINGS = 40


@native
def as_element(family: int, n: float, k: float, size: float, log_each: float, phi: float) -> tuple[int, float, float]:
    """Return kind and n of the integral over an effect, and what is added to theta in it."""
    if family == NEGATIVE_BINOMIAL:
        return TRIALS, k + size * phi, log_each - np.log(phi)
    return family, n, 0.0


@native
def log_integral(
    kind: int, n: float, k: float, mu: float, tau: float, near: float, scratch: np.ndarray
) -> tuple[float, float]:
    """Return the log of p(k | mu, tau), constants left out, and the mode of theta."""
    z, p, information = mode(kind, n, k, mu, tau, near)
    theta = mu + tau * z
    sd = 1 / np.sqrt(1 + tau * tau * information)
    far, correction = corrections(kind, p, information, sd * tau)
    peak = log_likelihood(kind, n, k, theta) - 0.5 * z * z
    if far < NEARLY_NORMAL:
        return peak + np.log(sd * (1 + correction)), theta
    return peak + np.log(evidence(kind, n, k, mu, tau, z, information, scratch) / np.sqrt(2 * np.pi)), theta


@native
def log_densities(
    family: int,
    n: np.ndarray,
    k: np.ndarray,
    size: np.ndarray,
    log_each: np.ndarray,
    count: np.ndarray,
    mu: np.ndarray,
    tau: np.ndarray,
    phi: np.ndarray,
    out: np.ndarray,
) -> None:
    """Write the sum over classes of the log integrals at points (mu, tau, phi), (point,)."""
    scratch, near = np.empty((3, TOGETHER)), np.empty(len(n))
    for c in range(len(n)):
        near[c] = np.nan
    for i in range(len(mu)):
        total = 0.0
        for c in range(len(n)):
            kind, trials, shift = as_element(family, n[c], k[c], size[c], log_each[c], phi[i])
            first = start(kind, trials, k[c]) if np.isnan(near[c]) else near[c] + shift
            value, theta = log_integral(kind, trials, k[c], mu[i] + shift, tau[i], first, scratch)
            near[c] = theta - shift
            total += count[c] * value
        out[i] = total


@native
def _peak(
    family: int,
    n: np.ndarray,
    k: np.ndarray,
    size: np.ndarray,
    log_each: np.ndarray,
    count: np.ndarray,
    prior: np.ndarray,
    tau: float,
    phi: float,
    mu: float,
    near: np.ndarray,
) -> tuple[float, float, float]:
    """Return mu of the largest density given tau and phi by Laplace's approximation, its sd, and the log integral."""
    precision_of_prior, value = 1 / prior[1] ** 2, 0.0
    mean, sd = mu, prior[1]
    for _ in range(SEARCH_STEPS):
        slope, precision = (prior[0] - mean) * precision_of_prior, precision_of_prior
        value = -0.5 * (mean - prior[0]) ** 2 * precision_of_prior - np.log(prior[1])
        for c in range(len(n)):
            kind, trials, shift = as_element(family, n[c], k[c], size[c], log_each[c], phi)
            z, _, information = mode(kind, trials, k[c], mean + shift, tau, near[c] + shift)
            theta = mean + shift + tau * z
            near[c] = theta - shift
            _, expected, _ = share_and_information(kind, trials, theta)
            shrunk = 1 + tau * tau * information
            slope += count[c] * (k[c] - expected)
            precision += count[c] * information / shrunk
            value += count[c] * (log_likelihood(kind, trials, k[c], theta) - 0.5 * z * z - 0.5 * np.log(shrunk))
        sd = 1 / np.sqrt(precision)
        step = min(max(slope / precision, -FARTHEST_STEP), FARTHEST_STEP)
        if abs(step) < SEARCH_ERROR * sd:
            break
        mean += step
    return mean, sd, value + np.log(sd)


@native
def peaks(
    family: int,
    n: np.ndarray,
    k: np.ndarray,
    size: np.ndarray,
    log_each: np.ndarray,
    count: np.ndarray,
    prior: np.ndarray,
    tau: np.ndarray,
    phi: np.ndarray,
    out: np.ndarray,
) -> None:
    """Write peak and sd of mu, and Laplace's log integral over it, (3, pair), at pairs (tau, phi).

    Args:
        family: ``TRIALS``, ``COUNTS`` or ``NEGATIVE_BINOMIAL``.
        n: (class,) trials, or exposures.
        k: (class,) successes, or counts.
        size: (class,) observations.
        log_each: (class,) log exposure of an observation.
        count: (class,) groups.
        prior: (2,) mean and sd of mu; a constant has sd 0.
        tau: (pair,) sd of the effects.
        phi: (pair,) shape.
        out: (3, pair).
    """
    near, at = np.empty(len(n)), np.empty(1)
    total = 0.0
    for c in range(len(n)):
        kind, trials, shift = as_element(family, n[c], k[c], size[c], log_each[c], phi[0])
        near[c] = start(kind, trials, k[c]) - shift
        total += near[c]
    mean = total / len(n)
    for i in range(len(tau)):
        if prior[1] == 0:
            log_densities(family, n, k, size, log_each, count, prior[:1], tau[i : i + 1], phi[i : i + 1], at)
            out[0, i], out[1, i], out[2, i] = prior[0], 0.0, at[0]
            continue
        mean, sd, value = _peak(family, n, k, size, log_each, count, prior, tau[i], phi[i], mean, near)
        out[0, i], out[1, i], out[2, i] = mean, sd, value


@native
def lattices(
    family: int,
    n: np.ndarray,
    k: np.ndarray,
    size: np.ndarray,
    log_each: np.ndarray,
    count: np.ndarray,
    prior: np.ndarray,
    tau: np.ndarray,
    phi: np.ndarray,
    peak: np.ndarray,
    spacing: np.ndarray,
    log_density: np.ndarray,
    of_class: np.ndarray,
) -> None:
    """Write the log density of mu on its lattice at pairs (tau, phi), and the log integral of every class there.

    Args:
        family: ``TRIALS``, ``COUNTS`` or ``NEGATIVE_BINOMIAL``.
        n: (class,) trials, or exposures.
        k: (class,) successes, or counts.
        size: (class,) observations.
        log_each: (class,) log exposure of an observation.
        count: (class,) groups.
        prior: (2,) mean and sd of mu.
        tau: (pair,) sd of the effects.
        phi: (pair,) shape.
        peak: (pair,) middle of each lattice.
        spacing: (pair,) distance of its nodes, changed where its ends are too near or too far.
        log_density: (pair, node) to write to.
        of_class: (pair, node, class) to write to.
    """
    scratch, near = np.empty((3, TOGETHER)), np.empty(len(n))
    middle = NODES // 2
    for i in range(len(tau)):
        for _ in range(SCALINGS):
            log_density[i], of_class[i] = -np.inf, 0.0
            n_nodes, is_whole = 0, True
            for side in (-1, 1):
                near[:] = peak[i]
                for away in range(0 if side < 0 else 1, middle + 1):
                    m = middle + side * away
                    mu = peak[i] + side * away * spacing[i]
                    total = -0.5 * ((mu - prior[0]) / prior[1]) ** 2 - np.log(prior[1] * np.sqrt(2 * np.pi))
                    for c in range(len(n)):
                        kind, trials, shift = as_element(family, n[c], k[c], size[c], log_each[c], phi[i])
                        value, theta = log_integral(kind, trials, k[c], mu + shift, tau[i], near[c] + shift, scratch)
                        near[c], of_class[i, m, c] = theta - shift, value
                        total += count[c] * value
                    log_density[i, m] = total
                    n_nodes += 1
                    if log_density[i, middle] - total > DROP:
                        break
                else:
                    is_whole = is_whole and log_density[i, middle] - log_density[i, m] > FALL
            if is_whole and n_nodes >= FEWEST:
                break
            spacing[i] *= 0.6 if is_whole else 1.25


@native
def group_moments(
    family: int,
    n: float,
    k: float,
    size: float,
    log_each: float,
    mu: np.ndarray,
    tau: np.ndarray,
    phi: np.ndarray,
    out: np.ndarray,
) -> None:
    """Write mean and variance of theta, and of the mean of an observation, of one group at points, (4, point)."""
    sums, near = np.empty(5), np.nan
    for i in range(len(mu)):
        kind, trials, shift = as_element(family, n, k, size, log_each, phi[i])
        first = start(kind, trials, k) if np.isnan(near) else near + shift
        z, _, information = mode(kind, trials, k, mu[i] + shift, tau[i], first)
        theta = mu[i] + shift + tau[i] * z
        near = theta - shift
        link = COUNTS if family == NEGATIVE_BINOMIAL else kind
        # The mean of a negative binomial observation is exp theta, that of its trials is not.
        walk(kind, trials, k, mu[i] + shift, tau[i], z, information, link, sums)
        x, mean, unit = sums[1] / sums[0], sums[3] / sums[0], 1.0
        if family == NEGATIVE_BINOMIAL:
            unit = np.exp(-shift)
        out[0, i], out[1, i] = near + x, max(sums[2] / sums[0] - x * x, 0.0)
        out[2, i] = (mean_of(link, theta) + mean) * unit
        out[3, i] = max(sums[4] / sums[0] - mean * mean, 0.0) * unit * unit
