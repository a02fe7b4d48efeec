"""Differences in RMSE between methods on the same data sets, with the MCSE of the paired difference.

Methods of a study see the same data, so their errors go up and down together, and the difference between two methods
is known much better than either RMSE.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

COLUMNS = ["scenario", "method", "rival", "value", "mcse", "rival_value", "rival_mcse", "difference", "difference_mcse"]
KEYS = ["scenario", "method", "replicate"]


def squared_errors(estimates: pd.DataFrame, estimand: str) -> pd.DataFrame:
    """Return the mean squared error of each replicate: one row per scenario, method and replicate.

    Args:
        estimates: rows with scenario, replicate, method, estimand, mean, truth.
        estimand: the one to take; averaged over the groups of a replicate where it has groups.
    """
    rows = estimates[(estimates["estimand"] == estimand) & estimates["mean"].notna() & estimates["truth"].notna()]
    square = (rows["mean"] - rows["truth"]) ** 2
    return square.groupby([rows[key] for key in KEYS], observed=True).mean().rename("square").reset_index()


def paired_differences(squares: pd.DataFrame, method: str, rival: str) -> pd.DataFrame:
    """Return RMSE(method) - RMSE(rival) by scenario, over the replicates that both have.

    With a_r and b_r the squared errors of replicate r, A and B their means, the influence of replicate r on
    sqrt A - sqrt B is (a_r - A) / (2 sqrt A) - (b_r - B) / (2 sqrt B), and MCSE = sd / sqrt(n) (delta method).

    Args:
        squares: what ``squared_errors`` returns.
        method: name of a method.
        rival: name of another.
    """
    wide = squares[squares["method"].isin([method, rival])].astype({"method": object})
    wide = wide.pivot_table(index=["scenario", "replicate"], columns="method", values="square", observed=True)
    if not {method, rival} <= set(wide.columns):
        return pd.DataFrame(columns=COLUMNS)
    wide = wide.dropna()
    rows = [_difference(str(s), part[method].to_numpy(), part[rival].to_numpy()) for s, part in _by_scenario(wide)]
    return pd.DataFrame(rows).assign(method=method, rival=rival).reindex(columns=COLUMNS)


def differences(table: pd.DataFrame, method: str, rival: str) -> pd.DataFrame:
    """Return the difference of a measure between two methods by scenario, as if they saw different data.

    The MCSE is the root of the sum of squares, larger than that of the paired difference where the errors of the
    methods are positively correlated.

    Args:
        table: rows of one measure, one per scenario and method: ``scenario``, ``method``, ``value``, ``mcse``.
        method: name of a method.
        rival: name of another.
    """
    table = table[["scenario", "method", "value", "mcse"]]
    mine = table[table["method"] == method].drop(columns="method")
    other = table[table["method"] == rival].drop(columns="method")
    both = mine.merge(other, on="scenario", suffixes=("", "_of_rival")).dropna(subset=["value", "value_of_rival"])
    both = both.rename(columns={"value_of_rival": "rival_value", "mcse_of_rival": "rival_mcse"})
    both["difference"] = both["value"] - both["rival_value"]
    both["difference_mcse"] = np.hypot(both["mcse"], both["rival_mcse"])
    return both.assign(method=method, rival=rival).reindex(columns=COLUMNS)


def _by_scenario(wide: pd.DataFrame) -> Any:
    return wide.groupby(level="scenario", observed=True, sort=False)


def _difference(scenario: str, a: np.ndarray, b: np.ndarray) -> dict[str, object]:
    first, second = _root_influence(a), _root_influence(b)
    root_a, root_b = np.sqrt(a.mean()), np.sqrt(b.mean())
    return {
        "scenario": scenario,
        "value": root_a,
        "mcse": _mcse(first),
        "rival_value": root_b,
        "rival_mcse": _mcse(second),
        "difference": root_a - root_b,
        "difference_mcse": _mcse(first - second),
    }


def _root_influence(a: np.ndarray) -> np.ndarray:
    root = np.sqrt(a.mean())
    return (a - a.mean()) / (2 * root) if root > 0 else np.zeros(len(a))


def _mcse(influence: np.ndarray) -> float:
    n = len(influence)
    return float(np.sqrt((influence**2).sum() / (n * (n - 1)))) if n > 1 else float("nan")
