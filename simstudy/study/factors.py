"""Factors: lists in a study file become one mapping per combination of their values."""

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from simstudy.errors import StudyError, named, shown


def crossed(options: Mapping[str, Any], names: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Yield the options once for each combination of the values of the lists among the named ones.

    >>> [o["tau"] for o in crossed({"tau": [0, 1], "mu": 5}, ["tau", "mu"])]
    [0, 1]
    """
    lists = {name: options[name] for name in names if isinstance(options.get(name), list)}
    for values in itertools.product(*lists.values()):
        yield {**options, **dict(zip(lists, values, strict=True))}


def check_lists(options: Mapping[str, Any], names: Iterable[str], where: str) -> dict[str, int]:
    """Return how many values each of the lists among the named options has.

    Raises:
        StudyError: a list is empty, so that no combination would be left, or holds None.

    >>> check_lists({"tau": [0, 1], "mu": 5}, ["tau", "mu"], "[mechanism] ")
    {'tau': 2}
    """
    n = {name: len(options[name]) for name in names if isinstance(options.get(name), list)}
    for name in n:
        if not options[name] or None in options[name]:
            raise StudyError(
                f"{where}{named(name)}: expected a value, or a list of at least one, got {shown(options[name])}"
            )
    return n


def check_count(counts: Mapping[str, int], *, most: int, what: str, where: str) -> None:
    """Refuse a design that is too large, before anything of it is built.

    Args:
        counts: list -> its number of values, all of which are crossed.
        most: largest number of combinations.
        what: what a combination is, in the plural.
        where: how the section stands in the file.

    Raises:
        StudyError: says how many there would be, and from which lists.
    """
    total = math.prod(counts.values())
    if total > most:
        lists = " x ".join(f"{named(name)} ({n:,})" for name, n in counts.items() if n > 1)
        raise StudyError(
            f"{where} {lists}: makes {total:,} {what}, more than {most:,}; shorten a list, or make several studies"
        )


def varying(rows: list[Mapping[str, Any]]) -> list[str]:
    """Return the keys whose values differ between rows, in order of appearance.

    >>> varying([{"tau": 0, "mu": 1}, {"tau": 2, "mu": 1}])
    ['tau']
    """
    names = dict.fromkeys(name for row in rows for name in row)
    return [name for name in names if any(row.get(name) != rows[0].get(name) for row in rows)]
