"""What a comparison found, in sentences: what is worse, what is better, what is the same, what cannot be told."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from simstudy.comparison import CANNOT_TELL, CHANGED, SAME, Comparison
from simstudy.comparison.times import MEASURE as OF_TIMES
from simstudy.comparison.verdicts import BETTER, UNCLEAR, WORSE
from simstudy.report.reading.vocabulary import Vocabulary, speaking
from simstudy.report.reading.wording import counted, enumerate_words, measure_words, number, share, symbol, with_mcse
from simstudy.report.words.sentences import quote

MOST_NAMED = 3
FEWEST_BLOCKS = 2
"""Times from which their spread is known."""
PERCENT_MEASURES = ("coverage", "divergence_rate", "failure_rate", "flagged_rate")
CHANGES = {WORSE: "is worse", BETTER: "is better", UNCLEAR: "changed, for better or worse"}


def headline(comparison: Comparison) -> str:
    """Return the answer in one sentence, after what no verdict shows: what did not converge, and what was lost.

    Where it says that the rest is identical, it says what it leaves out.
    """
    return " ".join([*_unconverged(comparison), *comparison.lost, _verdict(comparison)])


def _unconverged(comparison: Comparison) -> list[str]:
    return [
        f"{quote(name)} converged in none of its {counted(n, 'fit')} in the candidate."
        for name, n in comparison.unconverged.items()
    ]


def _verdict(comparison: Comparison) -> str:
    table, counts = comparison.table, comparison.counts
    n = len(table)
    if (table["evidence"] == "identical").all():
        return _identical(comparison.left_out)
    if len(comparison.worse):
        worst = int((table["direction"] == WORSE).sum())
        unclear = len(comparison.worse) - worst
        told = [f"{share(worst, n)} comparisons changed for the worse"] if worst else []
        told += [f"{share(unclear, n)} changed and are not shown to be no worse"] if unclear else []
        return f"{enumerate_words(told)}."
    if counts[CANNOT_TELL] == n:
        return f"Nothing can be told: these replicates decide not one of {counted(n, 'comparison')}."
    better = f", {counts[CHANGED]:,} changed for the better" if counts[CHANGED] else ""
    same = f"{share(counts[SAME], n)} comparisons are the same{better}"
    if counts[CANNOT_TELL]:
        nothing = "Nothing else" if comparison.unconverged or comparison.lost else "Nothing"
        return f"{nothing} is shown to be worse: {same}, {counts[CANNOT_TELL]:,} are open for want of replicates."
    return f"{'Nothing else' if comparison.unconverged or comparison.lost else 'Nothing'} is worse: {same}."


def _identical(left_out: Sequence[str]) -> str:
    if not left_out:
        return "The runs are identical: every number behind every measure has the same bits in both."
    lead = "The runs are identical where both have fits: every number behind every measure has the same bits."
    return " ".join([lead, *left_out])


def answers(comparison: Comparison) -> dict[str, list[str]]:
    """Return what was found, by question, in the words that the runs have for themselves."""
    with speaking(Vocabulary(declared=comparison.declared)):
        return _answers(comparison)


def _answers(comparison: Comparison) -> dict[str, list[str]]:
    found = {
        "Is anything worse": [headline(comparison), *_changes(comparison, WORSE), *_changes(comparison, UNCLEAR)],
        "Is anything better": _changes(comparison, BETTER),
        "What is the same": _same(comparison),
        "What cannot be told": _open(comparison),
        "What was compared with what": list(comparison.notes),
    }
    return {question: told for question, told in found.items() if told}


def place(row: Mapping[Any, Any], comparison: Comparison) -> str:
    """Return the scenario of a row in words, empty where there is but one."""
    label = comparison.labels.get(row["scenario"])
    return f" at {label}" if label and len(comparison.labels) > 1 else ""


def what(row: Mapping[Any, Any]) -> str:
    """Return the measure and estimand of a row in words.

    >>> what({"measure": "rmse", "estimand": "theta", "level": float("nan"), "bin": None})
    'RMSE of θ'
    """
    level = f"{100 * row['level']:g} % " if row["level"] == row["level"] else ""
    of = f" of {symbols(row['estimand'])}" if row["estimand"] else ""
    return f"{level}{measure_words(row['measure'])}{of}" + (f", {row['bin']}" if row["bin"] else "")


def symbols(estimands: str) -> str:
    """Return the letters of one estimand or of several.

    >>> symbols("mu, tau")
    'μ, τ'
    """
    return ", ".join(map(symbol, estimands.split(", ")))


def _changes(comparison: Comparison, direction: str) -> list[str]:
    rows = comparison.table[comparison.table["direction"] == direction]
    told = []
    for method, part in rows.groupby("method", sort=False, observed=True):
        size = (part["difference"] / part["margin"]).abs()
        first = part.loc[size.sort_values(ascending=False).index].drop_duplicates("measure").head(MOST_NAMED)
        named = [_change(row, comparison) for row in first.to_dict("records")]
        more = len(part) - len(first)
        named += [f"{counted(more, 'other comparison')}"] if more else []
        told.append(f"{quote(str(method))} {CHANGES[direction]}: {enumerate_words(named)}.")
    return told


def _change(row: Mapping[Any, Any], comparison: Comparison) -> str:
    percent = row["measure"] in PERCENT_MEASURES
    values = [with_mcse(row[side], float("nan"), percent=percent) for side in ("baseline", "candidate")]
    difference = with_mcse(row["difference"], row["mcse"], percent=percent)
    margin = number(100 * row["margin"] if percent else row["margin"]) + " %" * percent
    return f"{what(row)} from {values[0]} to {values[1]}{place(row, comparison)} ({difference}, margin {margin})"


def _same(comparison: Comparison) -> list[str]:
    same = comparison.table[comparison.table["verdict"] == SAME]
    if same.empty:
        return []
    n_identical = int((same["evidence"] == "identical").sum())
    known = f"{share(len(same), len(comparison.table))} comparisons"
    if n_identical == len(same):
        return [f"{known}: the fits behind them have the same bits in both runs."]
    sure = f"{100 * (1 - comparison.rules.alpha):g} %"
    identical = f"; of {n_identical:,} of them the fits have the same bits" if n_identical else ""
    return [f"{known}: the {sure} interval of the difference lies within the margin{identical}."]


def _open(comparison: Comparison) -> list[str]:
    rows = comparison.table[comparison.table["verdict"] == CANNOT_TELL]
    if rows.empty:
        return []
    lead = f"{share(len(rows), len(comparison.table))} comparisons, for want of replicates."
    of_times = rows["measure"] == OF_TIMES
    by_measure = rows[~of_times].groupby("measure", sort=False)
    named = [f"{measure_words(str(name))} ({_needed(part)})" for name, part in by_measure]
    half = f" Half of those of each measure would be decided by about this many: {enumerate_words(named)}."
    return [lead + (half if named else ""), *_open_times(rows[of_times])]


def _open_times(rows: pd.DataFrame) -> list[str]:
    """Return what would decide times, of which each block of fits is one, method by method."""
    told = []
    for row in rows.to_dict("records"):
        ratios = " and ".join(number(row[side]) for side in ("baseline", "candidate"))
        about = f"{quote(str(row['method']))}, {measure_words(OF_TIMES)} {ratios}"
        if row["n_replicates"] < FEWEST_BLOCKS:
            told.append(
                f"{about}: it or the reference was timed in one block of fits, and one time has no known error. More "
                "replicates make more blocks."
            )
        else:
            needed = _needed(pd.DataFrame([row]))
            told.append(f"{about}: decided by about {needed} blocks of fits, of {row['n_replicates']:,.0f} so far.")
    return told


def _needed(rows: pd.DataFrame) -> str:
    known = rows["n_needed"].astype("Float64").fillna(float("inf")).to_numpy(float)
    if not rows["mcse"].astype(float).map(math.isfinite).any():
        return "not known from these"
    middle = float(pd.Series(known).quantile(0.5, interpolation="higher"))
    return "more than a million" if middle == float("inf") else f"{number(middle, digits=2)}"
