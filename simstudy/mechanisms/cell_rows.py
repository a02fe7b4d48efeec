"""The rows of a table as cells of several factors: which columns are what, and their reduction.

A cell is made of the rows whose linear predictor is the same: they share a level of every factor, the values of all
covariates and, of counts, the exposure. An estimate with a known standard error is a cell of its own. The observations
of a cell are checked and reduced as those of a group are (``grouping``).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from simstudy.errors import StudyError
from simstudy.mechanisms.grouping import COLUMN_KEYS, KINDS_OF_COLUMNS, group_rows
from simstudy.mechanisms.levels import FactorColumns, Levels, of_levels, read_levels
from simstudy.models.design import CellData, Design, Factor
from simstudy.models.location import dependent
from simstudy.tables import Table
from simstudy.tables.table import listed

RESPONSE_KEYS = tuple(key for key in COLUMN_KEYS if key not in ("group", "truth"))
MOST_CELLS = 1_000_000
CELL = "cell"


@dataclass(frozen=True, kw_only=True)
class CovariateColumn:
    """Where a covariate stands in a table.

    Args:
        column: its column of numbers.
        of: factor whose levels have one value each; None for a covariate of single rows.
    """

    column: str
    of: str | None = None


@dataclass(frozen=True, kw_only=True)
class CellRows:
    """The rows of a table, checked and reduced to cells.

    Args:
        kind: the likelihood that the columns of the response call for.
        columns: what a column of the response is -> its name.
        data: the cells.
        labels: names of the cells: their levels, and the values of covariates that these do not settle.
        rows: the columns that are used, as texts and numbers.
    """

    kind: str
    columns: Mapping[str, str]
    data: CellData
    labels: tuple[str, ...]
    rows: pa.Table


def read_cells(
    table: Table,
    response: Mapping[str, str],
    factors: Mapping[str, FactorColumns],
    covariates: Mapping[str, CovariateColumn],
) -> CellRows:
    """Return the cells of a table.

    Args:
        table: one row per observation, estimate or count.
        response: what a column is -> its name; those of the names that messages use need not be named.
        factors: name -> where its levels stand.
        covariates: name -> where its values stand.

    Raises:
        StudyError: names the key, what was expected and what came.
        TableError: a column is not there, or has an empty field or one that is no number.
    """
    if not table.n_rows:
        raise StudyError("data: the table has no rows; expected at least one")
    taken = {one.column for one in factors.values()} | {one.column for one in covariates.values()}
    columns = response_columns([name for name in table.names if name not in taken], response)
    levels = read_levels(table, factors)
    values = {name: _values(table, name, one, levels) for name, one in covariates.items()}
    apart: dict[str, np.ndarray] = {name: one.of_rows for name, one in levels.items()} | values
    if "exposure" in columns:
        apart["exposure"] = table.numbers("exposure", columns["exposure"])
    if "standard_error" in columns:
        apart = {"row": np.arange(table.n_rows)}
    cell_of, first = _cells(apart)
    outer = {one.within for one in factors.values()}
    names = _labels({name: one for name, one in levels.items() if name not in outer}, values, first)
    grouped = group_rows(_with_cells(table, columns, cell_of, names), {"group": CELL, **columns})
    x = {name: value[first] for name, value in values.items()}
    _refuse_dependent(x, covariates)
    design = Design(
        n_cells=len(first), factors=tuple(_factor(name, factors[name], levels[name], first) for name in levels)
    )
    data = CellData(**vars(grouped.data), design=design, covariates=tuple(x.items()))
    return CellRows(
        kind=grouped.kind,
        columns={key: columns[key] for key in COLUMN_KEYS if key in columns},
        data=data,
        labels=tuple(names),
        rows=_kept(table, factors, covariates, grouped.rows.drop_columns([CELL])),
    )


def response_columns(names: Iterable[str], given: Mapping[str, str]) -> dict[str, str]:
    """Return what a column of the response is -> its name: those that are named, or others by their own names.

    Raises:
        StudyError: they make no data, or could make two kinds; lists the table's columns.

    >>> response_columns(["plate", "value"], {})
    {'value': 'value'}
    """
    names = list(names)
    found = dict(given)
    if not found:
        kinds = [keys for keys in KINDS_OF_COLUMNS if keys <= set(names)]
        largest = max(kinds, key=len, default=frozenset())
        if all(keys <= largest for keys in kinds):
            found = {key: key for key in RESPONSE_KEYS if key in largest}
    if frozenset(found) not in KINDS_OF_COLUMNS:
        expected = "; or ".join(" and ".join(key for key in RESPONSE_KEYS if key in keys) for keys in KINDS_OF_COLUMNS)
        got = ", ".join(f'{key} = "{column}"' for key, column in found.items()) or "none of them"
        raise StudyError(
            f'data: expected columns of observations: {expected}; named such as value = "score"; got {got}; the table '
            f"has {listed(names)} beside factors and covariates"
        )
    return found


def _values(table: Table, name: str, one: CovariateColumn, levels: Mapping[str, Levels]) -> np.ndarray:
    """Return the (row,) values of a covariate.

    Raises:
        StudyError: it is constant, or a level of its factor has two values.
    """
    where = f"[mechanism.covariates.{name}]"
    values = table.numbers(f"{where} column", one.column)
    if np.ptp(values) == 0:
        raise StudyError(
            f"{where} column: {one.column!r} is {values[0]:.15g} in all {len(values)} rows; a constant says nothing "
            "beside the intercept: leave the covariate out"
        )
    if one.of is not None:
        expected = f"{where} of: expected one value for each level of {one.of}"
        of_levels(values, levels[one.of], expected, one.column)
    return values


def _cells(apart: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return (row,) cells in the order of their first rows, and (cell,) these rows."""
    codes = [pd.factorize(values)[0] for values in apart.values()]
    cell_of = codes[0]
    for code in codes[1:]:
        cell_of = pd.factorize(cell_of.astype(np.int64) * (int(code.max()) + 1) + code)[0]
    first = np.unique(cell_of, return_index=True)[1]
    if len(first) > MOST_CELLS:
        raise StudyError(
            f"data: the levels and covariates make {len(first):,} cells, more than {MOST_CELLS:,}; leave a covariate "
            "out, or round it"
        )
    return cell_of, first


