"""Performance of estimates made elsewhere: a table with a row per estimate, scored by the measures of the package."""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_datetime64_any_dtype, is_numeric_dtype, is_timedelta64_dtype
from scipy.stats import norm

from simstudy.errors import TableError, shown, suggestion
from simstudy.measures import recovery
from simstudy.measures.choices import check_choice
from simstudy.measures.measure import MCSE_METHODS, McseMethod, Measure
from simstudy.measures.registry import MEASURES
from simstudy.measures.rows.cells import AVERAGE, Cells, nest
from simstudy.measures.scoring import Terms, assemble, score_cells
from simstudy.store.incoming import READERS, read_rows
from simstudy.store.schema import PERFORMANCE

SMALLEST, LARGEST = 1e-75, 1e75  # fourth powers, of which some errors are made, end beyond
MOST_LISTED = 30
FILLED_BY = ("scenario", "estimand")
OF_GROUPS = ("rank_correlation", "prob_best")


def score(
    table: pd.DataFrame,
    *,
    estimate: str,
    truth: str | float,
    se: str | None = None,
    lower: str | None = None,
    upper: str | None = None,
    level: float = 0.95,
    null: float = 0.0,
    method: str | None = None,
    by: str | Sequence[str] = (),
    replicate: str | None = None,
    group: str | None = None,
    ref: str | None = None,
    mcse_method: McseMethod = "normal",
) -> pd.DataFrame:
    """Return the performance of estimates with Monte Carlo standard errors.

    Args:
        table: one row per estimate. Rows whose estimate is not finite count as excluded.
        estimate: column of the estimates.
        truth: column of the true values, or one number.
        se: column of standard errors (posterior sds), at least 0.
        lower: column of the intervals' lower ends; without it they are estimate -+ z se.
        upper: column of the intervals' upper ends.
        level: level of the intervals, in (0, 1).
        null: value that an interval must exclude to reject.
        method: column that names the method.
        by: column or columns that name the scenario.
        replicate: column that names the replicate; methods are paired by it and groups are nested in it. Without it
            each row is a replicate of its own.
        group: column that names the group within the replicate.
        ref: method that relative_precision and mse_ratio refer to, paired by replicate.
        mcse_method: for measures of spread; ``normal`` as in Morris et al. 2019, or ``influence`` for any errors.

    Returns:
        The columns of ``by``, then those of ``schema.PERFORMANCE``: one row per scenario, method and measure.

    Raises:
        TableError: a column is missing or holds what it cannot hold, or options do not go together.

    >>> table = pd.DataFrame({"x": [1.1, 0.8, 1.3, 0.9], "se": 0.2})
    >>> performance = score(table, estimate="x", truth=1, se="se")
    >>> performance.loc[performance["measure"] == "bias", ["value", "mcse", "n_used"]].round(4).values.tolist()
    [[0.025, 0.1109, 4.0]]
    """
    by = (by,) if isinstance(by, str) else tuple(by)
    keys = KeyColumns(by=by, method=method, replicate=replicate, group=group)
    keys.check(table)
    check_choice("mcse_method", mcse_method, MCSE_METHODS)
    if not 0 < level < 1:
        raise TableError(f"level: expected a number between 0 and 1, got {level:g}")
    if not np.isfinite(null):
        raise TableError(f"null: expected a finite number, got {null:g}")
    columns = _read_numbers(table, estimate=estimate, truth=truth, se=se, lower=lower, upper=upper, level=level)
    columns |= _reference_errors(table, keys, columns["error"], ref)
    cells = _cells(table, keys, columns, estimand=estimate, ref=ref)
    terms = Terms(levels=((level, "lower", "upper"),), null=null, mcse_method=mcse_method)
    performance = assemble(score_cells(cells, _measures(columns, group), terms), orders=_orders(cells))
    return _with_by(performance, cells, table, by)


def read_table(path: str | Path) -> pd.DataFrame:
    """Return the table of a CSV or Parquet file.

    Raises:
        TableError: there is no such file, its name ends otherwise, or it cannot be read as what its name says.
    """
    path = Path(path)
    if path.suffix not in READERS:
        raise TableError(f"{path}: expected a file ending in {' or '.join(READERS)}, got {path.suffix or 'no ending'}")
    if not path.exists():
        raise TableError(f"{path}: no such file")
    try:
        return read_rows(path)
    except TableError as error:
        raise TableError(f"{path}: cannot be read as {path.suffix[1:]}: {error}") from error


