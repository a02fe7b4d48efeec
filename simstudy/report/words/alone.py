"""What a study of one method found: how biased its estimates are and how well its intervals cover, in sentences."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import pandas as pd

from simstudy.report.reading.readings import average, is_clear, largest
from simstudy.report.reading.wording import counted, symbol, with_mcse
from simstudy.report.words.counting import clear_in
from simstudy.report.words.sentences import quote


def alone_sentences(
    performance: pd.DataFrame,
    labels: Mapping[str, str],
    *,
    method: str,
    estimand: str,
    boundary: Collection[str] = (),
) -> list[str]:
    """Return where a method is most biased, if that is clear anywhere, and where its intervals cover least.

    Args:
        performance: the performance table.
        labels: scenario -> what it is called.
        method: its name.
        estimand: what is estimated.
        boundary: scenarios whose truth lies on the boundary, where bias and coverage say nothing.
    """
    readings = (average(performance, measure, estimand=estimand) for measure in ("bias", "coverage"))
    biases, coverages = (_of(rows, method, boundary) for rows in readings)
    told = [words for words in (_bias(biases, labels, estimand), _coverage(coverages, labels)) if words]
    return [f"{quote(method)}: {'; '.join(told)}."] if told else []


def _of(rows: pd.DataFrame, method: str, boundary: Collection[str]) -> pd.DataFrame:
    return rows[(rows["method"] == method) & ~rows["scenario"].isin(boundary)].dropna(subset=["value"])


def _bias(rows: pd.DataFrame, labels: Mapping[str, str], estimand: str) -> str:
    if rows.empty:
        return ""
    clear = rows[[is_clear(value, mcse) for value, mcse in zip(rows["value"], rows["mcse"], strict=True)]]
    many = len(rows) > 1
    if clear.empty:
        where = f" in {counted(len(rows), 'scenario')}" if many else ""
        return f"no bias of {symbol(estimand)} is clear (2 MCSE){where}"
    most = largest(clear, "value")
    amount = with_mcse(most["value"], most["mcse"])
    if not many:
        return f"the bias of {symbol(estimand)} is {amount}"
    few = f"({clear_in(clear['value'], most['value'], len(rows))})"
    return f"the bias of {symbol(estimand)} is largest{_at(labels, most)}: {amount} {few}"


def _coverage(rows: pd.DataFrame, labels: Mapping[str, str]) -> str:
    if rows.empty:
        return ""
    label: Any = rows["value"].idxmin()
    least = rows.loc[label]
    worst = f" at worst,{_at(labels, least)}" if len(rows) > 1 else ""
    share_covered = with_mcse(least["value"], least["mcse"], percent=True)
    return f"its {100 * least['level']:g} % intervals cover {share_covered}{worst}"


def _at(labels: Mapping[str, str], row: pd.Series) -> str:
    return f" at {labels[str(row['scenario'])]}" if len(labels) > 1 else ""
