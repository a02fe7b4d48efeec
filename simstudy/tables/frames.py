"""Frames of other libraries as tables: whatever narwhals reads (pandas, Polars, Arrow, ...), column by column."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from simstudy.errors import TableError
from simstudy.tables.columns import Column, Unreadable
from simstudy.tables.files import read_table
from simstudy.tables.table import Table, check_names
from simstudy.tables.texts import text_of

if TYPE_CHECKING:
    import narwhals as nw


def as_table(data: Any) -> Table:
    """Return a table of what holds one.

    Args:
        data: a table, the path of a CSV or Parquet file, or a frame of any library that narwhals reads; lazy frames
            are collected. The named index of a pandas frame is a column.

    Raises:
        TableError: it is none of these, a file cannot be read, or two columns have one name.

    >>> as_table(pd.DataFrame({"school": ["a", "b"], "score": [1, 2]})).names
    ('school', 'score')
    """
    if isinstance(data, Table):
        return data
    if isinstance(data, str | Path):
        return read_table(data)
    if isinstance(data, pd.DataFrame):
        return _of_pandas(data)
    frame = _frame(data)
    if isinstance(frame, pa.Table):
        check_names(frame.column_names)
        return Table(dict(zip(frame.column_names, frame.columns, strict=True)), n_rows=frame.num_rows)
    if frame.implementation.is_pandas_like():
        return _of_pandas(frame.to_pandas())
    return Table({name: _of_series(frame[name]) for name in frame.columns}, n_rows=len(frame))


def _frame(data: Any) -> "pa.Table | nw.DataFrame[Any]":
    """Return the table of Arrow, or the frame of narwhals, that the data are."""
    if isinstance(data, pa.Table | pa.RecordBatch):
        return pa.table(data)
    import narwhals as nw  # slow, and of no use to a table of pandas or a file

    frame = nw.from_native(data, pass_through=True)
    if isinstance(frame, nw.LazyFrame):
        return frame.collect()
    if isinstance(frame, nw.DataFrame):
        return frame
    try:
        return pa.table(data)  # whatever speaks Arrow's PyCapsule interface, and dictionaries of columns
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise TableError(
            f"expected a table (a frame of pandas, Polars or Arrow, or the path of a file), got {type(data).__name__}"
        ) from error


def _of_series(series: Any) -> Column:
    import narwhals as nw

    if series.dtype == nw.Object:  # Polars hands their addresses to Arrow
        return _of_objects(series.to_list())
    try:
        return series.to_arrow()
    except Exception:  # whatever a library raises for a type that Arrow does not know, such as integers of 128 bits
        return _of_objects(series.to_list())


def _of_pandas(frame: pd.DataFrame) -> Table:
    columns = [(str(name), frame.iloc[:, i]) for i, name in enumerate(frame.columns)]
    for level, name in enumerate(frame.index.names):
        if name is not None and name not in frame.columns:
            columns.append((str(name), frame.index.get_level_values(level).to_series()))
    check_names([name for name, _ in columns])
    return Table({name: _of_pandas_series(series) for name, series in columns}, n_rows=len(frame))


def _of_pandas_series(series: pd.Series) -> Column:
    kind = series.dtype
    if isinstance(kind, pd.CategoricalDtype):
        categories = _of_pandas_series(series.cat.categories.to_series())
        if isinstance(categories, Unreadable):
            return categories
        codes = series.cat.codes.to_numpy().astype(np.int64)
        return pa.DictionaryArray.from_arrays(pa.array(codes, mask=codes < 0), categories)
    if isinstance(kind, pd.PeriodDtype | pd.IntervalDtype):
        return pa.array(series.astype(str).to_numpy(object), pa.large_string(), mask=series.isna().to_numpy())
    if isinstance(kind, pd.SparseDtype):
        series = pd.Series(np.asarray(series))
    if series.dtype == object:
        return _of_objects(series.to_numpy(object))
    try:
        return pa.array(series, from_pandas=True)
    except (pa.ArrowException, TypeError, ValueError):
        return Unreadable(f"values of type {kind}")


def _of_objects(values: Any) -> Column:
    """Return a column of Python values: texts where all of them have one, and what Arrow makes of them elsewhere."""
    try:
        return pa.array([None if _is_nothing(value) else text_of(value) for value in values], pa.large_string())
    except UnicodeError:
        return Unreadable("texts with half a character")
    except ValueError:
        return Unreadable("whole numbers of thousands of digits")
    except TypeError as error:
        what = str(error)
    try:
        return pa.array(values, from_pandas=True)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        return Unreadable(f"values of type {what}")


def _is_nothing(value: Any) -> bool:
    return value is None or value is pd.NA or value is pd.NaT
