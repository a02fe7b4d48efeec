"""Which methods did not converge, in a sentence that stands before any other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from simstudy.report.reading.wording import share
from simstudy.report.words.sentences import quote

TOLD = 0.01
"""Share of a method's fits from which it is told."""
MOST_SHORT = 0.05
"""Share of fits that did not converge, above which effective draws and unseen errors prove nothing."""


def convergence_sentence(table: pd.DataFrame, limits: Mapping[str, Any]) -> str:
    """Return which methods have fits that did not converge, the worst first; empty where hardly any has one.

    Args:
        table: one row per method: ``fits`` that can be used, of them ``short`` that did not converge, ``max_rhat`` and
            ``min_ess`` by either flag.
        limits: the study's thresholds of the flags.
    """
    rows = table[table["short"] > TOLD * table["fits"]]
    if rows.empty:
        return ""
    rows = rows.iloc[(-(rows["short"] / rows["fits"])).argsort(kind="stable")]
    (name, first), *rest = rows.iterrows()
    told = f"{quote(str(name))} did not converge in {share(int(first['short']), int(first['fits']))} fits"
    for other, row in rest:
        told += f", {quote(str(other))} in {share(int(row['short']), int(row['fits']))}"
    return f"{told} ({_reason(rows, limits)})."


def _reason(rows: pd.DataFrame, limits: Mapping[str, Any]) -> str:
    words = {"max_rhat": f"R-hat above {limits.get('max_rhat')}", "min_ess": f"ESS below {limits.get('min_ess'):g}"}
    for name, reason in words.items():
        if (rows[name] == rows["short"]).all():
            return reason
    return " or ".join(words.values())
