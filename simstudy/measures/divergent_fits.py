"""Are fits with divergences biased, or harmless? Read from the sampler's bias among them, where it is known."""

import numpy as np
import pandas as pd

from simstudy.measures.holm import holm
from simstudy.measures.rows.cells import DIVERGENCES

# In posterior sds: the standard error of a mean of 400 independent draws, the fewest that diagnostics ask for.
MARGIN = 0.05
CELL = ["scenario", "method", "estimand", "group"]


def judge_divergent_fits(performance: pd.DataFrame, *, margin: float = MARGIN, alpha: float = 0.05) -> pd.DataFrame:
    """Return whether the fits with divergent draws miss the exact posterior mean.

    Args:
        performance: the performance table of a run with an exact method.
        margin: largest bias that is no harm, in posterior sds, positive.
        alpha: error rate over all rows, in (0, 1).

    Returns:
        One row per scenario, method, estimand and group whose sampler error is known in some fit with divergences:
        ``n_used`` such fits, their ``bias`` in posterior sds and its ``mcse``, the ``other_bias`` of the fits without
        (NaN where there are none), and ``verdict``: ``biased`` (Student's t test, Holm over all rows, and a bias
        beyond the margin), ``harmless`` (the 1 - alpha interval lies within the margin), or ``cannot tell``.
    """
    from scipy.stats import t  # slow to import: not before fits are judged

    bias = performance[(performance["measure"] == "sampler_bias") & performance["bin"].isin(DIVERGENCES)]
    bias = bias[bias["policy"] == bias["policy"].iloc[0]] if len(bias) else bias
    without, some = (bias[bias["bin"] == bin_].set_index(CELL) for bin_ in DIVERGENCES)
    value, mcse, n = (some[name].to_numpy(float) for name in ("value", "mcse", "n_used"))
    freedom = np.maximum(n - 1, 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        p_value = np.nan_to_num(2 * t.sf(np.abs(value) / mcse, freedom), nan=1.0)
    biased = (holm(p_value) <= alpha) & (np.abs(value) > margin)
    harmless = np.abs(value) + t.ppf(1 - alpha / 2, freedom) * mcse <= margin
    columns = {
        "n_used": some["n_used"].to_numpy(),
        "bias": value,
        "mcse": mcse,
        "other_bias": without["value"].reindex(some.index).to_numpy(float),
        "verdict": np.select([biased, harmless], ["biased", "harmless"], "cannot tell").astype(object),
    }
    return some.index.to_frame(index=False).assign(**columns)
