"""Mixtures of many normals as mixtures of few: components that are nearly alike become one.

A component joins those whose mean lies within a tenth of its sd and whose sd within a tenth of it. Mean and variance of
the mixture are unchanged, and what is lost is a fourth cumulant of 1e-5 of a component's.
"""

import numpy as np

from simstudy.samplers.exact.marginal import NormalMixture

_WIDTH = 0.1
_MOST_BINS = 1 << 16
_TINY = np.finfo(float).tiny


def merged(weight: np.ndarray, mean: np.ndarray, variance: np.ndarray, base: float) -> NormalMixture:
    """Return a mixture.

    Args:
        weight: (component,) positive.
        mean: (component,) less the base.
        variance: (component,).
        base: what is added to all means.
    """
    sd = np.sqrt(variance)
    spread = max(float(sd.max()), float(np.ptp(mean)), _TINY)
    of_sd = np.floor(np.log(np.maximum(sd, 1e-6 * spread)) / _WIDTH).astype(np.int64)
    of_sd -= of_sd.min()
    of_mean = np.floor((mean - mean.min()) / (_WIDTH * np.maximum(sd, 1e-3 * spread))).astype(np.int64)
    key = of_sd * (int(of_mean.max()) + 1) + of_mean
    if (int(key.max()) + 1) > _MOST_BINS:
        _, key = np.unique(key, return_inverse=True)
    total = np.bincount(key, weight)
    kept = total > 0
    center = np.divide(np.bincount(key, weight * mean), total, out=np.zeros_like(total), where=kept)
    within = np.bincount(key, weight * (variance + (mean - center[key]) ** 2))
    return NormalMixture(
        weights=total[kept] / total.sum(), means=base + center[kept], sds=np.sqrt(within[kept] / total[kept])
    )
