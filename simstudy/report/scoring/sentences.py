"""What the performance of estimates says, in sentences made from its numbers; nothing is claimed below 2 MCSE.

Of a few methods each has its sentence; of many one sentence counts the scenarios of all, and names the worst.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd

from simstudy.report.reading.wording import counted, enumerate_words, share, with_mcse
from simstudy.report.scoring.departing import FEW_METHODS, bias, coverage, spread, value_of
from simstudy.report.scoring.scored import Scored
from simstudy.report.scoring.standing import Beaten, Standings, standings
from simstudy.report.words.sentences import quote

MOST_ESTIMANDS, MOST_NAMED = 3, 6
MANY = 2.0


def answers(scored: Scored) -> dict[str, list[str]]:
    """Return what was found, by question; the first two lead the page."""
    near = (
        "Which method is nearest to the truth" if len(scored.marks) > 1 else "How near the estimates are to the truth"
    )
    found = {
        near: _each(scored, nearest),
        "Do the intervals hold the truth": _each(scored, coverage),
        "Are the estimates biased": _each(scored, bias),
        "Do the standard errors say what the spread is": _each(scored, spread),
        "What is missing": missing(scored),
    }
    return {question: told for question, told in found.items() if told}


def _each(scored: Scored, tell: Callable[[Scored, str], list[str]]) -> list[str]:
    """Return the sentences on each estimand, with its name before them where there are several."""
    several = len(scored.estimands) > 1
    told = []
    for estimand in scored.estimands[:MOST_ESTIMANDS]:
        sentences = tell(scored, estimand)
        told += [f"{estimand}: {sentence}" if several else sentence for sentence in sentences]
    return told


def nearest(scored: Scored, estimand: str) -> list[str]:
    """Return which methods no other beats, by RMSE, and where they are farthest behind."""
    rows = scored.rows[scored.rows["estimand"] == estimand]
    found = standings(rows, paired=scored.estimates.keys.replicate is not None)
    if not found.present:
        return _alone(scored, estimand)
    if len(scored.labels) == 1:
        return [_one_scenario(scored, found, estimand)]
    order = sorted(found.present, key=lambda m: (-found.unbeaten(m) / len(found.present[m]), -len(found.present[m])))
    parts = [_standing(scored, found, name) for name in order[:MOST_NAMED]]
    told = [f"By RMSE no method beats {enumerate_words(parts)} scenarios (differences beyond 2 MCSE)."]
    asked = order if len(order) <= FEW_METHODS else order[:1]
    return told + [sentence for name in asked if (sentence := _worst(scored, found, name))]


def _standing(scored: Scored, found: Standings, method: str) -> str:
    n = len(found.present[method])
    where = "" if n == len(scored.labels) else " where it can be told"
    return f"{quote(method)} in {share(found.unbeaten(method), n)}{where}"


def _one_scenario(scored: Scored, found: Standings, estimand: str) -> str:
    table: dict[Any, pd.Series] = dict(scored.of("rmse", estimand).set_index("method").iterrows())
    beaten = {one.method: one for one in found.beaten}
    values = [f"{quote(name)} ({value_of(table[name])})" for name in found.present if name not in beaten]
    lead = (
        f"{values[0]} has the smallest RMSE, clearly (2 MCSE)"
        if len(values) == 1
        else f"The smallest RMSE have {enumerate_words(values)}, which cannot be told apart (2 MCSE)"
    )
    behind = [
        f"{quote(name)} ({value_of(table[name])}, {_behind(one)})"
        for name, one in sorted(beaten.items(), key=lambda item: item[1].rmse)[:MOST_NAMED]
    ]
    return f"{lead}{'; behind: ' + enumerate_words(behind) if behind else ''}."


def _worst(scored: Scored, found: Standings, method: str) -> str:
    """Return where a method is farthest behind another."""
    losses = [one for one in found.beaten if one.method == method]
    if not losses:
        return ""
    worst = max(losses, key=lambda one: one.excess)
    numbers = f"{with_mcse(worst.rmse, worst.mcse)} against {with_mcse(worst.best, worst.best_mcse)}"
    return f"{quote(method)} is farthest behind at {scored.labels[worst.scenario]}: {_behind(worst)}, {numbers}."


def _behind(one: Beaten) -> str:
    """Return how far a method is behind another, in words."""
    if one.excess < MANY:
        return f"{100 * one.excess:.0f} % above {quote(one.rival)}"
    return f"{one.excess + 1:,.0f} times that of {quote(one.rival)}"


def _alone(scored: Scored, estimand: str) -> list[str]:
    table = scored.of("rmse", estimand).dropna(subset=["value"])
    if table.empty:
        return []
    if len(table) == 1:
        return [f"The RMSE is {value_of(table.iloc[0])}."]
    table = table.sort_values("value", kind="stable")
    low, high = (f"{value_of(row)} at {scored.labels[str(row['scenario'])]}" for row in (table.iloc[0], table.iloc[-1]))
    return [f"The RMSE lies between {low} and {high}."]


def missing(scored: Scored) -> list[str]:
    """Return which estimates do not count, and what has none at all."""
    usable = scored.rows["error"].notna()
    n, total = int((~usable).sum()), len(usable)
    if not n:
        return [f"All {counted(total, 'estimate')} are usable."]
    by_cell = scored.rows.assign(out=~usable).groupby(["scenario", "method"], sort=False)["out"].agg(["sum", "size"])
    of_method = by_cell.groupby(level="method", sort=False)["sum"].sum()
    named = [f"{int(of_method[name]):,} of {quote(str(name))}" for name in of_method.index if of_method[name]]
    who = f": {enumerate_words(named[:MOST_NAMED])}" if len(scored.marks) > 1 and len(named) <= MOST_NAMED else ""
    complete = scored.estimates.pairs == "complete"
    why = "do not count: they, or another method’s of their replicate, are not usable" if complete else "are not usable"
    told = [f"{share(n, total)} estimates {why}{who}."]
    for scenario, method in by_cell.index[by_cell["sum"] == by_cell["size"]][:MOST_NAMED]:
        told.append(f"{quote(str(method))} has no usable estimate at {scored.labels[str(scenario)]}.")
    if not complete and len(scored.marks) > 1:
        told.append(
            "Each measure rests on what a method has; with --pairs complete it rests on the replicates that all have."
        )
    return told
