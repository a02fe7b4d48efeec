"""Is a group unlike the others? What data like these, all of whose effects are normal, show by chance.

The answer of ``choose`` is about groups that are draws of one normal distribution, and data simulated from it hold no
group apart. So the one that lies farthest from the rest is held against the farthest of simulated data sets: a
posterior predictive check (Gelman, Meng & Stern 1996, Statistica Sinica 6) of the externally studentized distance.
"""

from collections.abc import Mapping

import numpy as np

FEWEST_GROUPS = 4  # the rest need a spread of their own
SEED = 19960601


def farthest(estimates: np.ndarray, variances: np.ndarray, draws: Mapping[str, np.ndarray]) -> tuple[int, float] | None:
    """Return the group that lies farthest from the rest, and how often one of simulated data lies as far.

    Args:
        estimates: (group,) what each group by itself says of its effect.
        variances: (group,) of the estimates.
        draws: ``mu`` and ``tau``, (draw,) draws of their posterior.

    Returns:
        Index and posterior predictive p-value; None for fewer than four groups.
    """
    if len(estimates) < FEWEST_GROUPS:
        return None
    stream = np.random.default_rng(SEED)
    shape = len(draws["mu"]), len(estimates)
    effects = draws["mu"][:, None] + draws["tau"][:, None] * stream.standard_normal(shape)
    simulated = effects + np.sqrt(variances) * stream.standard_normal(shape)
    observed = _distances(estimates[None], variances)[0]
    as_far = np.count_nonzero(_distances(simulated, variances).max(1) >= observed.max())
    return int(observed.argmax()), (1 + as_far) / (1 + shape[0])


def _distances(estimates: np.ndarray, variances: np.ndarray) -> np.ndarray:
    """Return (data set, group) distances from the mean of the others, in standard deviations of theirs and its own."""
    n = estimates.shape[1] - 1
    mean = (estimates.sum(1, keepdims=True) - estimates) / n
    centered = estimates - estimates.mean(1, keepdims=True)
    squares = (centered**2).sum(1, keepdims=True) - centered**2 * (n + 1) / n
    with np.errstate(divide="ignore", invalid="ignore"):
        distances = np.abs(estimates - mean) / np.sqrt(np.maximum(squares, 0) / (n - 1) + variances)
    return np.nan_to_num(distances, nan=0.0)
