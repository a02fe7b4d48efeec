"""The numbers of a table of estimates: read by name, checked row by row, put into the columns that measures need."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from simstudy.errors import TableError
from simstudy.measures.score.intervals import add_interval
from simstudy.tables import Table

SMALLEST, LARGEST = 1e-75, 1e75  # fourth powers, of which some errors are made, end beyond
DIGITS = 12  # of 1 - level, which 0.95 misses by 4e-17


@dataclass(frozen=True, kw_only=True)
class Columns:
    """Names of the columns with numbers; None where there is none.

    Args:
        estimate: estimates.
        truth: true values, or the one true value.
        se: standard errors (posterior sds), at least 0.
        df: degrees of freedom of the estimates' t distribution, above 0.
        lower: lower ends of intervals.
        upper: upper ends of intervals.
        p_value: p-values of a test of the null value, in [0, 1].
    """

    estimate: str
    truth: str | float
    se: str | None = None
    df: str | None = None
    lower: str | None = None
    upper: str | None = None
    p_value: str | None = None

    def check(self) -> None:
        """Check that the columns go together.

        Raises:
            TableError: one end of an interval without the other; degrees of freedom without standard errors, or beside
                intervals.
        """
        if (self.lower is None) != (self.upper is None):
            raise TableError("lower and upper: an interval has two ends, name both or neither")
        if self.df is not None and self.se is None:
            raise TableError(
                "df: intervals are made of standard errors and degrees of freedom, so se must be named too"
            )
        if self.df is not None and self.lower is not None:
            raise TableError("df: the intervals are given by lower and upper; leave out df, or lower and upper")


def read_columns(table: Table, columns: Columns, *, level: float) -> dict[str, np.ndarray]:
    """Return name -> (row,) float64 of what measures are made of; all but the truth is NaN where no estimate is.

    ``mean``, ``truth``, ``error``, ``at_end``; ``sd`` where standard errors are named; ``lower``, ``upper`` and
    ``is_endless`` where there are intervals; ``rejects`` where p-values are named.

    Raises:
        TableError: a column is missing or holds what it cannot hold.
    """
    columns.check()
    mean = _numbers(table, "estimate", columns.estimate, may_be_infinite=True)
    is_usable = np.isfinite(mean)
    truth = _truth(table, columns.truth)
    found = {"mean": mean}
    if columns.se is not None:
        found["sd"] = _numbers(table, "se", columns.se, may_be_infinite=True)
        _require(table, "se", columns.se, found["sd"], lambda sd: sd < 0, "standard errors of at least 0")
    if columns.lower is not None and columns.upper is not None:
        ends = {
            end: _numbers(table, end, name, may_be_infinite=True)
            for end, name in (("lower", columns.lower), ("upper", columns.upper))
        }
        _check_ends(ends["lower"], ends["upper"], columns)
        found |= ends
    elif columns.se is not None:
        df = None
        if columns.df is not None:
            df = _numbers(table, "df", columns.df, may_be_infinite=True)
            _require(table, "df", columns.df, df, lambda df: df <= 0, "degrees of freedom above 0")
        add_interval(found, level=level, df=df)
    if columns.p_value is not None:
        p = table.numbers("p_value", columns.p_value, may_be_empty=True)
        _require(table, "p_value", columns.p_value, p, lambda p: (p < 0) | (p > 1), "probabilities from 0 to 1")
        found["rejects"] = np.where(np.isnan(p), np.nan, p < round(1 - level, DIGITS))
    found = {name: np.where(is_usable, values, np.nan) for name, values in found.items()}
    return {**found, "truth": truth, "error": found["mean"] - truth, "at_end": np.zeros(table.n_rows)}


def _numbers(table: Table, option: str, name: str, *, may_be_infinite: bool = False) -> np.ndarray:
    numbers = table.numbers(option, name, may_be_empty=True, may_be_infinite=may_be_infinite)
    _require(
        table,
        option,
        name,
        numbers,
        lambda numbers: np.isfinite(numbers) & (np.abs(numbers) > LARGEST),
        f"numbers up to {LARGEST:g}",
    )
    if 0 < (largest := np.abs(numbers[np.isfinite(numbers)]).max(initial=0)) < SMALLEST:
        raise TableError(
            f"{option}: expected numbers of at least {SMALLEST:g} in column {name!r}, got {largest:g} at most; give "
            "another unit"
        )
    return numbers


def _require(
    table: Table,
    option: str,
    name: str,
    numbers: np.ndarray,
    is_wrong: Callable[[np.ndarray], np.ndarray],
    expected: str,
) -> None:
    wrong = is_wrong(numbers)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise TableError(
            f"{option}: expected {expected} in column {name!r}, got {numbers[row]:g} in {table.row_words(row)}"
        )


def _truth(table: Table, truth: str | float) -> np.ndarray:
    if isinstance(truth, str) and truth in table.names:
        return _numbers(table, "truth", truth)
    try:
        value = float("nan") if isinstance(truth, bool) else float(truth)
    except (TypeError, ValueError):
        return _numbers(table, "truth", str(truth))
    if not abs(value) <= LARGEST:
        raise TableError(f"truth: expected a column, or a number up to {LARGEST:g}, got {truth}")
    return np.full(table.n_rows, value)


def _check_ends(lower: np.ndarray, upper: np.ndarray, columns: Columns) -> None:
    is_turned = lower > upper
    if is_turned.any():
        row = int(np.argmax(is_turned))
        raise TableError(
            f"lower and upper: {is_turned.sum():,} rows have {columns.lower!r} above {columns.upper!r}, the first is "
            f"row {row + 1} with {lower[row]:g} and {upper[row]:g}"
        )
