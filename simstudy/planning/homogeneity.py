"""Tests that all groups are the same: what ``tau > 0`` is judged by, since a posterior of tau always excludes 0.

Observations: the F test of one-way analysis of variance. Known standard errors: Cochran's Q. Successes and trials:
Pearson's chi-square of proportions. Each holds its size where tau = 0, the chi-squares for groups that are not small.
"""

import numpy as np
from scipy.stats import chi2, f

from simstudy.types import GroupedData


def p_value(data: GroupedData, likelihood: str) -> float:
    """Return the p-value that all groups have the same mean; 1 where nothing can be said.

    Args:
        data: of one replicate.
        likelihood: ``normal``, ``normal_known_se`` or ``binomial``.
    """
    if len(data.n_obs) < 2:
        return 1.0
    if likelihood == "normal_known_se":
        return _of_estimates(data.y_mean, np.asarray(data.known_se))
    return (_of_proportions if likelihood == "binomial" else _of_observations)(data)


def _of_observations(data: GroupedData) -> float:
    """Return the p-value of F = mean square between / mean square within (Fisher 1925)."""
    n, mean = data.n_obs, data.y_mean
    between, within = len(n) - 1, int(n.sum()) - len(n)
    if within < 1:
        return 1.0
    around = n @ (mean - n @ mean / n.sum()) ** 2 / between
    rest = float(np.sum(data.y_ss)) / within
    return float(f.sf(around / rest, between, within)) if rest > 0 else float(around == 0)


def _of_estimates(mean: np.ndarray, error: np.ndarray) -> float:
    """Return the p-value of Q = sum w (y - mean)^2, w = 1 / se^2 (Cochran 1954)."""
    weight = error**-2.0
    q = weight @ (mean - weight @ mean / weight.sum()) ** 2
    return float(chi2.sf(q, len(mean) - 1))


def _of_proportions(data: GroupedData) -> float:
    """Return the p-value of Pearson's chi-square (Pearson 1900)."""
    n, share = data.n_obs, data.y_mean
    pooled = float(n @ share / n.sum())
    if not 0 < pooled < 1:
        return 1.0
    return float(chi2.sf(n @ (share - pooled) ** 2 / (pooled * (1 - pooled)), len(n) - 1))
