"""What methods of one posterior differ in: how often they diverge, and what an effective draw costs them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import pandas as pd

from simstudy.report.figures.efficiency import TRUSTED_RATE, trusted
from simstudy.report.reading.readings import average, is_clear
from simstudy.report.reading.standings import cells_of_values
from simstudy.report.reading.wording import PERCENT, enumerate_words, number, symbol
from simstudy.report.words.sentences import quote
from simstudy.report.words.standings import standing_sentence

MOST_SHORT = 0.05
"""Share of fits of a scenario that did not converge, above which effective draws count for nothing."""


def divergence_sentence(performance: pd.DataFrame, labels: Mapping[str, str]) -> str:
    """Return in what share of its draws each method diverges at most, the worst first; empty where none clearly does.

    Args:
        performance: the performance table.
        labels: scenario -> what it is called.
    """
    rates = average(performance, "divergence_rate").dropna(subset=["value"])
    if not any(is_clear(*pair) for pair in zip(rates["value"], rates["mcse"], strict=True)):
        return ""
    most = rates.loc[rates.groupby(rates["method"].astype(str), sort=False)["value"].idxmax()]
    most = most.sort_values("value", ascending=False, kind="stable")
    worst, *others = most.to_dict("records")
    at_most = "up to " if len(labels) > 1 else ""
    where = f" (at {labels[str(worst['scenario'])]})" if len(labels) > 1 else ""
    told = f"{quote(str(worst['method']))} diverges in {at_most}{_percent(worst['value'])} of draws{where}"
    for row in (row for row in others if row["value"] > 0):
        told += f", {quote(str(row['method']))} in {at_most}{_percent(row['value'])}"
    if never := [quote(str(row["method"])) for row in others if row["value"] == 0]:
        told += f", {enumerate_words(never)} in none"
    return f"{told}."


def efficiency_sentence(
    performance: pd.DataFrame,
    labels: Mapping[str, str],
    *,
    short: Collection[tuple[str, str]] = (),
    levels: pd.DataFrame | None = None,
) -> str:
    """Return in how many scenarios each method makes the most effective draws per leapfrog, or ties.

    A method cannot win where more than 1 % of its draws diverge or more than 5 % of its fits did not converge: there
    its effective draws flatter it.

    Args:
        performance: the performance table.
        labels: scenario -> what it is called.
        short: (scenario, method) in which too many fits did not converge.
        levels: as for ``standing_sentence``.
    """
    table = trusted(performance)
    if table.empty:
        return ""
    doubted = table[~table["trusted"]]
    distrusted = frozenset([*zip(doubted["scenario"].astype(str), doubted["method"].astype(str), strict=True), *short])
    names, cells = cells_of_values(table, "larger", distrusted=distrusted)
    about: dict[str, Any] = {"measure": "ess_per_leapfrog", "levels": levels}
    told = standing_sentence(names, cells, labels, **about)
    lost = any(np.isinf(cell.loss).any() for cell in cells)
    if not told or not lost:
        return told
    rates = f"over {PERCENT * TRUSTED_RATE:g} % of its draws diverge or over {PERCENT * MOST_SHORT:g} % of its fits"
    return f"{told[:-1]} (none counts where {rates} did not converge)."


def sampler_sentence(table: pd.DataFrame, short: Collection[str], exact: Collection[str]) -> str:
    """Return what the samplers add to the error of the exact posterior, of those that converged; empty without any.

    Args:
        table: as ``split_table`` returns it.
        short: methods with fits that did not converge, of which nothing is said.
        exact: names of the exact methods.
    """
    rows = table.dropna(subset=["mse_sampler"])
    rows = rows[~rows["method"].astype(str).isin(short)]
    if rows.empty:
        return ""
    names = list(dict.fromkeys(rows["method"].astype(str)))
    clear = rows[[is_clear(*pair) for pair in zip(rows["mse_sampler"], rows["mse_sampler_mcse"], strict=True)]]
    against = enumerate_words([quote(name) for name in exact])
    clean = [name for name in names if name not in set(clear["method"].astype(str))]
    told = []
    for method, part in clear.groupby(clear["method"].astype(str), sort=False):
        worst = part.loc[part["percent"].abs().idxmax()]
        verb, to = ("adds", "to") if worst["percent"] > 0 else ("takes", "off")
        amount = f"{verb} up to {number(abs(worst['percent']), digits=2)} % {to} the MSE of"
        told.append(f"{quote(str(method))} {amount} {symbol(str(worst['estimand']))}")
    if clean:
        verb = "adds" if len(clean) == 1 else "add"
        told.insert(0, f"{enumerate_words([quote(n) for n in clean])} {verb} no error that can be told from 0 (2 MCSE)")
    return f"Against the exact posterior ({against}), {'; '.join(told)}."


def _percent(share: float) -> str:
    return f"{number(PERCENT * share, digits=2)} %"
