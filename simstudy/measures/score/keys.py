"""What a row is about: its scenario, method, replicate and group, by the labels that stand in the table."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from simstudy.errors import TableError, named
from simstudy.store.schema import PERFORMANCE
from simstudy.tables import Table

FILLED_BY = ("scenario", "estimand")
"""Columns of the answer that a column of the table with that name fills."""
QUOTED = frozenset(',="')


@dataclass(frozen=True, kw_only=True)
class Keys:
    """Labels of the rows, and the groups of rows that have the same ones.

    Args:
        labels: column -> (row,) object array of str, of all key columns.
        by: columns that name the scenario.
        method: column that names the method, or None.
        replicate: column that names the replicate, or None.
        group: column that names the group within the replicate, or None.
        n_rows: number of rows.
    """

    labels: Mapping[str, np.ndarray]
    by: tuple[str, ...]
    method: str | None
    replicate: str | None
    group: str | None
    n_rows: int

    @cached_property
    def scenario(self) -> np.ndarray:
        """(row,) index of the row's scenario, in the order in which they come."""
        return self.codes(self.by)

    @cached_property
    def cell(self) -> np.ndarray:
        """(row,) index of the row's scenario and method, in the order in which they come."""
        return self.codes([*self.by, *([self.method] if self.method else [])])

    @cached_property
    def item(self) -> np.ndarray:
        """(row,) index of what all methods estimate: scenario, replicate and group."""
        return self.codes([*self.by, *(name for name in (self.replicate, self.group) if name)])

    def codes(self, names: Iterable[str]) -> np.ndarray:
        """Return (row,) int64 that is the same for rows with the same labels in every one of some columns.

        Rows are told apart by the tuple of their labels, never by one text made of them.
        """
        code = np.zeros(self.n_rows, np.int64)
        for name in names:
            other, found = pd.factorize(self.labels[name])
            code = pd.factorize(code * len(found) + other)[0]
        return code

    def place(self, row: int, names: Sequence[str]) -> str:
        """Return where a row is, as a message says it."""
        return ", ".join(f"{named(name)}={named(self.labels[name][row])}" for name in names)

    def scenario_texts(self, rows: np.ndarray) -> list[str | None]:
        """Return what the scenarios of some rows are called; different scenarios never have the same text."""
        by = [name for name in self.by if name != "estimand"]
        if not by:
            return [None] * len(rows)
        if by == ["scenario"]:
            return list(self.labels["scenario"][rows])
        return [", ".join(f"{name}={quoted(self.labels[name][row])}" for name in by) for row in rows]


def read_keys(
    table: Table, *, by: tuple[str, ...], method: str | None, replicate: str | None, group: str | None
) -> Keys:
    """Return the keys of a table.

    Raises:
        TableError: a column is missing, is named twice or has empty fields; groups without replicates; two rows with
            the same keys.
    """
    single = {"method": method, "replicate": replicate, "group": group}
    options = [*(("by", name) for name in by), *((option, name) for option, name in single.items() if name)]
    labels = {name: table.labels(option, name) for option, name in options}
    names = [name for _, name in options]
    if twice := {name for name in names if names.count(name) > 1}:
        raise TableError(f"column {min(twice)!r} is named for two of by, method, replicate and group")
    if taken := [name for name in by if name in PERFORMANCE.names and name not in FILLED_BY]:
        raise TableError(f"by: column {taken[0]!r} has the name of a column of the answer; rename it")
    if group and not replicate:
        raise TableError("group: groups are nested in replicates, so replicate must be named too")
    keys = Keys(labels=labels, by=by, method=method, replicate=replicate, group=group, n_rows=table.n_rows)
    if replicate:
        _check_once(keys, names)
    return keys


def _check_once(keys: Keys, names: Sequence[str]) -> None:
    is_again = pd.Series(keys.codes(names)).duplicated().to_numpy()
    if is_again.any():
        first = int(np.argmax(is_again))
        unnamed = [option for option in ("by", "method", "group") if not getattr(keys, option)]
        choices = " or ".join(filter(None, [", ".join(unnamed[:-1]), *unnamed[-1:]]))
        what = f"name {choices}" if unnamed else "leave them out"
        raise TableError(
            f"{is_again.sum():,} rows repeat a replicate, the first at {keys.place(first, names)} (row {first + 1}); "
            f"{what}"
        )


def quoted(label: str) -> str:
    r"""Return a label as it stands among others, in quotes where it could be read as two.

    >>> quoted("site 01"), quoted("x, b=1"), quoted('a "b"')
    ('site 01', '"x, b=1"', '"a \\"b\\""')
    """
    if not QUOTED & set(label):
        return label
    escaped = label.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