@dataclass(frozen=True, kw_only=True)
class KeyColumns:
    """Names of the columns that say what a row is about; None or empty where there is none."""

    by: tuple[str, ...] = ()
    method: str | None = None
    replicate: str | None = None
    group: str | None = None

    def check(self, table: pd.DataFrame) -> None:
        """Raise where the table cannot have these keys.

        Raises:
            TableError: no rows; a column is missing, is named twice or has empty fields; groups without replicates;
                two rows with the same keys.
        """
        if table.empty:
            raise TableError("the table has no rows: expected one row per estimate")
        names = [*self.by, *(name for name in (self.method, self.replicate, self.group) if name)]
        for option, name in [*(("by", name) for name in self.by), *self._single()]:
            _column(table, option, name)
            if not is_numeric_dtype(table[name]) and not all(isinstance(value, Hashable) for value in table[name]):
                raise TableError(f"{option}: expected numbers or texts in column {name!r}, got lists or tables")
            if table[name].isna().any():
                raise TableError(f"{option}: column {name!r} has {table[name].isna().sum()} empty fields")
        if twice := {name for name in names if names.count(name) > 1}:
            raise TableError(f"column {min(twice)!r} is named for two of by, method, replicate and group")
        if taken := [name for name in self.by if name in PERFORMANCE.names and name not in (*FILLED_BY, self.method)]:
            raise TableError(f"by: column {taken[0]!r} has the name of a column of the answer; rename it")
        if self.group and not self.replicate:
            raise TableError("group: groups are nested in replicates, so replicate must be named too")
        if self.replicate and (repeated := table.duplicated(names)).any():
            row = {name: table.loc[repeated, name].iloc[0] for name in names}
            where = ", ".join(f"{name}={value}" for name, value in row.items())
            raise TableError(
                f"{repeated.sum()} rows repeat a replicate, the first at {where}; name by, method or group"
            )

    def _single(self) -> list[tuple[str, str]]:
        options = (("method", self.method), ("replicate", self.replicate), ("group", self.group))
        return [(option, name) for option, name in options if name]


def _column(table: pd.DataFrame, option: str, name: str) -> pd.Series:
    if name not in table.columns:
        names = [str(column) for column in table.columns]
        near = suggestion(name, names)
        few = ", ".join(names[:MOST_LISTED]) + (", ..." if len(names) > MOST_LISTED else "")
        raise TableError(f"{option}: no column {name!r} in the table, which has {few}{near}")
    return table[name]


