"""Readings from a performance table: the rows that a figure or a sentence speaks about."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from simstudy.errors import TableError
from simstudy.report.reading.vocabulary import effects, hyperparameters

AVERAGE = "average"
CLEAR = 2.0


def average(
    performance: pd.DataFrame, measure: str, *, estimand: str | None = None, level: float | None = None
) -> pd.DataFrame:
    """Return a measure's rows, one per scenario and method: over all groups, in no bin, by the run's main policy.

    Args:
        performance: the performance table.
        measure: its name.
        estimand: of one estimand; None for measures of the fit.
        level: of one interval level; None takes the widest level there is.
    """
    rows = whole(main_policy(performance[performance["measure"] == measure]), estimand)
    rows = rows[rows["bin"].isna() & (rows["group"].isna() | (rows["group"] == AVERAGE))]
    return at_level(rows, level).drop_duplicates(["scenario", "method"])


def quick_to_read(performance: pd.DataFrame) -> pd.DataFrame:
    """Return the table with its measures as categories, whose comparison does not read text: a report asks often."""
    return performance.astype({"measure": "category"})


def require(rows: pd.DataFrame, what: str) -> pd.DataFrame:
    """Return the rows.

    Raises:
        TableError: there are none.
    """
    if rows.empty:
        raise TableError(f"performance: the table has no {what} to draw")
    return rows


def require_one(rows: pd.DataFrame, label: str) -> pd.DataFrame:
    """Return the rows, all of one scenario, estimand or group; rows without such a column are taken to be.

    Raises:
        TableError: they are of several, which a figure would mix.
    """
    found = list(rows[label].dropna().unique()) if label in rows else []
    if len(found) > 1:
        some = ", ".join(str(one) for one in found[:2])
        raise TableError(
            f"{label}: the table has rows of {len(found)} ({some}, ...), which the figure would mix; give those of one"
        )
    return rows


def whole(rows: pd.DataFrame, estimand: str | None) -> pd.DataFrame:
    """Return the rows of an estimand, or those of none."""
    return rows if estimand is None else rows[rows["estimand"] == estimand]


def main_policy(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the policy that comes first in the table: the run's own."""
    known = rows["policy"].dropna()
    return rows if known.empty else rows[rows["policy"].isna() | (rows["policy"] == known.iloc[0])]


def at_level(rows: pd.DataFrame, level: float | None) -> pd.DataFrame:
    """Return the rows at an interval level; the level nearest to 95 % where none is asked for."""
    known = rows["level"].dropna()
    if known.empty:
        return rows
    chosen = level if level is not None else headline_level(known)
    return rows[rows["level"].isna() | ((rows["level"] - chosen).abs() < 1e-9)]


def headline_level(levels: pd.Series) -> float:
    """Return 0.95 where it is among the levels, else the level nearest to it.

    >>> headline_level(pd.Series([0.5, 0.9]))
    0.9
    """
    return float(min(levels.unique(), key=lambda level: abs(level - 0.95)))


def is_clear(difference: float, mcse: float) -> bool:
    """Return whether a difference is larger than 2 of its MCSE, and so may stand in a sentence.

    A difference whose MCSE is not known, or is 0 by accident, is never clear.

    >>> is_clear(0.3, 0.1), is_clear(0.2, 0.1), is_clear(0.3, float("nan"))
    (True, False, False)
    """
    return bool(math.isfinite(difference) and math.isfinite(mcse) and mcse > 0 and abs(difference) > CLEAR * mcse)


def largest(rows: pd.DataFrame, column: str) -> pd.Series:
    """Return the row in which the absolute value of a column is largest; missing values are skipped."""
    label: Any = rows[column].abs().idxmax()
    return rows.loc[label]


def binned(
    performance: pd.DataFrame,
    measure: str,
    *,
    by: str = "distance",
    estimand: str | None = None,
    level: float | None = None,
) -> pd.DataFrame:
    """Return a measure's rows by bin, in the order of the bins, ``place`` being a bin's rank from 0.

    Args:
        performance: the performance table.
        measure: its name.
        by: what the bins are of: ``distance`` from the center in units of the spread, or ``n_obs``.
        estimand: effects; those that are spoken of where left out.
        level: of one interval level; None takes the headline level.
    """
    rows = whole(main_policy(performance[performance["measure"] == measure]), estimand or effects().name)
    rows = at_level(rows[rows["bin"].astype(str).str.startswith(f"{by}=")], level)
    start = rows["bin"].astype(str).str.extract(r"=(\d+\.?\d*)", expand=False).astype(float)
    return rows.assign(place=start.rank(method="dense") - 1).sort_values("place", kind="stable")


def efficiencies(performance: pd.DataFrame) -> pd.DataFrame:
    """Return effective draws per leapfrog without warm-up: of (mu, tau) where a method has both, else of theta.

    They are center and spread of the effects, by whatever name.
    """
    rows = performance[performance["measure"] == "ess_per_leapfrog"]
    known = rows["estimand"][rows["value"].notna()]
    both = ", ".join(hyperparameters())
    chosen = both if (known == both).any() else None
    return average(performance, "ess_per_leapfrog", estimand=chosen)
