"""Departures from what should be, in words: each method's by itself, or those of many methods in one sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from simstudy.report.reading.wording import enumerate_words, share
from simstudy.report.words.sentences import quote

MOST_NAMED = 8


@dataclass(frozen=True)
class Way:
    """A way to depart.

    Attributes:
        verb: in words, such as ``cover less than that``.
        most: of the scenario with the largest departure, in words: ``most``, ``least``.
        chance: how often a method that does not depart would seem to, in a scenario.
    """

    verb: str
    most: str
    chance: float


@dataclass(frozen=True)
class About:
    """What departs, in words.

    Attributes:
        subject: such as ``The 95 % intervals``.
        of_fine: begins the sentence on methods that do not depart: ``The coverage``, then ``of`` and their names.
        fine: ends it: ``cannot be told from 95 %``.
    """

    subject: str
    of_fine: str
    fine: str


@dataclass(frozen=True, kw_only=True)
class Departure:
    """In how many scenarios a method departs clearly in one way, and where it does so most.

    Attributes:
        method: its name.
        way: how it departs.
        n: scenarios in which it does, of those ``of`` that have a value.
        where: scenario with the largest departure.
        amount: the value there, in words.
        size: of that departure, by which methods are told apart.
    """

    method: str
    way: Way
    n: int
    of: int
    where: str = ""
    amount: str = ""
    size: float = 0.0


def departure_sentences(
    found: Sequence[Departure], *, about: About, named: bool, many: bool, anywhere: str
) -> list[str]:
    """Return what departs, then the methods of which nothing can be said.

    Args:
        found: one per method and way, in the order of the methods.
        about: what departs.
        named: whether methods have names.
        many: whether they share a sentence.
        anywhere: `` in any scenario`` where there are several.
    """
    clear = [one for one in found if one.n]
    told = _together(clear, about.subject) if many else _each(clear, about.subject, named=named)
    rest = [name for name in dict.fromkeys(one.method for one in found) if name not in {one.method for one in clear}]
    if rest:
        more = [f"{len(rest) - MOST_NAMED} others"] if len(rest) > MOST_NAMED else []
        who = f" of {enumerate_words([*map(quote, rest[:MOST_NAMED]), *more])}" if named else ""
        told.append(f"{about.of_fine}{who} {about.fine}{anywhere}.")
    return told


def _each(clear: Sequence[Departure], subject: str, *, named: bool) -> list[str]:
    told = []
    for method in dict.fromkeys(one.method for one in clear):
        parts = [_words(one) for one in clear if one.method == method]
        who = f" of {quote(method)}" if named else ""
        told.append(f"{subject}{who} {'; they '.join(parts)}.")
    return told


def _words(one: Departure) -> str:
    if one.of == 1:
        return f"{one.way.verb}: {one.amount}"
    return f"{one.way.verb} in {share(one.n, one.of)} scenarios, {one.way.most} at {one.where}: {one.amount}"


def _together(clear: Sequence[Departure], subject: str) -> list[str]:
    told = []
    for way in dict.fromkeys(one.way for one in clear):
        of_way = sorted((one for one in clear if one.way == way), key=lambda one: -one.n)
        n = max(one.of for one in of_way)
        counts = [f"{one.n:,} under {quote(one.method)}" for one in of_way[:MOST_NAMED]]
        worst = max(of_way, key=lambda one: one.size)
        scenarios = f"{n:,} scenarios" if n > 1 else "one scenario"
        by_chance = round(way.chance * n)
        chance = f"; by chance alone it would be about {by_chance:,}" if by_chance else ""
        where = f" at {worst.where}" if n > 1 else ""
        told.append(
            f"{subject} {way.verb} in so many of {scenarios}: {enumerate_words(counts)}{chance}. "
            f"{way.most.capitalize()} under {quote(worst.method)}{where}: {worst.amount}."
        )
    return told
