"""The levels of a grouping factor, read from the columns of a table: names, parents, order, neighbors and places.

A level is what its column says; one that is nested is what its column says within a level of the outer factor, so that
cask ``a`` of batch ``A`` is another one than cask ``a`` of batch ``B``. Levels stand in the order of their numbers, or
of their first rows where they are no numbers.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from simstudy.errors import StudyError, TableError, shown, suggestion
from simstudy.mechanisms.cells import nesting_order
from simstudy.tables import Table

MOST_LEVELS = 100_000
MOST_STEPS = 10_000  # of an ordered factor, levels without rows among them
STEP_ROUNDING = 1e-6  # share of a step by which distances of equally spaced levels may differ
MOST_NAMED = 5


@dataclass(frozen=True, kw_only=True)
class FactorColumns:
    """Where the levels of a factor stand in a table, and how they lie.

    Args:
        column: the column of their names.
        within: factor that it is nested in.
        is_ordered: whether levels follow one another, so that their names are numbers with equal steps.
        pairs: pairs of names of neighbors; None where there is no graph.
        points: columns of the coordinates of a level, one or two; none where it lies nowhere.
    """

    column: str
    within: str | None = None
    is_ordered: bool = False
    pairs: Sequence[Sequence[str]] | None = None
    points: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Levels:
    """The levels of a factor.

    Args:
        of_rows: (row,) int64, the level of each row of the table.
        labels: names of the levels; of nested ones with that of the outer level before.
        parent: (level,) int64, level of the outer factor; None for a crossed one.
        edges: (edge, 2) int64 pairs of neighbors, each once; None where there is no graph.
        points: (level, dimension) coordinates; None where there are none.
    """

    of_rows: np.ndarray
    labels: tuple[str, ...]
    parent: np.ndarray | None = None
    edges: np.ndarray | None = None
    points: np.ndarray | None = None


def read_levels(table: Table, factors: Mapping[str, FactorColumns]) -> dict[str, Levels]:
    """Return the levels of each factor.

    Raises:
        StudyError: names the term, the key, what was expected and what came; also where a column is not there, or has
            an empty field.
    """
    found: dict[str, Levels] = {}
    for name in nesting_order(factors):
        one = factors[name]
        try:
            levels = _named(table, one, None if one.within is None else found[one.within])
            if len(levels.labels) > MOST_LEVELS:
                raise StudyError(
                    f"column: {one.column!r} has {len(levels.labels):,} levels, more than {MOST_LEVELS:,}; name a "
                    "column of fewer"
                )
            found[name] = Levels(
                of_rows=levels.of_rows,
                labels=levels.labels,
                parent=levels.parent,
                edges=None if one.pairs is None else _edges(one, levels.labels),
                points=_points(table, one, levels) if one.points else None,
            )
        except (StudyError, TableError) as error:
            raise StudyError(f"[mechanism.terms.{name}] {error}") from error
    return {name: found[name] for name in factors}


def _named(table: Table, one: FactorColumns, outer: Levels | None) -> Levels:
    """Return the levels without how they lie."""
    names = table.labels("column", one.column)
    if one.is_ordered:
        if outer is not None:
            raise StudyError(f"within: levels of {one.column!r} follow one another and cannot be nested; leave it out")
        return _ordered(table, one.column, names)
    if outer is None:
        code, labels = pd.factorize(names)
        order = _by_number(labels)
        return Levels(of_rows=np.argsort(order)[code], labels=tuple(labels[order]))
    inner, labels = pd.factorize(names)
    code, pairs = pd.factorize(outer.of_rows * len(labels) + inner)
    parent, own = np.divmod(pairs, len(labels))
    words = tuple(f"{outer.labels[p]}/{labels[i]}" for p, i in zip(parent, own, strict=True))
    return Levels(of_rows=code.astype(np.int64), labels=words, parent=parent.astype(np.int64))


def _by_number(labels: np.ndarray) -> np.ndarray:
    """Return the order of labels by the numbers that they are, or as they stand where one is none."""
    try:
        return np.argsort(labels.astype(np.float64), kind="stable")
    except ValueError:
        return np.arange(len(labels))


def _ordered(table: Table, column: str, names: np.ndarray) -> Levels:
    """Return levels in the order of their numbers, with those between that no row has."""
    try:
        numbers = table.numbers("column", column)
    except TableError as error:
        raise StudyError(f"{error}; these levels follow one another: name a column such as years") from error
    values = np.unique(numbers)
    if len(values) == 1:
        return Levels(of_rows=np.zeros(len(numbers), np.int64), labels=(str(names[0]),))
    step = _step(values)
    place = (values - values[0]) / step
    if np.abs(place - np.rint(place)).max() > STEP_ROUNDING * len(values):
        raise StudyError(
            f"column: the levels of {column!r} follow one another in equal steps, such as years; got {values[0]:.15g} "
            f"to {values[-1]:.15g} with steps that no number divides; number them, or take a Gaussian process"
        )
    n_levels = round(float(place[-1])) + 1
    if n_levels > MOST_STEPS:
        raise StudyError(
            f"column: {column!r} goes from {values[0]:.15g} to {values[-1]:.15g} in steps of {step:.15g}, which makes "
            f"{n_levels:,} levels, more than {MOST_STEPS:,}; number them 1, 2, 3"
        )
    of_values = np.rint(place).astype(np.int64)
    labels = [f"{values[0] + step * i:.15g}" for i in range(n_levels)]
    for row, level in enumerate(of_values[np.searchsorted(values, numbers)]):
        labels[level] = str(names[row])
    return Levels(of_rows=of_values[np.searchsorted(values, numbers)], labels=tuple(labels))


def _step(values: np.ndarray) -> float:
    """Return the largest step that divides the distances of ascending numbers; the smallest distance where none does.

    >>> _step(np.array([1871.0, 1873.0, 1876.0])), _step(np.array([0.0, 0.5, 1.5]))
    (1.0, 0.5)
    """
    distances = np.diff(values)
    if (values == np.rint(values)).all():
        return float(math.gcd(*(int(d) for d in distances)))
    return float(distances.min())


def _edges(one: FactorColumns, labels: Sequence[str]) -> np.ndarray:
    """Return pairs of levels, each once, whichever way round and however often the graph names it."""
    place = {label: i for i, label in enumerate(labels)}
    pairs = one.pairs or ()
    if unknown := list(dict.fromkeys(str(end) for pair in pairs for end in pair if str(end) not in place)):
        more = f" and {len(unknown) - MOST_NAMED} more" if len(unknown) > MOST_NAMED else ""
        raise StudyError(
            f"graph.edges: {', '.join(map(shown, unknown[:MOST_NAMED]))}{more} of the graph is in no row of column "
            f"{one.column!r}{suggestion(unknown[0], place)}; leave these pairs out"
        )
    each = {tuple(sorted((place[str(a)], place[str(b)]))) for a, b in pairs}
    return np.array(sorted(each), dtype=np.int64).reshape(-1, 2)


def _points(table: Table, one: FactorColumns, levels: Levels) -> np.ndarray:
    """Return the coordinates of each level, which all of its rows have to agree on."""
    columns = [table.numbers("points.columns", column) for column in one.points]
    return np.stack(
        [
            of_levels(values, levels, f"points.columns: expected one place for a level of {one.column!r}", column)
            for values, column in zip(columns, one.points, strict=True)
        ],
        1,
    )


def of_levels(values: np.ndarray, levels: Levels, expected: str, column: str) -> np.ndarray:
    """Return the (level,) values of (row,) values that are the same in all rows of a level; NaN without rows.

    Raises:
        StudyError: a level has two values; begins with what was expected.
    """
    groups = pd.Series(values).groupby(levels.of_rows)
    least, most = groups.min(), groups.max()
    if (differs := (most > least).to_numpy()).any():
        level = int(least.index[int(np.argmax(differs))])
        raise StudyError(
            f"{expected}, got {least[level]:.15g} and {most[level]:.15g} in column {column!r} for "
            f"{shown(levels.labels[level])}"
        )
    return least.reindex(range(len(levels.labels))).to_numpy(float)
