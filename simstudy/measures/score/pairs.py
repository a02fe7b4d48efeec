"""What holds between the methods of a replicate: one truth, the errors of a reference, complete replicates."""

import numpy as np
import pandas as pd

from simstudy.errors import TableError, named, suggestion
from simstudy.measures.score.keys import Keys
from simstudy.tables.table import listed

ROUNDING = 1e-9  # relative; truths that are computed method by method may differ in their last digits


def check_truth(keys: Keys, truth: np.ndarray) -> None:
    """Check that the methods of a replicate share its truth, in each group; replicates may differ.

    Raises:
        TableError: they do not; the message names the first replicate.
    """
    if keys.method is None or keys.replicate is None:
        return
    rows = np.flatnonzero(~np.isnan(truth))
    of_item = pd.Series(truth[rows]).groupby(keys.item[rows]).agg(["min", "max"])
    low, high = (of_item[end].to_numpy() for end in ("min", "max"))
    differs = high - low > ROUNDING * np.maximum(np.abs(low), np.abs(high))
    if not differs.any():
        return
    wrong = rows[np.isin(keys.item[rows], of_item.index[differs])]
    first = wrong[0]
    other = next(row for row in wrong if keys.item[row] == keys.item[first] and truth[row] != truth[first])
    names = [*keys.by, keys.replicate, *([keys.group] if keys.group else [])]
    methods = " and ".join(named(keys.labels[keys.method][row]) for row in (first, other))
    raise TableError(
        f"truth: expected one truth of all methods of a replicate, got {truth[first]:g} and {truth[other]:g} for "
        f"{methods} at {keys.place(first, names)}; {differs.sum():,} differ so"
    )


def reference_errors(keys: Keys, error: np.ndarray, ref: str) -> np.ndarray:
    """Return (row,) the error of the reference method in the same scenario, replicate and group.

    NaN for rows of the reference itself, and where it has no row.

    Raises:
        TableError: methods or replicates are not named; no row is of such a method.
    """
    if keys.method is None or keys.replicate is None:
        raise TableError("ref: methods are compared replicate by replicate, so method and replicate must be named too")
    methods = keys.labels[keys.method]
    is_ref = methods == ref
    if not is_ref.any():
        known = list(dict.fromkeys(methods))
        raise TableError(
            f"ref: no method {ref!r} in column {keys.method!r}, which has {listed(known)}{suggestion(ref, known)}"
        )
    of_item = np.full(keys.item.max() + 1, np.nan)
    of_item[keys.item[is_ref]] = error[is_ref]
    return np.where(is_ref, np.nan, of_item[keys.item])


def without_reference(keys: Keys, ref: str, is_usable: np.ndarray) -> list[str]:
    """Return the scenarios in which the reference method has no usable estimate, by what they are called.

    Args:
        keys: of the rows.
        ref: the reference method.
        is_usable: (row,) bool.
    """
    is_ref = (keys.labels[str(keys.method)] == ref) & is_usable
    first = np.unique(keys.scenario, return_index=True)[1]
    absent = first[~np.isin(keys.scenario[first], keys.scenario[is_ref])]
    return [text or "the only scenario" for text in keys.scenario_texts(absent)]


def complete_replicates(keys: Keys, is_usable: np.ndarray) -> np.ndarray:
    """Return (row,) bool: every method of the row's scenario has a usable estimate in each group of its replicate.

    Raises:
        TableError: methods or replicates are not named.
    """
    if keys.method is None or keys.replicate is None:
        raise TableError("pairs: replicates are complete over methods, so method and replicate must be named too")
    scenario_of_cell = keys.scenario[np.unique(keys.cell, return_index=True)[1]]
    n_methods = np.bincount(scenario_of_cell)
    n_usable = np.bincount(keys.item, weights=is_usable)
    lacks = n_usable[keys.item] < n_methods[keys.scenario]
    replicate = keys.codes([*keys.by, keys.replicate])
    return ~(np.bincount(replicate, weights=lacks) > 0)[replicate]
