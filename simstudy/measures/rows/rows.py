"""Rows that measures are taken over: the estimates of the fits that count, with truth and reference."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pyarrow as pa

from simstudy.errors import TableError, suggestion
from simstudy.measures.rows.labels import Keys, Labels
from simstudy.measures.rows.slices import Slice
from simstudy.store.schema import estimates_schema, interval_columns
from simstudy.store.traits import pooling_of
from simstudy.types import RunTables

ROUNDING = 1e-9  # of an end, or of a posterior's sd where the end is 0: a unit of data must not decide
KEY_COLUMNS = ("scenario", "replicate", "method", "estimand", "group")
NUMBERS = ("truth", "mean", "sd", "mcse_mean", "crps", "log_score")
FURTHER = frozenset(f.name for f in estimates_schema(()) if pa.types.is_floating(f.type)) - {*NUMBERS}
"""Numbers of the estimates that no built-in measure needs."""


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Rows of a table with the codes of their keys.

    Args:
        keys: codes of scenario, replicate, method, estimand and group.
        columns: name -> (row,) float64.
    """

    keys: Keys
    columns: Mapping[str, np.ndarray]

    def __getitem__(self, name: str) -> np.ndarray:
        """Return a column, (row,)."""
        return self.columns[name]

    def take(self, rows: np.ndarray) -> "Rows":
        """Return some of the rows, by their places."""
        return Rows(keys=self.keys.take(rows), columns={name: values[rows] for name, values in self.columns.items()})

    def of_fits(self, fits: np.ndarray) -> "Rows":
        """Return the rows of the fits for which ``fits`` (fit code,) bool holds."""
        keep = fits[self.keys.fit]
        return self if keep.all() else self.take(np.flatnonzero(keep))

    def add(self, **columns: np.ndarray) -> "Rows":
        """Return the rows with more columns."""
        return replace(self, columns={**self.columns, **columns})


def read_estimates(run: RunTables, labels: Labels, part: Slice, *, also: Iterable[str] = ()) -> Rows:
    """Return the estimates of a slice, those of every fit.

    Besides the columns of the table there are ``error``, the mean minus the truth, and ``at_end``: whether the truth
    lies at the end of what the estimand can be, as tau = 0 does.

    Args:
        run: the run's tables.
        labels: its names.
        part: the scenarios and estimands that are wanted.
        also: names that may be those of further columns of the table, which are read as well.
    """
    ends = {column for level in run.study["summary"]["levels"] for column in interval_columns(level)}
    further = {name for name in also if name in FURTHER}
    rows = read_rows(run, labels, part, columns=(*NUMBERS, *sorted(ends | further)))
    return rows.add(error=rows["mean"] - rows["truth"], at_end=_is_at_end(rows))


def read_rows(run: RunTables, labels: Labels, part: Slice, *, columns: Sequence[str]) -> Rows:
    """Return the rows of a slice of the estimates with the columns named, piece by piece.

    The columns are made in their full length at once, so that no row is held twice.
    """
    n = part.n_rows(labels)
    keys = Keys(labels=labels, **{name: np.empty(n, np.int64) for name in KEY_COLUMNS})
    numbers = {name: np.empty(n) for name in columns}
    start = 0
    for piece in run.parts("estimates", (*KEY_COLUMNS, *columns), where=part.where):
        place = slice(start, start := start + len(piece))
        codes = labels.read(piece)
        for name in KEY_COLUMNS:
            getattr(keys, name)[place] = getattr(codes, name)
        for name, values in numbers.items():
            values[place] = piece[name].to_numpy(dtype=float, na_value=np.nan)
    return Rows(keys=keys, columns=numbers)


def add_reference(run: RunTables, rows: Rows, *, reference: str | None) -> tuple[Rows, dict[str, str]]:
    """Return the rows with ``reference_error`` and the reference method of each estimand.

    The error is that of the reference on the same data, estimand and group; NaN for the reference itself and where its
    fit does not count.

    Args:
        run: the run's tables.
        rows: of estimates.
        reference: method that relative measures refer to; None takes no pooling where it has the estimand, else the
            first method that has it.

    Raises:
        TableError: the run has no such method.
    """
    labels = rows.keys.labels
    codes = _references(run, labels, reference)
    names = {labels.estimands[i]: labels.methods[code] for i, code in enumerate(codes) if code >= 0}
    return rows.add(reference_error=_reference_error(rows, codes)), names


def _candidates(run: RunTables, reference: str | None) -> list[str]:
    """Return the methods that can be the reference, the first choice first."""
    names = run.methods["method"].tolist()
    if reference is None:
        pooling = pooling_of(run.methods).tolist()
        return sorted(names, key=lambda name: pooling[names.index(name)] != "none")
    if reference not in names:
        near = suggestion(reference, names)
        raise TableError(f"reference: expected one of the methods {', '.join(names)}, got {reference!r}{near}")
    return [reference]


def _references(run: RunTables, labels: Labels, reference: str | None) -> np.ndarray:
    """Return the (estimand,) code of the reference method, -1 where no candidate has the estimand."""
    has = labels.n_estimates.sum(axis=0) > 0
    chosen = np.full(len(labels.estimands), -1)
    for code in reversed(labels.methods.get_indexer(pd.Index(_candidates(run, reference)))):
        chosen[has[code]] = code
    return chosen


def _reference_error(rows: Rows, references: np.ndarray) -> np.ndarray:
    """Return the (row,) error of the reference method on the same data, estimand and group."""
    is_reference = rows.keys.method == references[rows.keys.estimand]
    return np.where(is_reference, np.nan, error_of(rows, references))


def error_of(rows: Rows, methods: np.ndarray) -> np.ndarray:
    """Return the (row,) error, on the same data, estimand and group, of the method of each estimand.

    Args:
        rows: of estimates.
        methods: (estimand,) code of a method, -1 for none; NaN is returned where it has no fit.
    """
    is_reference = rows.keys.method == methods[rows.keys.estimand]
    code = rows.keys.data_estimand
    order = np.argsort(code[is_reference], kind="stable")
    known, error = code[is_reference][order], rows["error"][is_reference][order]
    if not len(known):
        return np.full(len(code), np.nan)
    place = np.minimum(np.searchsorted(known, code), len(known) - 1)
    return np.where(known[place] == code, error[place], np.nan)


def _is_at_end(rows: Rows) -> np.ndarray:
    """Return (row,) bool, the truth is the least or the largest value that its estimand can have, up to rounding.

    Rounding is measured by the end itself and by the posterior's sd, which have the estimand's unit.
    """
    labels, truth, code = rows.keys.labels, rows["truth"], rows.keys.estimand
    declared = [labels.declared[name] for name in labels.estimands]
    sd = np.where(np.isfinite(rows["sd"]), rows["sd"], 0)
    at_end = np.zeros(len(truth), bool)
    for side in ("lower", "upper"):
        end = np.array([getattr(e, side) for e in declared], float)[code]
        room = ROUNDING * np.fmax(np.abs(end), sd)
        at_end |= np.isfinite(end) & (np.abs(truth - end) <= room)
    return at_end
