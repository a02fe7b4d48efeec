"""How the methods stand against each other, in one sentence that a person would say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

import pandas as pd

from simstudy.measures.registry import MEASURES
from simstudy.report.reading.standings import Cell, Standing, standings
from simstudy.report.reading.wording import PERCENT, enumerate_words, measure_words, number, share, symbol, with_mcse
from simstudy.report.words.sentences import quote
from simstudy.report.words.worst_cases import worst_cases

ERRORS = ("rmse", "mse")
AMOUNTS = ("ess_per_leapfrog", "ess_per_second")
COUNTS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
MOST_NAMED = 3
TIMES = 2.0
"""Ratio from which one error is told as a multiple of another and no longer in percent."""


def standing_sentence(
    names: Sequence[str],
    cells: Sequence[Cell],
    labels: Mapping[str, str],
    *,
    measure: str = "rmse",
    estimand: str | None = None,
    levels: pd.DataFrame | None = None,
) -> str:
    """Return in how many scenarios each method is best or tied, and the worst case of the first; empty without cells.

    Args:
        names: methods in the order of the cells.
        cells: as ``reading.standings`` makes them.
        labels: scenario -> what it is called.
        measure: what is compared.
        estimand: of which it is, or None.
        levels: one row per scenario (the index), one text column per factor; tells what worst cases share.
    """
    if len(names) < 2 or not cells:
        return ""
    about = Said(measure=measure, estimand=estimand)
    found, n = standings(names, cells), len(cells)
    if not any(one.beaten for one in found):
        return f"{_all(names)} {about.equal}{_everywhere(n)}."
    if n == 1:
        return _in_one(found, cells[0], about)
    first = found[0]
    if not first.beaten and not any(one.unbeaten for one in found[1:]):
        return f"{quote(first.method)} {about.best}{_everywhere(n)}{_lead(first, cells, about)}."
    counted = [(list(group), count) for count, group in groupby(found, key=lambda one: one.unbeaten)]
    (leading, most), *rest = counted
    subject = enumerate_words([quote(one.method) for one in leading])
    where = every(n) if most == n else f"{share(most, n)} scenarios"
    told = f"{subject} {_are(leading, is_everywhere=most == n)} {about.tied} in {where}"
    for others, count in rest:
        told += f", {enumerate_words([quote(one.method) for one in others])} in {f'{count:,}' if count else 'none'}"
    spoken_of = found if len(names) == 2 else leading
    kind = {"is_error": about.is_error, "is_amount": about.is_amount}
    return f"{told}{worst_cases(spoken_of, found, labels, levels, **kind)}."


def _are(leading: Sequence[Standing], *, is_everywhere: bool) -> str:
    """Return the verb: of several methods each has scenarios of its own, unless they have all."""
    if len(leading) == 1:
        return "is"
    return "are" if is_everywhere else "are each"


class Said:
    """The words of a measure of an estimand."""

    def __init__(self, *, measure: str, estimand: str | None):
        of = f" of {symbol(estimand)}" if estimand else ""
        self.is_error, self.is_amount = measure in ERRORS, measure in AMOUNTS
        self.what = f"{measure_words(measure)}{of}"
        # The title of the picture beside an error says of what it is.
        self.best = f"is the most accurate{for_words(of)}" if self.is_error else f"has the best {self.what}"
        self.tied = f"best or tied{for_words(of)}" if self.is_error else f"best or tied in {self.what}"
        # What is to be nominal is as good above its level as below, so that values may differ where distances do not.
        distance = "distances from nominal " if MEASURES[measure].better == "nominal" else ""
        self.equal = f"are {self.tied.removeprefix('best or ')} ({distance}within 2 MCSE)"


def for_words(of: str) -> str:
    """Return ``for θ`` where there is ``of θ``."""
    return of.replace(" of ", " for ")


def _all(names: Sequence[str]) -> str:
    if len(names) <= MOST_NAMED:
        return enumerate_words([quote(name) for name in names])
    return f"All {COUNTS[len(names)] if len(names) < len(COUNTS) else f'{len(names):,}'} methods"


def _everywhere(n: int) -> str:
    return f" in {every(n)}" if n > 1 else ""


def every(n: int) -> str:
    """Return all of some scenarios in words.

    >>> every(2), every(21)
    ('both scenarios', 'all 21 scenarios')
    """
    return "both scenarios" if n == 2 else f"all {n:,} scenarios"


def _lead(first: Standing, cells: Sequence[Cell], about: Any) -> str:
    """Return by how much the loss of a method that wins everywhere is below the next one's, at least and at most."""
    if not about.is_error:
        return ""
    below = [_below(cell, first.place) for cell in cells]
    least, most = f"{min(below):.0f}", f"{max(below):.0f}"
    return f", with {least if least == most else f'{least} to {most}'} % less error than the next"


def _below(cell: Cell, place: int) -> float:
    others = [loss for i, loss in enumerate(cell.loss) if i != place]
    return PERCENT * (1 - cell.loss[place] / min(others))


def _in_one(found: Sequence[Standing], cell: Cell, about: Any) -> str:
    """Return the standing in a single scenario, with the numbers."""
    leading, rest = [one for one in found if not one.beaten], [one for one in found if one.beaten]
    leading, rest = (sorted(each, key=lambda one: cell.loss[one.place]) for each in (leading, rest))
    best = leading[0]
    subject = enumerate_words([quote(one.method) for one in leading])
    verb = about.best if len(leading) == 1 else f"are {about.tied}"
    value = with_mcse(cell.value[best.place], cell.mcse[best.place])
    if not about.is_error:
        others = [f"{quote(o.method)} has {with_mcse(cell.value[o.place], cell.mcse[o.place])}" for o in rest]
        return f"{subject} {verb} ({value}); {enumerate_words(others)}."
    others = [f"{quote(o.method)} {_more(cell.loss[o.place], cell.loss[best.place])}" for o in rest]
    return f"{subject} {verb} (RMSE {value}); {enumerate_words(others)}."


def _more(loss: float, best: float) -> str:
    if best <= 0:
        return "has more error"
    ratio = loss / best
    if ratio >= TIMES:
        return f"has {number(ratio, digits=2)} times the error"
    return f"has {PERCENT * (ratio - 1):.0f} % more error"
