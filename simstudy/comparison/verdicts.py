"""Verdicts: changed, same, or cannot tell, and then how many replicates would.

- ``changed``: significant by Holm's procedure over all rows that are not identical, and larger than the margin.
- ``same``: the interval of the difference lies within the margin, or all that is behind it is identical.
- ``cannot tell``: anything else.

A change is ``worse`` or ``better`` in the direction of loss. A bias that changes its sign, or one of which no truth is
known, may be neither for all that these replicates show: it is ``unclear``, and a gate must not pass it.
"""

import numpy as np
import pandas as pd
from scipy.stats import norm

from simstudy.measures.holm import holm

CHANGED, SAME, CANNOT_TELL = "changed", "same", "cannot tell"
WORSE, BETTER, UNCLEAR = "worse", "better", "unclear"
POWER = 0.8
MOST_NEEDED = 1_000_000


def judge(table: pd.DataFrame, *, alpha: float) -> pd.DataFrame:
    """Return the differences with their verdicts.

    Args:
        table: rows as ``take_difference`` returns them, all those of one comparison.
        alpha: largest probability of any false ``changed`` among them, in (0, 1).

    Returns:
        The rows with ``p_holm``; ``verdict``; ``direction`` of a change, None otherwise; ``n_needed``, the replicates
        (of times, the blocks of fits) with which the row would be decided with probability ``POWER`` if its difference
        is what it seems: for ``cannot tell`` alone, and null where they are unknown or more than a million.
    """
    is_open = (table["evidence"] != "identical").to_numpy()
    p_holm = np.ones(len(table))
    p_holm[is_open] = holm(table["p_value"].to_numpy(float)[is_open])
    difference, margin, lower, upper = (
        table[name].to_numpy(float) for name in ("difference", "margin", "lower", "upper")
    )
    changed = (p_holm <= alpha) & (np.abs(difference) > margin)
    same = ~is_open | ((lower >= -margin) & (upper <= margin))
    verdict = np.select([changed, same], [CHANGED, SAME], CANNOT_TELL).astype(object)
    return table.assign(
        p_holm=p_holm,
        verdict=verdict,
        direction=pd.Series(_direction(table), index=table.index, dtype=object).where(changed, None),
        n_needed=_needed(table, alpha=alpha, n_open=int(is_open.sum())).where(verdict == CANNOT_TELL),
    )


def _direction(table: pd.DataFrame) -> np.ndarray:
    loss, reach = (table[name].to_numpy(float) for name in ("loss", "loss_reach"))
    clear = np.abs(loss) > reach
    return np.select([clear & (loss > 0), clear & (loss < 0)], [WORSE, BETTER], UNCLEAR).astype(object)


def _needed(table: pd.DataFrame, *, alpha: float, n_open: int) -> pd.Series:
    """Return the replicates that would show what the difference seems to be: a change, or none that matters.

    MCSEs fall with the root of their number. For a change, z_(1 - level/2) + z_power of them have to fit between the
    difference and 0; for none that matters, z_(1 - level/2) + z_((1 + power)/2) between it and the margin, which has
    two sides, and 3/n has to fit as well.
    """
    n, mcse, reach, margin = (table[name].to_numpy(float) for name in ("n_replicates", "mcse", "reach", "margin"))
    size = np.abs(table["difference"].to_numpy(float))
    is_change = size > margin
    gap = np.where(is_change, size, margin - size)
    level = np.where(is_change, alpha / max(n_open, 1), alpha)
    z = norm.isf(level / 2) + norm.ppf(np.where(is_change, POWER, (1 + POWER) / 2))
    with np.errstate(divide="ignore", invalid="ignore"):
        needed = np.maximum(n * (z * mcse / gap) ** 2, np.where(is_change, 0, reach / gap))
    needed = np.maximum(np.ceil(needed), n + 1)
    return pd.Series(np.where(needed <= MOST_NEEDED, needed, np.nan), index=table.index).astype("Int64")
