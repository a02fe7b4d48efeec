"""Rows that measures are taken over: the estimates of the fits that count, with truth and reference."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from simstudy.errors import TableError, suggestion
from simstudy.measures.labels import Keys, Labels
from simstudy.schema import interval_columns
from simstudy.types import RunTables

ZERO_ENDS = ("tau", "omega", "theta_sd", "theta_var")
ZERO_ONE_ENDS = ("shrinkage_weight", "prob_best")
ROUNDING = 1e-9
NUMBERS = ("truth", "mean", "sd", "mcse_mean", "crps", "log_score")


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
        """Return some of the rows."""
        return Rows(keys=self.keys.take(rows), columns={name: values[rows] for name, values in self.columns.items()})

    def add(self, **columns: np.ndarray) -> "Rows":
        """Return the rows with more columns."""
        return replace(self, columns={**self.columns, **columns})


def read_estimates(run: RunTables, labels: Labels, *, counted: np.ndarray) -> Rows:
    """Return the estimates of the fits that count.

    Besides the columns of the table there are ``error``, the mean minus the truth, and ``at_end``: whether the truth
    lies at the end of what the estimand can be, as tau = 0 does.

    Args:
        run: the run's tables.
        labels: its names.
        counted: (fit,) bool, rows of ``run.fits`` that count.
    """
    table = run.estimates
    keys = labels.read(table)
    usable = np.zeros(keys.n_fits, bool)
    usable[labels.read(run.fits).fit[counted]] = True
    kept = np.flatnonzero(usable[keys.fit])
    ends = {column for level in run.study["summary"]["levels"] for column in interval_columns(level)}
    columns = {name: table[name].to_numpy(dtype=float)[kept] for name in (*NUMBERS, *sorted(ends))}
    rows = Rows(keys=keys.take(kept), columns=columns)
    return rows.add(error=columns["mean"] - columns["truth"], at_end=_is_at_end(rows))


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
    codes = _references(run, rows, reference)
    labels = rows.keys.labels
    names = {labels.estimands[i]: labels.methods[code] for i, code in enumerate(codes) if code >= 0}
    return rows.add(reference_error=_reference_error(rows, codes)), names


def _candidates(run: RunTables, reference: str | None) -> list[str]:
    """Return the methods that can be the reference, the first choice first."""
    names = run.methods["method"].tolist()
    if reference is None:
        structure = run.methods["structure"].tolist()
        return sorted(names, key=lambda name: structure[names.index(name)] != "none")
    if reference not in names:
        near = suggestion(reference, names)
        raise TableError(f"reference: expected one of the methods {', '.join(names)}, got {reference!r}{near}")
    return [reference]


def _references(run: RunTables, rows: Rows, reference: str | None) -> np.ndarray:
    """Return the (estimand,) code of the reference method, -1 where no candidate has the estimand."""
    labels, keys = rows.keys.labels, rows.keys
    n_estimands = len(labels.estimands)
    has = np.bincount(keys.method * n_estimands + keys.estimand, minlength=len(labels.methods) * n_estimands) > 0
    has = has.reshape(len(labels.methods), n_estimands)
    chosen = np.full(n_estimands, -1)
    for code in reversed(labels.methods.get_indexer(pd.Index(_candidates(run, reference)))):
        chosen[has[code]] = code
    return chosen


def _reference_error(rows: Rows, references: np.ndarray) -> np.ndarray:
    """Return the (row,) error of the reference method on the same data, estimand and group."""
    is_reference = rows.keys.method == references[rows.keys.estimand]
    code = rows.keys.data_estimand
    order = np.argsort(code[is_reference], kind="stable")
    known, error = code[is_reference][order], rows["error"][is_reference][order]
    if not len(known):
        return np.full(len(code), np.nan)
    place = np.minimum(np.searchsorted(known, code), len(known) - 1)
    return np.where((known[place] == code) & ~is_reference, error[place], np.nan)


def _is_at_end(rows: Rows) -> np.ndarray:
    code, truth = rows.keys.estimand, rows["truth"]
    estimands = rows.keys.labels.estimands
    at_zero, at_one = estimands.isin((*ZERO_ENDS, *ZERO_ONE_ENDS))[code], estimands.isin(ZERO_ONE_ENDS)[code]
    return (at_zero & (np.abs(truth) < ROUNDING)) | (at_one & (np.abs(truth - 1) < ROUNDING))