def _numbers(table: pd.DataFrame, option: str, name: str) -> np.ndarray:
    column = _column(table, option, name)
    try:
        numbers = pd.to_numeric(column, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    except TypeError:  # lists and the like, out of Parquet
        numbers = np.full(len(column), np.nan)
    is_no_number = is_bool_dtype(column) or is_datetime64_any_dtype(column) or is_timedelta64_dtype(column)
    too_large = np.isfinite(numbers) & (np.abs(numbers) > LARGEST)
    wrong = column.notna().to_numpy() & (np.isnan(numbers) | is_no_number | too_large)
    if wrong.any():
        row = int(np.argmax(wrong))
        value = column.iloc[row]
        value = shown(value.item() if isinstance(value, np.generic) else value)
        limit = f" up to {LARGEST:g}" if too_large[row] else ""
        raise TableError(
            f"{option}: expected numbers{limit} in column {name!r}, got {value} in row {row + 1} of {len(table)}"
        )
    if 0 < (largest := np.abs(numbers[np.isfinite(numbers)]).max(initial=0)) < SMALLEST:
        raise TableError(
            f"{option}: expected numbers of at least {SMALLEST:g} in column {name!r}, got {largest:g} at most; give "
            "another unit"
        )
    return numbers


def _truth(table: pd.DataFrame, truth: str | float) -> np.ndarray:
    if isinstance(truth, str) and truth in table.columns:
        return _numbers(table, "truth", truth)
    try:
        value = float(truth)
    except ValueError:
        return _numbers(table, "truth", str(truth))
    if not abs(value) <= LARGEST:
        raise TableError(f"truth: expected a column, or a number up to {LARGEST:g}, got {truth}")
    return np.full(len(table), value)


def _read_numbers(
    table: pd.DataFrame,
    *,
    estimate: str,
    truth: str | float,
    se: str | None,
    lower: str | None,
    upper: str | None,
    level: float,
) -> dict[str, np.ndarray]:
    mean = _numbers(table, "estimate", estimate)
    known = _truth(table, truth)
    columns = {"mean": mean, "truth": known, "error": mean - known, "at_end": np.zeros(len(table))}
    if se is not None:
        columns["sd"] = _numbers(table, "se", se)
        if (columns["sd"] < 0).any():
            raise TableError(
                f"se: expected standard errors of at least 0 in column {se!r}, got {columns['sd'].min():g}"
            )
    if (lower is None) != (upper is None):
        raise TableError("lower and upper: an interval has two ends, name both or neither")
    if lower is not None and upper is not None:
        columns |= {"lower": _numbers(table, "lower", lower), "upper": _numbers(table, "upper", upper)}
        if (n_turned := (columns["lower"] > columns["upper"]).sum()) > 0:
            raise TableError(f"lower and upper: {n_turned} rows have {lower!r} above {upper!r}")
    elif se is not None:
        half = norm.ppf((1 + level) / 2) * columns["sd"]
        columns |= {"lower": mean - half, "upper": mean + half}
    return columns


def _reference_errors(
    table: pd.DataFrame, keys: KeyColumns, error: np.ndarray, ref: str | None
) -> dict[str, np.ndarray]:
    """Return the (row,) error of the reference method in the same scenario, replicate and group."""
    if ref is None:
        return {}
    if keys.method is None or keys.replicate is None:
        raise TableError("ref: methods are compared replicate by replicate, so method and replicate must be named too")
    names = table[keys.method].astype(str)
    if not (is_ref := (names == str(ref)).to_numpy()).any():
        known = list(dict.fromkeys(names))
        near = suggestion(str(ref), known)
        raise TableError(f"ref: no method {ref!r} in column {keys.method!r}, which has {', '.join(known)}{near}")
    paired = [*keys.by, keys.replicate, *([keys.group] if keys.group else [])]
    code = _codes(table, paired)
    of_code = np.full(code.max() + 1, np.nan)
    of_code[code[is_ref]] = error[is_ref]
    return {"reference_error": np.where(is_ref, np.nan, of_code[code])}


def _codes(table: pd.DataFrame, names: Iterable[str]) -> np.ndarray:
    names = list(names)
    return table.groupby(names, sort=False, observed=True).ngroup().to_numpy() if names else np.zeros(len(table), int)


def _cells(
    table: pd.DataFrame, keys: KeyColumns, columns: dict[str, np.ndarray], *, estimand: str, ref: str | None
) -> Cells:
    cell = _codes(table, [*keys.by, *([keys.method] if keys.method else [])])
    replicate = _codes(table, [keys.replicate]) if keys.replicate else np.arange(len(table))
    first = np.unique(cell, return_index=True)[1]
    rows = table.iloc[first]
    names = pd.DataFrame(
        {
            "scenario": _scenario_texts(rows, [name for name in keys.by if name != "estimand"]),
            "method": rows[keys.method].astype(str).to_numpy() if keys.method else None,
            "estimand": rows["estimand"].astype(str).to_numpy() if "estimand" in keys.by else estimand,
            "group": AVERAGE if keys.group else None,
            "bin": None,
            "reference": ref,
            "row": first,
        },
        dtype=object,
    )
    replicates = nest(cell, replicate, columns, n_cells=len(first))
    return Cells(replicates=replicates, names=names, n_replicates=replicates.n)


def _measures(columns: dict[str, np.ndarray], group: str | None) -> list[Measure]:
    chosen = [*recovery.MEASURES, *(MEASURES[name] for name in ("mse_ratio", *(OF_GROUPS if group else ())))]
    return [replace(m, roles=()) for m in chosen if set(m.needs) <= set(columns) and m.which != "boundary"]


def _scenario_texts(rows: pd.DataFrame, by: list[str]) -> list[str | None]:
    if by == ["scenario"]:
        return [str(value) for value in rows["scenario"]]
    parts = [[f"{name}={value}" for value in rows[name]] for name in by]
    return [", ".join(texts) for texts in zip(*parts, strict=True)] if by else [None] * len(rows)


def _orders(cells: Cells) -> dict[str, pd.Index]:
    names = cells.names.sort_values("row")
    return {name: pd.Index(names[name].dropna().unique()) for name in ("scenario", "method", "estimand")}


def _with_by(performance: pd.DataFrame, cells: Cells, table: pd.DataFrame, by: tuple[str, ...]) -> pd.DataFrame:
    """Return the performance with the values that the ``by`` columns have in the table, first."""
    added = [name for name in by if name not in PERFORMANCE.names]
    keys = ["scenario", "method", "estimand"]
    cell = pd.MultiIndex.from_frame(cells.names[keys].fillna(""))
    row = cells.names["row"].to_numpy(int)[cell.get_indexer(pd.MultiIndex.from_frame(performance[keys].fillna("")))]
    values = table[added].iloc[row].reset_index(drop=True)
    return pd.concat([values, performance], axis=1)
