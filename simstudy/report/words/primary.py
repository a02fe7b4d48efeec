"""The numbers of the measure that a study is about: where each method's is least and where it is largest."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from simstudy.report.figures.lollipop import SHARES
from simstudy.report.reading.wording import PERCENT, measure_words, symbol, with_mcse
from simstudy.report.words.sentences import quote


def primary_sentences(
    rows: pd.DataFrame, labels: Mapping[str, str], *, measure: str, estimand: str | None = None
) -> list[str]:
    """Return a sentence for each method, in the order of the rows: the ends of the measure over the scenarios.

    Args:
        rows: one row per scenario and method: ``value``, ``mcse``, ``level``.
        labels: scenario -> what it is called.
        measure: its name.
        estimand: of which it is, or None.
    """
    of, levels = f" of {symbol(estimand)}" if estimand else "", rows["level"].dropna()
    by = f" by {PERCENT * levels.iloc[0]:g} % intervals," if len(levels) else ""
    known = rows.dropna(subset="value")
    return [
        f"{quote(str(method))}: {measure_words(measure)}{of}{by} {_ends(part, labels, is_share=measure in SHARES)}."
        for method, part in known.groupby(known["method"].astype(str), sort=False)
    ]


def _ends(rows: pd.DataFrame, labels: Mapping[str, str], *, is_share: bool) -> str:
    in_order = [row for _, row in rows.sort_values("value", kind="stable").iterrows()]
    least, most = in_order[0], in_order[-1]
    low, high = (with_mcse(row["value"], row["mcse"], percent=is_share) for row in (least, most))
    if len(rows) == 1:
        return low
    if least["value"] == most["value"]:
        return f"{low} in all scenarios"
    return f"from {low} at {labels[str(least['scenario'])]} to {high} at {labels[str(most['scenario'])]}"
