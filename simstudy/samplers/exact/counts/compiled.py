"""Log integrals and moments of groups at many values of the hyperparameters, by the compiled functions.

Where Numba is missing they are NumPy's (``effect.py``), which are ten times as slow and agree to 1e-6.
"""

from importlib.util import find_spec

import numpy as np

from simstudy.samplers.exact.effect import TRIALS, Effect

__all__ = ["TRIALS", "moments", "sum_of_log_integrals"]

HAS_NUMBA = find_spec("numba") is not None
_ELEMENTS_AT_ONCE = 2048  # of NumPy's: each has 48 nodes


def sum_of_log_integrals(
    kind: int, n: np.ndarray, k: np.ndarray, count: np.ndarray, mu: np.ndarray, tau: np.ndarray
) -> np.ndarray:
    """Return the sum over classes of the log of p(k | mu, tau), constants left out, for data sets one by one.

    Args:
        kind: ``TRIALS``; with Numba also ``COUNTS``.
        n: (fit, class) trials, or exposures.
        k: (fit, class) successes, or counts.
        count: (fit, class) groups in the class.
        mu: mean of the effects; it and the next broadcast to (fit, ...).
        tau: standard deviation of the effects.
    """
    mu, tau = np.broadcast_arrays(mu, tau)
    out = np.empty(mu.shape)
    for fit in range(len(out)):
        out[fit] = _sum(kind, n[fit], k[fit], count[fit], mu[fit].ravel(), tau[fit].ravel()).reshape(mu.shape[1:])
    return out


def moments(kind: int, n: float, k: float, mu: np.ndarray, tau: np.ndarray) -> np.ndarray:
    """Return the moments of one group's effect at nodes, (4, node): mean and variance of theta, then of the mean.

    Args:
        kind: ``TRIALS``; with Numba also ``COUNTS``.
        n: trials, or exposure.
        k: successes, or count.
        mu: (node,) mean of the effects.
        tau: (node,) their standard deviation.
    """
    if HAS_NUMBA:
        from simstudy.samplers.exact.counts.integrals import moments_at

        out = np.empty((4, len(mu)))
        moments_at(kind, float(n), float(k), np.ascontiguousarray(mu), np.ascontiguousarray(tau), out)
        return out
    found = Effect.of(n=np.asarray(n), k=np.asarray(k), mu=mu, tau=tau).moments()
    return np.concatenate([found["theta"], found["p"]])


def _sum(kind: int, n: np.ndarray, k: np.ndarray, count: np.ndarray, mu: np.ndarray, tau: np.ndarray) -> np.ndarray:
    if HAS_NUMBA:
        from simstudy.samplers.exact.counts.integrals import log_marginal

        out = np.empty(len(mu))
        n, k, count, mu, tau = (np.ascontiguousarray(x, float) for x in (n, k, count, mu, tau))
        log_marginal(kind, n, k, count, mu, tau, out)
        return out
    total = np.zeros(len(mu))
    for one_n, one_k, one_count in zip(n, k, count, strict=True):
        if one_count:
            for part in np.array_split(np.arange(len(mu)), -(-len(mu) // _ELEMENTS_AT_ONCE)):
                effect = Effect.of(n=one_n, k=one_k, mu=mu[part], tau=tau[part])
                total[part] += one_count * effect.log_integral
    return total
