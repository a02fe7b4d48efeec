"""The errors of the methods that play no, complete and partial pooling, beside those of every method."""

import numpy as np

from simstudy.measures.rows.rows import Rows, error_of
from simstudy.store.traits import pooling_of
from simstudy.types import RunTables

PARTS = ("none", "complete", "partial")
FEWEST = 2
ABSENT = 1e100  # error of a part that no method plays: larger than any, with a square that is finite


def add_trio(run: RunTables, rows: Rows) -> Rows:
    """Return the rows of effects with the error of the first method of each part, on the same data and level.

    ``part_none``, ``part_complete`` and ``part_partial`` are huge where no method of that part has the estimand;
    ``has_parts`` is 1 where at least two have it and all that have it have a fit that counts, else NaN.
    """
    labels, keys = rows.keys.labels, rows.keys
    pooling = pooling_of(run.methods).tolist()
    errors, known = {}, np.zeros(len(keys.estimand), np.int64)
    is_whole = np.ones(len(known), bool)
    has = labels.n_estimates.sum(axis=0) > 0
    for part in PARTS:
        errors[f"part_{part}"] = np.full(len(known), ABSENT)
        if part not in pooling:
            continue
        code = pooling.index(part)
        mine = has[code][keys.estimand]
        error = error_of(rows, np.full(len(labels.estimands), code))
        errors[f"part_{part}"] = np.where(mine, error, ABSENT)
        known += mine
        is_whole &= ~mine | np.isfinite(error)
    return rows.add(**errors, has_parts=np.where((known >= FEWEST) & is_whole, 1.0, np.nan))
