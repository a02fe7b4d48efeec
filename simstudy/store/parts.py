"""Columns in, Parquet bytes out: one part of a table, under the explicit schema of that table."""

import io
import json
import math
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from simstudy.errors import TableError, suggestion
from simstudy.store.schema import LABEL

# A mapping, a pandas frame or an Arrow table; Arrow has no types that a checker could read.
Columns = Any

# On estimates of float32 draws: 5 % smaller than level 1 in the same time; level 9 takes thrice as long for nothing.
COMPRESSION_LEVEL = 3


def as_table(columns: Columns, schema: pa.Schema) -> pa.Table:
    """Return columns as an Arrow table of exactly a schema.

    Args:
        columns: name -> (row,) array, list, pandas or Arrow column, or one value that holds in every row. NaN, None
            and masked entries are null; a column that is not given is all null.
        schema: names and types of the table.

    Raises:
        TableError: A column that the schema lacks, of another length, or whose values its type cannot hold.

    >>> schema = pa.schema([("method", LABEL), ("rank", pa.int64()), ("mean", pa.float64())])
    >>> as_table({"method": "none", "rank": np.array([3.0, np.nan])}, schema).to_pylist()
    [{'method': 'none', 'rank': 3, 'mean': None}, {'method': 'none', 'rank': None, 'mean': None}]
    """
    given = by_name(columns)
    if unknown := sorted(set(given) - set(schema.names)):
        raise TableError(f"no column '{unknown[0]}' in this table{suggestion(unknown[0], schema.names)}")
    lengths = {name: len(values) for name, values in given.items() if not _is_single(values)}
    n_rows = max(lengths.values(), default=1)
    if wrong := [name for name, length in lengths.items() if length != n_rows]:
        raise TableError(f"column '{wrong[0]}' has {lengths[wrong[0]]} rows, others have {n_rows}")
    return pa.Table.from_arrays([_array(given.get(f.name), f, n_rows=n_rows) for f in schema], schema=schema)


def by_name(columns: Columns) -> dict[str, Any]:
    """Return the columns of a mapping, a pandas frame or an Arrow table by name."""
    names = columns.column_names if isinstance(columns, pa.Table) else list(columns)
    return {name: columns[name] for name in names}


def _is_single(values: Any) -> bool:
    return values is None or isinstance(values, str) or not hasattr(values, "__len__")


def _array(values: Any, field: pa.Field, *, n_rows: int) -> pa.Array:
    try:
        if _is_single(values):
            return _repeated(values, field.type, n_rows=n_rows)
        array = _arrow(values)
        return array.cast(pa.string()).dictionary_encode() if field.type == LABEL else array.cast(field.type)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
        raise TableError(f"column '{field.name}' cannot be {field.type}: {error}") from None


def _arrow(values: Any) -> pa.Array:
    if isinstance(values, pa.ChunkedArray):
        return values.combine_chunks()
    if isinstance(values, np.ma.MaskedArray):
        return pa.array(values.data, mask=np.ma.getmaskarray(values))
    return values if isinstance(values, pa.Array) else pa.array(values, from_pandas=True)


def _repeated(value: Any, kind: pa.DataType, *, n_rows: int) -> pa.Array:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return pa.nulls(n_rows, kind)
    if kind != LABEL:
        return pa.repeat(pa.scalar(value, kind), n_rows)
    return pa.DictionaryArray.from_arrays(pa.repeat(pa.scalar(0, pa.int32()), n_rows), pa.array([value], pa.string()))


def encode(table: pa.Table) -> bytes:
    """Return a table as the bytes of a Parquet file: labels and texts by dictionary, floats as split bytes."""
    floats = [field.name for field in table.schema if pa.types.is_floating(field.type)]
    others = [name for name in table.column_names if name not in floats]
    sink = io.BytesIO()
    pq.write_table(
        table,
        sink,
        compression="zstd",
        compression_level=COMPRESSION_LEVEL,
        use_dictionary=others or False,
        use_byte_stream_split=floats or False,
    )
    return sink.getvalue()


def decode(content: bytes, *, columns: list[str] | None = None) -> pa.Table:
    """Return the table of the bytes of a Parquet file, or some columns of it."""
    return pq.ParquetFile(pa.BufferReader(content)).read(columns=columns)


def factor_table(frame: pd.DataFrame, *, fixed: tuple[str, ...]) -> pa.Table:
    """Return a table of scenarios or methods, whose columns depend on the study, with types from its values.

    Args:
        frame: one row per scenario or method, in the order of the study.
        fixed: columns that are text whatever they hold.

    Returns:
        Columns of finite or missing numbers as float64, all others as text: lists and tables as JSON, null as null.

    >>> frame = pd.DataFrame({"scenario": ["a", "b"], "tau": [0, 0.5], "sizes": [[3, 5], None]})
    >>> factor_table(frame, fixed=("scenario",)).to_pylist()
    [{'scenario': 'a', 'tau': 0.0, 'sizes': '[3, 5]'}, {'scenario': 'b', 'tau': 0.5, 'sizes': None}]
    """
    if missing := sorted(set(fixed) - set(frame.columns)):
        raise TableError(f"the table of {fixed[0]}s needs the column '{missing[0]}'")
    return pa.table({str(name): _factor(list(frame[name]), text=name in fixed) for name in frame.columns})


def _factor(values: list[Any], *, text: bool) -> pa.Array:
    plain = [None if _is_missing(value) else value for value in values]
    if not text and all(value is None or _is_number(value) for value in plain):
        return pa.array([None if value is None else float(value) for value in plain], pa.float64())
    return pa.array([None if value is None else _text(value) for value in plain], pa.string())


def _is_missing(value: Any) -> bool:
    return value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value))


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool | np.bool_)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=_plain)


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else str(value)
