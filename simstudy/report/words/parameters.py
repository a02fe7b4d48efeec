"""What a posterior says of the parameters of a data set with terms, in a sentence."""

from __future__ import annotations

import pandas as pd

from simstudy.report.reading.vocabulary import declared
from simstudy.report.reading.wording import number, symbol
from simstudy.report.words.sentences import quote

TOLD = ("location", "scale", "correlation", "share")


def parameter_sentences(table: pd.DataFrame, *, method: str) -> list[str]:
    """Return the posterior mean and interval of every parameter under a method, those of effects at hand left out.

    Args:
        table: posterior summaries over the sampler's seeds: ``method``, ``estimand``, ``group``, ``mean`` and, where an
            interval is known, ``lower`` and ``upper``.
        method: its name.
    """
    rows = table[(table["method"] == method) & table["group"].isna()]
    names = [name for name in declared().with_role(rows["estimand"], *TOLD) if name not in declared().moments]
    rows = rows.set_index("estimand").reindex(names).dropna(subset="mean")
    if rows.empty:
        return []
    told = [f"{symbol(str(name))} {_of(row)}" for name, row in rows.iterrows()]
    what = "posterior means and 90 % intervals" if "lower" in rows else "posterior means"
    return [f"Under {quote(method)}, {what}: {', '.join(told)}."]


def _of(row: pd.Series) -> str:
    mean = number(float(row["mean"]))
    if "lower" not in row:
        return mean
    return f"{mean} ({number(float(row['lower']))} to {number(float(row['upper']))})"
