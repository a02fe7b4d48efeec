"""Where methods lose most to a better one, as the end of the sentence that says how they stand."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from simstudy.report.reading.standings import Cell, Standing
from simstudy.report.reading.wording import PERCENT, enumerate_words, number, with_mcse
from simstudy.report.words.sentences import quote

MOST_TOLD = 3


@dataclass(frozen=True, kw_only=True)
class Loss:
    """The worst case of a method.

    Attributes:
        standing: of the method.
        cell: the scenario in which the ratio of its loss to that of the winner is largest.
        winner: place of the method that is best there.
        rival: its name, quoted.
        place: the scenario's label, or the levels that all scenarios share in which the method is beaten.
        is_shared: whether the place is one of such levels.
    """

    standing: Standing
    cell: Cell
    winner: int
    rival: str
    place: str
    is_shared: bool

    @property
    def ratio(self) -> float:
        """Ratio of the losses, above 1."""
        return self.standing.ratio(self.cell, self.winner)

    @property
    def less(self) -> float:
        """By how many percent the winner's error is smaller."""
        return PERCENT * (1 - self.cell.loss[self.winner] / self.cell.loss[self.standing.place])


def worst_cases(
    told: Sequence[Standing],
    found: Sequence[Standing],
    labels: Mapping[str, str],
    levels: pd.DataFrame | None,
    *,
    is_error: bool,
    is_amount: bool,
) -> str:
    """Return where some methods lose most, the largest loss first; nothing where none of them is beaten.

    Methods that lose at one place to one rival share their words.

    Args:
        told: the methods that are spoken of.
        found: all methods, those that are beaten least first.
        labels: scenario -> what it is called.
        levels: one row per scenario (the index), one text column per factor.
        is_error: whether the measure is an error, whose losses are told in percent.
        is_amount: whether it is an amount, whose losses are told as multiples.
    """
    losses = [_loss(one, found, labels, levels) for one in told if one.worst is not None]
    by_place: dict[tuple[str, ...], list[Loss]] = {}
    for loss in sorted(losses, key=lambda loss: -loss.ratio):
        alone = () if is_error else (loss.standing.method,)
        by_place.setdefault((loss.place, loss.rival, *alone), []).append(loss)
    each = list(by_place.values())[:MOST_TOLD]
    amounts = [_amount(alike, is_error=is_error, is_amount=is_amount) for alike in each]
    if not each:
        return ""
    if len(each) == 1:
        (alike,), (amount,) = each, amounts
        whose = "its" if len(told) == 1 and found[1].unbeaten < told[0].unbeaten else "the"
        of = f" of {quote(alike[0].standing.method)}" if len(told) > 1 == len(alike) else ""
        case = f"worst cases{of} have" if alike[0].is_shared else f"worst case{of} is"
        return f"; {whose} {case} {alike[0].place}, where {alike[0].rival} has {amount}"
    words = [
        f"{enumerate_words([quote(loss.standing.method) for loss in alike])} {'is' if len(alike) == 1 else 'are'} "
        f"worst at {alike[0].place} ({alike[0].rival} has {amount})"
        for alike, amount in zip(each, amounts, strict=True)
    ]
    return f"; {', '.join(words)}"


def _loss(one: Standing, found: Sequence[Standing], labels: Mapping[str, str], levels: pd.DataFrame | None) -> Loss:
    if one.worst is None:
        raise ValueError(f"{one.method} is beaten nowhere")
    cell, winner = one.worst
    shared = _shared([beaten.scenario for beaten, _ in one.beaten], levels)
    rival = quote(next(other.method for other in found if other.place == winner))
    place = shared or labels[cell.scenario]
    return Loss(standing=one, cell=cell, winner=winner, rival=rival, place=place, is_shared=bool(shared))


def _amount(alike: Sequence[Loss], *, is_error: bool, is_amount: bool) -> str:
    """Return how much better the rival is there."""
    first = alike[0]
    up_to = "up to " if first.is_shared else ""
    if is_amount:
        return f"{up_to}{number(first.ratio, digits=2)} times as many"
    if not is_error:
        cell = first.cell
        mine, other = (with_mcse(cell.value[i], cell.mcse[i]) for i in (first.standing.place, first.winner))
        return f"{other} against {mine}"
    amounts = dict.fromkeys(_percent(loss.less) for loss in sorted(alike, key=lambda loss: loss.less))
    return f"{up_to}{' to '.join([*amounts][:: max(1, len(amounts) - 1)])} % less error"


def _percent(less: float) -> str:
    return f"{less:.0f}" if less >= 1 or not math.isfinite(less) else number(less, digits=1)


def _shared(scenarios: Sequence[str], levels: pd.DataFrame | None) -> str:
    """Return the levels that several scenarios share and that not all have; empty for one scenario or none shared."""
    if levels is None or len(scenarios) < 2:
        return ""
    here = levels.loc[list(scenarios)]
    alike = [f for f in levels.columns if len(set(here[f])) == 1 < len(set(levels[f]))]
    return ", ".join(f"{factor} = {here[factor].iloc[0]}" for factor in alike)
