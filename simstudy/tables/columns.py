"""Arrow columns as they come from files and frames: which kinds there are, and one form for each.

What a column holds decides what it can be asked for; a refusal says in a word what that is.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from simstudy.errors import TableError

Array: TypeAlias = pa.Array | pa.ChunkedArray


class UnfitError(TableError):
    """A column that cannot be what is asked of it; the text says what it holds."""


@dataclass(frozen=True)
class Unreadable:
    """A column of a frame that Arrow cannot hold; ``what`` says what is in it."""

    what: str


Column: TypeAlias = Array | Unreadable


def readable(column: Column) -> Array:
    """Return a column as plain or dictionary-encoded values.

    Raises:
        UnfitError: it cannot be read, or holds lists, structs or maps.
    """
    if isinstance(column, Unreadable):
        raise UnfitError(column.what)
    if isinstance(column.type, pa.BaseExtensionType):
        column = _storage(column)
    if pt.is_run_end_encoded(column.type):
        column = pc.run_end_decode(column)
    if what := _nested(column.type):
        raise UnfitError(what)
    return column


def one(array: Array) -> pa.DictionaryArray:
    """Return a dictionary-encoded column as one array."""
    if not isinstance(array, pa.ChunkedArray):
        return array
    array = array.unify_dictionaries()
    return pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], array.type)


def codes_of(array: pa.DictionaryArray) -> np.ndarray:
    """Return (row,) int64, the positions in the dictionary, -1 where there is nothing."""
    return pc.fill_null(pc.cast(array.indices, pa.int64()), -1).to_numpy(zero_copy_only=False)


def utf8(array: Array) -> Array:
    """Return texts, or bytes that are texts, as one type.

    Raises:
        UnfitError: bytes are no text.
    """
    try:
        return pc.cast(array, pa.large_string())
    except pa.ArrowInvalid as error:
        raise UnfitError("bytes that are no UTF-8 text") from error


def is_text(kind: pa.DataType) -> bool:
    """Return whether values are texts or bytes."""
    binary = pt.is_binary(kind) or pt.is_large_binary(kind) or pt.is_binary_view(kind) or pt.is_fixed_size_binary(kind)
    return binary or pt.is_string(kind) or pt.is_large_string(kind) or pt.is_string_view(kind)


def in_time(kind: pa.DataType) -> str:
    """Return ``dates``, ``times`` or ``durations`` for what is one, else an empty text."""
    if pt.is_date(kind) or pt.is_timestamp(kind):
        return "dates"
    return "durations" if pt.is_duration(kind) or pt.is_interval(kind) else "times" if pt.is_time(kind) else ""


def _nested(kind: pa.DataType) -> str:
    if pt.is_dictionary(kind):
        return _nested(kind.value_type)
    if pt.is_map(kind):
        return "maps"
    if pt.is_struct(kind) or pt.is_union(kind):
        return "structs"
    lists = pt.is_list(kind) or pt.is_large_list(kind) or pt.is_fixed_size_list(kind)
    return "lists" if lists or pt.is_list_view(kind) or pt.is_large_list_view(kind) else ""


def _storage(column: Array) -> Array:
    if not isinstance(column, pa.ChunkedArray):
        return column.storage
    return pa.chunked_array([chunk.storage for chunk in column.chunks], column.type.storage_type)
