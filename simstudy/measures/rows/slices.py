"""Slices of the estimates: as many rows as are held at once.

No measure looks beyond a scenario and an estimand, except through what ``context.py`` keeps of every fit and data set.
So a run is scored slice by slice, each a set of whole scenarios, or some estimands of a scenario that is too large for
one slice. What is held depends on the largest estimand of the largest scenario and on the number of fits, not on the
number of estimates.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from simstudy.measures.rows.labels import Labels

MOST_ROWS = 5_000_000  # about 2 GB with the columns, their keys and what a measure makes of them
Item = TypeVar("Item")


@dataclass(frozen=True, kw_only=True)
class Slice:
    """Scenarios and estimands whose estimates are read together.

    Args:
        scenarios: codes of the scenarios.
        estimands: codes of the estimands.
        where: the names of both, as ``RunTables.parts`` wants them.
    """

    scenarios: Sequence[int]
    estimands: Sequence[int]
    where: Mapping[str, Collection[str]]

    @classmethod
    def of(cls, labels: Labels, *, scenarios: Sequence[int], estimands: Sequence[int]) -> "Slice":
        """Return the slice of some scenarios and estimands, by their codes."""
        names = {"scenario": frozenset(labels.scenarios[list(scenarios)])}
        if len(estimands) < len(labels.estimands):
            names["estimand"] = frozenset(labels.estimands[list(estimands)])
        return cls(scenarios=scenarios, estimands=estimands, where=names)

    def n_rows(self, labels: Labels) -> int:
        """Return the number of rows."""
        return int(labels.n_estimates.sum(axis=1)[np.ix_(self.scenarios, self.estimands)].sum())


def slices(labels: Labels, *, most_rows: int = MOST_ROWS) -> Iterator[Slice]:
    """Yield slices that together are the estimates of a run.

    Args:
        labels: the names of the run.
        most_rows: rows of a slice, positive; a single estimand of a single scenario is never divided.
    """
    n_rows = labels.n_estimates.sum(axis=1)
    everything = range(len(labels.estimands))
    for scenarios in packed(range(len(labels.scenarios)), n_rows.sum(axis=1), most_rows):
        parts = [everything] if len(scenarios) > 1 else packed(everything, n_rows[scenarios[0]], most_rows)
        for estimands in parts:
            yield Slice.of(labels, scenarios=scenarios, estimands=estimands)


def packed(items: Sequence[Item], sizes: Sequence[int] | np.ndarray, most: int) -> Iterator[list[Item]]:
    """Yield the items in their order, in lists whose sizes add up to no more than ``most``; empty items are left out.

    >>> list(packed("abcd", [2, 2, 9, 1], 4))
    [['a', 'b'], ['c'], ['d']]
    """
    pack: list[Item] = []
    total = 0
    for item, size in zip(items, sizes, strict=True):
        if pack and total + size > most:
            yield pack
            pack, total = [], 0
        if size:
            pack.append(item)
            total += size
    if pack:
        yield pack
