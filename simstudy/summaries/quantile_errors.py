"""Monte Carlo standard errors of quantiles, from sorted draws and the effective sample size of "draw <= quantile".

The share of draws below a quantile is as uncertain as that of ESS independent draws, whose posterior under a uniform
prior is a Beta distribution: half the distance between the draws at its 15.9 % and 84.1 % points is the error (Vehtari,
Gelman, Simpson, Carpenter & Buerkner 2021, Bayesian Analysis 16:667, section 4.4).
"""

from functools import lru_cache

import numpy as np
from scipy.special import betaincinv, ndtr

ONE_ERROR = (float(ndtr(-1)), float(ndtr(1)))  # probabilities one standard error below and above a normal mean
GRID = 1024  # steps of 1 / sqrt(ESS) from 0 to 1; between them lines are right to 1e-7


@lru_cache(maxsize=16)
def bands(probabilities: tuple[float, ...]) -> np.ndarray:
    """Return the ends of an interval of one standard error, as a table over 1 / sqrt(ESS).

    Args:
        probabilities: in [0, 1], of the quantiles.

    Returns:
        (probability, 2, GRID + 1): lower and upper end less the probability, times sqrt(ESS).
    """
    p = np.asarray(probabilities)[:, None, None]
    ends = np.asarray(ONE_ERROR)[:, None]
    root = np.arange(1, GRID + 1) / GRID
    table = np.empty((len(p), 2, GRID + 1))
    table[..., 1:] = (betaincinv(p / root**2 + 1, (1 - p) / root**2 + 1, ends) - p) / root
    table[..., 0] = np.array([-1, 1]) * np.sqrt(p * (1 - p))[..., 0]
    table.setflags(write=False)
    return table


def quantile_mcse(ordered: np.ndarray, ess: np.ndarray, probabilities: tuple[float, ...]) -> np.ndarray:
    """Return (row, probability) Monte Carlo standard errors of quantiles, in units of the draws.

    Args:
        ordered: (row, draw) sorted draws.
        ess: (row, probability) effective sample sizes of the indicators of draws up to the quantile; NaN gives NaN.
        probabilities: of the quantiles.
    """
    n = ordered.shape[-1]
    root = np.minimum(1 / np.sqrt(ess), 1)
    step = np.nan_to_num(root) * GRID
    left = np.minimum(step.astype(np.intp), GRID - 1)
    table = bands(probabilities)
    which = np.arange(len(probabilities))
    ends = []
    for side in range(2):
        low, high = table[which, side, left], table[which, side, left + 1]
        ends.append(np.asarray(probabilities) + root * (low + (high - low) * (step - left)))
    lower, upper = (np.nan_to_num(end * n) for end in ends)
    first = np.maximum(np.floor(lower).astype(np.intp) - 1, 0)
    last = np.minimum(np.ceil(upper).astype(np.intp), n) - 1
    width = np.take_along_axis(ordered, last, -1) - np.take_along_axis(ordered, first, -1)
    return np.where(np.isnan(ess), np.nan, width / 2)
