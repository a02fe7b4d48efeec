"""Sums over classes of groups of their log integrals, at many (mu, tau) of one data set, compiled."""

import numpy as np

from simstudy.samplers.exact.counts.element import (
    NEARLY_NORMAL,
    corrections,
    largest_log_likelihood,
    log_likelihood,
    mode,
    start,
)
from simstudy.samplers.exact.counts.native import native
from simstudy.samplers.exact.counts.rules import TOGETHER, evidence, mean_of, walk

OUT_OF_REACH = 1e4
"""A log density lower than another by this has no part in any integral, whatever the prior.

That of the others without one group is drawn through its logarithms, so those beyond the reach of all together count.
"""
MOST_OFF = 3.0
"""Of Laplace's log integral of an element, at most."""
MANY = 1536
"""Nodes of a grid: the search for the box asks for fewer, and compares nodes that are far apart."""
STRIDE = 37
"""Of these nodes one is looked at first."""


@native
def log_marginal(
    kind: int, n: np.ndarray, k: np.ndarray, count: np.ndarray, mu: np.ndarray, tau: np.ndarray, out: np.ndarray
) -> None:
    """Write the sum over classes of count times the log integral.

    Where Laplace's approximation tells that a node is out of reach of the others, it stands; among so many nodes as
    only a grid has, a bound does.

    Args:
        kind: of likelihood.
        n: (class,) trials or exposures.
        k: (class,) successes or counts.
        count: (class,) groups; 0 for a class that is no one's.
        mu: (node,) mean of the effects.
        tau: (node,) their sd.
        out: (node,) sums.
    """
    n_nodes, n_classes = len(mu), len(n)
    modes, information = np.empty((n_nodes, n_classes)), np.empty((n_nodes, n_classes))
    is_done, off = np.empty((n_nodes, n_classes), np.bool_), np.zeros(n_nodes)
    near, ahead = np.empty(n_classes), np.zeros(n_classes + 1)
    for c in range(n_classes):
        near[c] = start(kind, n[c], k[c])
        ahead[c + 1] = ahead[c] + (count[c] * largest_log_likelihood(kind, n[c], k[c]) if count[c] else 0.0)
    most = -np.inf
    if n_nodes >= MANY:
        for i in range(0, n_nodes, STRIDE):
            total, far = _laplace(
                kind, n, k, count, mu[i], tau[i], near, ahead, most, modes[i], information[i], is_done[i]
            )
            most = max(most, total - far)
    least = most if n_nodes >= MANY else -np.inf
    for i in range(n_nodes):
        out[i], off[i] = _laplace(
            kind, n, k, count, mu[i], tau[i], near, ahead, least, modes[i], information[i], is_done[i]
        )
        most = max(most, out[i] - off[i])
    scratch = np.empty((3, TOGETHER))
    for i in range(n_nodes):
        if off[i] == 0 or out[i] + off[i] < most - OUT_OF_REACH:
            continue
        for c in range(n_classes):
            if count[c] == 0 or is_done[i, c]:
                continue
            found = information[i, c]
            relative = evidence(kind, n[c], k[c], mu[i], tau[i], modes[i, c], found, scratch)
            out[i] += count[c] * np.log(relative * np.sqrt((1 + tau[i] * tau[i] * found) / (2 * np.pi)))


@native
def _laplace(
    kind: int,
    n: np.ndarray,
    k: np.ndarray,
    count: np.ndarray,
    mu: float,
    tau: float,
    near: np.ndarray,
    ahead: np.ndarray,
    least: float,
    modes: np.ndarray,
    information: np.ndarray,
    is_done: np.ndarray,
) -> tuple[float, float]:
    """Return the sum of Laplace's log integrals, and how far it may be off; 0 for a bound that is out of reach.

    Args:
        kind: of likelihood.
        n: (class,) trials or exposures.
        k: (class,) successes or counts.
        count: (class,) groups.
        mu: mean of the effects.
        tau: their sd.
        near: (class,) effects to start from; the modes are written there.
        ahead: (class + 1,) sums of the largest log likelihoods of the classes before.
        least: log density of another node.
        modes: (class,) to write the modes to.
        information: (class,) to write the information there to.
        is_done: (class,) to write to whether the integral is that of Laplace.
    """
    total, off = 0.0, 0.0
    for c in range(len(n) - 1, -1, -1):
        if count[c] == 0:
            continue
        z, p, found = mode(kind, n[c], k[c], mu, tau, near[c])
        theta = mu + tau * z
        near[c] = theta
        sd = 1 / np.sqrt(1 + tau * tau * found)
        far, correction = corrections(kind, p, found, sd * tau)
        modes[c], information[c], is_done[c] = z, found, far < NEARLY_NORMAL
        if is_done[c]:
            sd *= 1 + correction
        else:
            off += count[c] * min(far, MOST_OFF)
        total += count[c] * (log_likelihood(kind, n[c], k[c], theta) - 0.5 * z * z + np.log(sd))
        if total + off + ahead[c] < least - OUT_OF_REACH:
            return total + ahead[c], 0.0
    return total, off


@native
def moments_at(kind: int, n: float, k: float, mu: np.ndarray, tau: np.ndarray, out: np.ndarray) -> None:
    """Write mean and variance of theta, and of the mean of an observation, of one group.

    Args:
        kind: of likelihood.
        n: trials, or exposure.
        k: successes, or count.
        mu: (node,) mean of the effects.
        tau: (node,) their sd.
        out: (4, node).
    """
    near, sums = start(kind, n, k), np.empty(5)
    for i in range(len(mu)):
        z, _, information = mode(kind, n, k, mu[i], tau[i], near)
        near = mu[i] + tau[i] * z
        walk(kind, n, k, mu[i], tau[i], z, information, kind, sums)
        x, mean = sums[1] / sums[0], sums[3] / sums[0]
        out[0, i], out[1, i] = near + x, max(sums[2] / sums[0] - x * x, 0.0)
        out[2, i], out[3, i] = mean_of(kind, near) + mean, max(sums[4] / sums[0] - mean * mean, 0.0)