def _labels(levels: Mapping[str, Levels], values: Mapping[str, np.ndarray], first: np.ndarray) -> list[str]:
    """Return the name of each cell: its levels, and the values of the covariates that they do not settle.

    Args:
        levels: of the factors in which no other is nested: names of nested levels begin with those of the outer ones.
        values: covariate -> (row,) values.
        first: (cell,) row of each cell.
    """
    of_levels_only, _ = _cells({name: one.of_rows[first] for name, one in levels.items()})
    varying = [
        name for name, value in values.items() if pd.Series(value[first]).groupby(of_levels_only).nunique().max() > 1
    ]
    words = []
    for row in first:
        parts = [one.labels[one.of_rows[row]] for one in levels.values()]
        words.append(", ".join([*parts, *(f"{name}={values[name][row]:.6g}" for name in varying)]))
    return words


def _with_cells(table: Table, columns: Mapping[str, str], cell_of: np.ndarray, names: Sequence[str]) -> Table:
    """Return the columns of the response, and the cell of each row as a name of its own."""
    own = {column: table.column(key, column) for key, column in columns.items()}
    if CELL in own:
        raise StudyError(f"data: the column {CELL!r} cannot be one of observations; rename it")
    labels = [f"{names[cell]} #{cell}" for cell in cell_of]
    return Table({CELL: pa.array(labels, pa.string()), **own}, n_rows=table.n_rows, first_line=table.first_line)


def _refuse_dependent(x: Mapping[str, np.ndarray], covariates: Mapping[str, CovariateColumn]) -> None:
    """Refuse covariates one of which is a linear combination of the others and the intercept.

    Raises:
        StudyError: names them and their columns.
    """
    if not (names := dependent(x)):
        return
    columns = listed([covariates[name].column for name in names])
    raise StudyError(
        f"[mechanism.covariates.{names[-1]}] column: {', '.join(names)} (columns {columns}) are not apart: each is a "
        "linear combination of the others and the intercept, in all cells; leave one out"
    )


def _factor(name: str, columns: FactorColumns, levels: Levels, first: np.ndarray) -> Factor:
    return Factor(
        name=name,
        level=levels.of_rows[first],
        n_levels=len(levels.labels),
        labels=levels.labels,
        within=columns.within,
        parent=levels.parent,
        edges=levels.edges,
        points=levels.points,
    )


def _kept(
    table: Table, factors: Mapping[str, FactorColumns], covariates: Mapping[str, CovariateColumn], response: pa.Table
) -> pa.Table:
    """Return the columns that are used: labels as texts, and numbers."""
    columns = {one.column: pa.array(table.labels("column", one.column), pa.string()) for one in factors.values()}
    numbers = [one.column for one in covariates.values()]
    numbers += [column for one in factors.values() for column in one.points]
    for column in numbers:
        if column not in columns:
            columns[column] = pa.array(table.numbers("column", column))
    for column in response.column_names:
        if column not in columns:
            columns[column] = response[column]
    return pa.table(columns)
