"""Factors: lists in a study file become one mapping per combination of their values."""

import itertools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any


def crossed(options: Mapping[str, Any], names: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Yield the options once for each combination of the values of the lists among the named ones.

    >>> [o["tau"] for o in crossed({"tau": [0, 1], "mu": 5}, ["tau", "mu"])]
    [0, 1]
    """
    lists = {name: options[name] for name in names if isinstance(options.get(name), list)}
    for values in itertools.product(*lists.values()):
        yield {**options, **dict(zip(lists, values, strict=True))}


def varying(rows: list[Mapping[str, Any]]) -> list[str]:
    """Return the keys whose values differ between rows, in order of appearance.

    >>> varying([{"tau": 0, "mu": 1}, {"tau": 2, "mu": 1}])
    ['tau']
    """
    names = dict.fromkeys(name for row in rows for name in row)
    return [name for name in names if any(row.get(name) != rows[0].get(name) for row in rows)]
