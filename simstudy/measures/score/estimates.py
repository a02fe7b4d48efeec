"""A table of estimates, read and checked: what ``score`` scores and a report draws."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, get_args

import numpy as np
import pyarrow as pa

from simstudy.errors import TableError
from simstudy.measures.choices import check_choice
from simstudy.measures.score.columns import Columns, read_columns
from simstudy.measures.score.keys import FILLED_BY, Keys, read_keys
from simstudy.measures.score.pairs import check_truth, complete_replicates, reference_errors, without_reference
from simstudy.tables import as_table

Pairs = Literal["all", "complete"]
PAIRS: tuple[Pairs, ...] = get_args(Pairs)
MOST_NAMED = 5
MOST_TRIMMED = 0.5


@dataclass(frozen=True, kw_only=True)
class Estimates:
    """Estimates by method, scenario and replicate.

    Args:
        keys: what each row is about.
        columns: name -> (row,) float64, as ``read_columns`` returns them, and ``reference_error`` where there is a
            reference; NaN where a row does not count.
        by_values: column of ``by`` -> (row,) its values: numbers where the table has numbers, else texts.
        named: the columns with numbers.
        level: level of the intervals, in (0, 1).
        null: value that an interval must exclude to reject.
        ref: method that others are compared with, or None.
        pairs: which replicates count.
        trim: share of the largest squared errors that trimmed and winsorized measures do without.
        notes: what a user should know of them, a sentence each.
    """

    keys: Keys
    columns: Mapping[str, np.ndarray]
    by_values: Mapping[str, np.ndarray]
    named: Columns
    level: float
    null: float
    ref: str | None
    pairs: Pairs
    trim: float
    notes: tuple[str, ...] = ()

    @cached_property
    def replicate(self) -> np.ndarray:
        """(row,) integer of the row's replicate, from 0; each row is its own where none is named."""
        return self.keys.codes([self.keys.replicate]) if self.keys.replicate else np.arange(self.keys.n_rows)


def read_estimates(
    data: Any,
    *,
    estimate: str,
    truth: str | float,
    se: str | None = None,
    df: str | None = None,
    lower: str | None = None,
    upper: str | None = None,
    p_value: str | None = None,
    level: float = 0.95,
    null: float = 0.0,
    method: str | None = None,
    by: str | Sequence[str] = (),
    replicate: str | None = None,
    group: str | None = None,
    ref: str | None = None,
    pairs: Pairs = "all",
    trim: float = 0.05,
) -> Estimates:
    """Return the estimates that a table holds; arguments as those of ``score``.

    Raises:
        TableError: a column is missing or holds what it cannot hold, or options do not go together.
    """
    _check_options(level=level, null=null, pairs=pairs, trim=trim)
    if p_value is not None and null != 0:
        raise TableError("null: rejection is by the p-values, which have a null value of their own; leave null out")
    table = as_table(data)
    if not table.n_rows:
        raise TableError("the table has no rows: expected one row per estimate")
    by = (by,) if isinstance(by, str) else tuple(by)
    keys = read_keys(table, by=by, method=method, replicate=replicate, group=group)
    named = Columns(estimate=estimate, truth=truth, se=se, df=df, lower=lower, upper=upper, p_value=p_value)
    columns = read_columns(table, named, level=level)
    is_usable = ~np.isnan(columns["mean"])
    check_truth(keys, np.where(is_usable, columns["truth"], np.nan))
    if pairs == "complete":
        is_usable = complete_replicates(keys, is_usable)
        columns = {name: np.where(is_usable, values, np.nan) for name, values in columns.items() if name != "at_end"}
        columns["at_end"] = np.zeros(table.n_rows)
    notes = []
    if ref is not None:
        columns["reference_error"] = reference_errors(keys, columns["error"], ref)
        notes += _reference_notes(without_reference(keys, ref, is_usable), ref)
    return Estimates(
        keys=keys,
        columns=columns,
        by_values={name: _values(table, keys, name) for name in by},
        named=named,
        level=level,
        null=null,
        ref=ref,
        pairs=pairs,
        trim=trim,
        notes=(*notes, *_endless_notes(columns)),
    )


def _check_options(*, level: float, null: float, pairs: str, trim: float) -> None:
    if not 0 < level < 1:
        raise TableError(f"level: expected a number between 0 and 1, got {level:g}")
    if not np.isfinite(null):
        raise TableError(f"null: expected a finite number, got {null:g}")
    if not 0 <= trim < MOST_TRIMMED:
        raise TableError(f"trim: expected a share from 0 up to, but not, {MOST_TRIMMED:g}, got {trim:g}")
    check_choice("pairs", pairs, PAIRS)


def _values(table: Any, keys: Keys, name: str) -> np.ndarray:
    column = table.column("by", name)
    kind = getattr(column, "type", None)
    is_number = kind is not None and (pa.types.is_integer(kind) or pa.types.is_floating(kind))
    return column.to_numpy() if is_number and name not in FILLED_BY else keys.labels[name]


def _reference_notes(absent: Sequence[str], ref: str) -> list[str]:
    if not absent:
        return []
    few = "; ".join(absent[:MOST_NAMED]) + (f"; and {len(absent) - MOST_NAMED:,} more" * (len(absent) > MOST_NAMED))
    what = "scenario" if len(absent) == 1 else "scenarios"
    where = f"{len(absent):,} {what} ({few})"
    return [f"ref: {ref!r} has no usable estimate in {where}, where comparisons with it have no value"]


def _endless_notes(columns: Mapping[str, np.ndarray]) -> list[str]:
    ends = [np.isinf(columns[name]) for name in ("lower", "upper") if name in columns]
    n = int(np.logical_or.reduce(ends).sum()) if ends else 0
    if not n:
        return []
    what = "1 interval has an infinite end: it counts" if n == 1 else f"{n:,} intervals have infinite ends: they count"
    return [f"{what} in coverage and rejection, and the mean width of such intervals is infinite"]
