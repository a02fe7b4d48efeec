"""What pooling does to the estimates of these groups: captions that say what the numbers show, and no more.

Without pooling estimates stay with the data where their prior lets them; partial pooling draws them together where tau
is small. Neither is so for every prior, so that a caption looks before it speaks.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
import pandas as pd

from simstudy.report.reading.readings import is_clear
from simstudy.report.reading.roles import Roles
from simstudy.report.reading.wording import enumerate_words, number, share

STAYS, NEAR = 0.1, 0.5
"""Posterior sds of a group's mean from its data up to which an estimate is said to stay there, and to be near them."""
GROWS, FLAT = 1.25, 0.1
"""Ratio of the errors of far and near groups, and slope of estimates on data, above which a prior is seen to pull."""
TOGETHER, APART = 0.99, 1.01
"""Ratio of the spread of the estimates to that without pooling, below and above which they are said to differ."""


def of_data(table: pd.DataFrame, data: pd.Series, roles: Roles, *, level: float) -> str:
    """Return what each of the three models does to the estimates of groups whose data are shown, as half a sentence.

    Args:
        table: one row per method and name: ``mean``, ``lower``, ``upper`` of an interval, and its ``name``.
        data: name -> what was observed.
        roles: which methods play which part.
        level: of the intervals.
    """
    wide = _wide(table, data.index, "mean")
    told = []
    if roles.separate in wide:
        far = distance(table, data, str(roles.separate), level=level)
        told.append(f"without pooling the estimates {_at_data(far, 'stay with', 'them')}")
    if roles.partial in wide:
        told.append(f"partial pooling {_drawn(wide, roles)}")
    if roles.complete in wide:
        told.append("complete pooling gives one value")
    return ", ".join(told)


def of_lesson(table: pd.DataFrame, data: pd.Series, roles: Roles, *, level: float) -> str:
    """Return what the three models make of the same observations, as sentences; arguments as for ``of_data``."""
    wide = _wide(table, data.index, "mean")
    far = distance(table, data, str(roles.separate), level=level)
    first = f"Without pooling they {_at_data(far, 'stay at', 'the data')}"
    partial, ends = wide[str(roles.partial)], wide[[str(roles.separate), str(roles.complete)]]
    slack = NEAR * _sd(table, data.index, str(roles.partial), level=level)
    lies_between = ((partial >= ends.min(axis=1) - slack) & (partial <= ends.max(axis=1) + slack)).all()
    last = (
        "partial pooling lies between, nearer to the data the more observations a group has."
        if lies_between
        else "partial pooling lies beyond both for some groups, where its priors draw them."
    )
    return f"{first}; complete pooling gives every group one value; {last}"


def _at_data(far: float, stay: str, data: str) -> str:
    """Return how far estimates without pooling lie from their data, given the largest distance in posterior sds."""
    if far <= STAYS:
        return f"{stay} {data}"
    reach = number(far, digits=2)
    if far <= NEAR:
        return f"lie within {reach} posterior sds of {data}"
    return f"lie up to {reach} posterior sds from {data}, where its prior draws them"


def of_distance(rmse: pd.DataFrame, roles: Roles) -> list[str]:
    """Return under which kinds of pooling the error grows with the distance of a group from the mean, as a sentence.

    Args:
        rmse: of the effects by bin of distance: ``scenario``, ``method``, ``place``, ``value``, ``mcse``.
        roles: which methods play which part.
    """
    parts = {"no pooling": roles.separate, "complete pooling": roles.complete, "partial pooling": roles.partial}
    told = []
    for words, method in parts.items():
        rows = rmse[rmse["method"].astype(str) == method].sort_values("place")
        ends = [(part.iloc[0], part.iloc[-1]) for _, part in rows.groupby("scenario", observed=True) if len(part) > 1]
        grows = [
            far["value"] > GROWS * near["value"]
            and is_clear(far["value"] - near["value"], math.hypot(far["mcse"], near["mcse"]))
            for near, far in ends
        ]
        if ends:
            told.append(f"under {words} in {share(sum(grows), len(grows))} scenarios")
    return [f"The error is clearly larger far from the mean than near it {enumerate_words(told)}."] if told else []


def of_slopes(slopes: pd.DataFrame, separate: str | None) -> str:
    """Return what the slope of the estimates on their data is without and under complete pooling, as half a sentence.

    Args:
        slopes: how much of the distance from the mean is taken away: ``method``, ``weight``.
        separate: the method without pooling, or None.
    """
    most = slopes.loc[slopes["method"].astype(str) == separate, "weight"].abs().max()
    without = f"up to {number(most, digits=2)} without pooling, by its prior" if most > FLAT else "0 without pooling"
    return f"{without}, 1 under complete pooling"


def of_arrows(theta: pd.DataFrame, separate: str, partial: str) -> str:
    """Return what partial pooling does to the estimates without, drawn as strokes, as a sentence up to its reasons.

    Args:
        theta: posterior means of the effects, one data set of each scenario: ``scenario``, ``method``, ``group``,
            ``mean``.
        separate: the method without pooling.
        partial: the method of partial pooling.
    """
    rows = theta.astype({"scenario": str, "method": str})
    spread = rows.pivot_table(index="scenario", columns="method", values="mean", aggfunc="std")
    if not {separate, partial} <= set(spread) or not (spread[partial] > APART * spread[separate]).any():
        return "Strokes that lean inward are groups pulled toward the mean"
    return (
        "Strokes that lean outward are groups whose estimate without pooling its prior had drawn away from the data; "
        "those that lean inward are pulled toward the mean"
    )


def distance(table: pd.DataFrame, data: pd.Series, method: str, *, level: float) -> float:
    """Return the largest distance of a method's estimates from the data, in posterior sds; infinite for none.

    >>> rows = {"method": "none", "name": ["theta[0]"], "mean": [2.0], "lower": [-1.0], "upper": [5.0]}
    >>> round(distance(pd.DataFrame(rows), pd.Series({"theta[0]": 5.0}), "none", level=0.9), 3)
    1.645
    """
    means = _wide(table, data.index, "mean")[method]
    far = (means - data[means.index]).abs() / _sd(table, data.index, method, level=level)
    return float(far.max()) if len(far) else np.inf


def _drawn(wide: pd.DataFrame, roles: Roles) -> str:
    if roles.separate not in wide or len(wide) < 2:
        return "shares what the groups have in common"
    ratio = float(wide[str(roles.partial)].std() / wide[str(roles.separate)].std())
    if ratio < TOGETHER:
        return "draws them together"
    return "leaves them as far apart" if ratio <= APART else "leaves them farther apart than without, by its priors"


def _wide(table: pd.DataFrame, names: Sequence[str] | pd.Index, column: str) -> pd.DataFrame:
    rows = table[table["name"].isin(names)].astype({"method": str})
    return rows.pivot_table(index="name", columns="method", values=column, observed=True)


def _sd(table: pd.DataFrame, names: Sequence[str] | pd.Index, method: str, *, level: float) -> pd.Series:
    """Return posterior sds by name, as the normal distribution has them with such intervals."""
    lower, upper = (_wide(table, names, end)[method] for end in ("lower", "upper"))
    return (upper - lower) / (2 * NormalDist().inv_cdf(0.5 + level / 2))
