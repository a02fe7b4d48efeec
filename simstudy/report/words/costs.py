"""What methods of one posterior differ in: how often they diverge, and what an effective draw costs them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import groupby

import numpy as np
import pandas as pd

from simstudy.report.figures.efficiency import TRUSTED_RATE, trusted
from simstudy.report.reading.readings import average, is_clear, largest
from simstudy.report.reading.standings import Cell, Standing, cells_of_values, standings
from simstudy.report.reading.wording import PERCENT, enumerate_words, number, share, symbol
from simstudy.report.words.convergence import MOST_SHORT
from simstudy.report.words.sentences import quote
from simstudy.report.words.standings import every


def divergence_sentence(performance: pd.DataFrame, labels: Mapping[str, str]) -> str:
    """Return in what share of its draws each method diverges at most, the worst first.

    Empty where none clearly diverges in more than 1 % of its draws anywhere: fewer harm no efficiency.

    Args:
        performance: the performance table.
        labels: scenario -> what it is called.
    """
    rates = average(performance, "divergence_rate").dropna(subset=["value"])
    clear = [is_clear(*pair) for pair in zip(rates["value"], rates["mcse"], strict=True)]
    if not (rates["value"][clear] > TRUSTED_RATE).any():
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
) -> str:
    """Return in how many scenarios each method makes the most effective draws per leapfrog, or ties.

    A method cannot win where more than 1 % of its draws diverge or more than 5 % of its fits did not converge: there
    its effective draws flatter it.

    Args:
        performance: the performance table.
        labels: scenario -> what it is called.
        short: (scenario, method) in which too many fits did not converge.
    """
    table = trusted(performance)
    if table.empty:
        return ""
    doubted = table[~table["trusted"]]
    distrusted = frozenset([*zip(doubted["scenario"].astype(str), doubted["method"].astype(str), strict=True), *short])
    names, cells = cells_of_values(table, "larger", distrusted=distrusted)
    found = standings(names, cells)
    if len(found) < 2 or not cells:
        return ""
    lost = any(np.isinf(cell.loss).any() for cell in cells) or len(cells) < table["scenario"].nunique()
    rates = f"over {PERCENT * TRUSTED_RATE:g} % of draws diverge or over {PERCENT * MOST_SHORT:g} % of fits"
    rule = f"; not counted where {rates} did not converge" if lost else ""
    if len(cells) == 1 and np.isfinite(cells[0].loss).sum() == 1:
        alone = quote(names[int(np.argmax(np.isfinite(cells[0].loss)))])
        return (
            f"Of effective draws per leapfrog those of {alone} alone count, so that none is the most: of the "
            f"others {rates} did not converge."
        )
    if not any(one.beaten for one in found):
        every_one = enumerate_words([quote(name) for name in names])
        where = f" in {every(len(cells))}" if len(cells) > 1 else ""
        return f"{every_one} are tied in effective draws per leapfrog (within 2 MCSE){where}{rule}."
    counted = [(list(group), n) for n, group in groupby(found, key=lambda one: one.unbeaten)]
    (leading, most), *rest = counted
    is_one, many = len(leading) == 1, len(cells) > 1
    subject = enumerate_words([quote(one.method) for one in leading])
    verb, tie = ("makes", "ties") if is_one else ("make", "tie")
    told = f"{subject} {verb} the most effective draws per leapfrog"
    if many:
        told += f", or {tie}, in {every(most) if most == len(cells) else f'{share(most, len(cells))} scenarios'}"
    told += _gain(leading[0], found, cells, labels)
    for others, n in rest if many else ():
        told += f", {enumerate_words([quote(one.method) for one in others])} in {f'{n:,}' if n else 'none'}"
    return f"{told}{rule}."


def _gain(first: Standing, found: Sequence[Standing], cells: Sequence[Cell], labels: Mapping[str, str]) -> str:
    """Return how many times the draws of another method the first makes at most, where it clearly makes more."""
    pairs = [(cell, one) for cell in cells for one in found if cell.beats(first.place, one.place)]
    pairs = [(cell, one) for cell, one in pairs if np.isfinite(cell.loss[one.place]) and cell.value[one.place] > 0]
    if not pairs:
        return ""
    cell, other = max(pairs, key=lambda pair: pair[0].value[first.place] / pair[0].value[pair[1].place])
    times = number(cell.value[first.place] / cell.value[other.place], digits=2)
    at = f" at {labels[cell.scenario]}" if len(cells) > 1 else ""
    return f" ({'up to ' if len(cells) > 1 else ''}{times} times those of {quote(other.method)}{at})"


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
        worst = largest(part, "percent")
        verb, to = ("adds", "to") if worst["percent"] > 0 else ("takes", "off")
        amount = f"{verb} up to {number(abs(worst['percent']), digits=2)} % {to} the MSE of"
        told.append(f"{quote(str(method))} {amount} {symbol(str(worst['estimand']))}")
    if clean:
        verb = "adds" if len(clean) == 1 else "add"
        told.insert(0, f"{enumerate_words([quote(n) for n in clean])} {verb} no error that can be told from 0 (2 MCSE)")
    return f"Against the exact posterior ({against}), {'; '.join(told)}."


def _percent(share: float) -> str:
    return f"{number(PERCENT * share, digits=2)} %"
