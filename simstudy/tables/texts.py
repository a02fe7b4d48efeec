"""The fields of a column as texts: names are what was written, and each is held once."""

import math
import re
from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal
from typing import Any
from uuid import UUID

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from simstudy.tables.columns import Column, UnfitError, codes_of, in_time, is_text, one, readable, utf8

MOST_WHOLE = 2**63  # whole floats up to here have the text of the integer that they were


@dataclass(frozen=True)
class Texts:
    """The fields of a column as texts.

    Args:
        codes: (row,) int64, position in ``names``; -1 where there is nothing.
        names: object array of str, in the order of their first rows where the column is no dictionary.
    """

    codes: np.ndarray
    names: np.ndarray

    @property
    def is_empty(self) -> np.ndarray:
        """(row,) bool, nothing stands in the field, or an empty text."""
        return self.codes < 0

    @property
    def strings(self) -> np.ndarray:
        """(row,) object array of str, None where there is nothing; equal texts are one object."""
        padded = np.empty(len(self.names) + 1, dtype=object)
        padded[:-1] = self.names
        return padded[self.codes]


def texts(column: Column) -> Texts:
    """Return the fields of a column as texts.

    Whole numbers, whole floats among them, are their decimal text; dates and times their ISO text.

    Raises:
        UnfitError: its values are no names; the message says what they are.
    """
    array = readable(column)
    array = one(array if pt.is_dictionary(array.type) else array.dictionary_encode())
    written, inner = _strings_of(array.dictionary), codes_of(array)
    is_nothing = np.array([name is None for name in written], bool)
    codes = np.where(np.append(is_nothing, True)[inner], -1, inner)
    return Texts(codes=codes, names=np.where(is_nothing, "", written))


def text_of(value: Any) -> str | None:
    """Return the text of a Python value that stands for a name or a number, None for nothing.

    Raises:
        TypeError: it is neither.

    >>> text_of(3.0), text_of("03"), text_of(float("nan"))
    ('3', '03', None)
    """
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, str):
        return value or None
    if isinstance(value, float):
        if math.isnan(value):
            return None
        return str(int(value)) if value.is_integer() and abs(value) < MOST_WHOLE else repr(value)
    if isinstance(value, int | bool | Decimal | UUID):
        return str(value)
    if isinstance(value, date | time):
        return value.isoformat()
    raise TypeError(type(value).__name__)


def _strings_of(array: pa.Array) -> np.ndarray:
    """Return the values of an array as an object array of str, None where there is nothing."""
    kind = array.type
    if in_time(kind) == "durations":
        raise UnfitError("durations")
    strings = np.empty(len(array), dtype=object)
    if pt.is_timestamp(kind):
        strings[:] = _timestamps(array)
    else:
        values = utf8(array).to_pylist() if is_text(kind) else array.to_pylist()
        strings[:] = [_named(value) for value in values]
    return strings


def _named(value: Any) -> str | None:
    try:
        return text_of(value)
    except TypeError as error:
        raise UnfitError(f"values of type {error}") from error


def _timestamps(array: pa.Array) -> list[str | None]:
    """Return ISO texts: dates alone where every time is midnight, fractions of a second where there are any."""
    zone = array.type.tz
    local = pc.local_timestamp(array) if zone else array
    iso: list[str] = np.datetime_as_string(local.to_numpy(zero_copy_only=False)).tolist()
    offsets = pc.strftime(array, format="%z").to_pylist() if zone else [""] * len(iso)
    texts = [None if text == "NaT" else re.sub(r"\.0+$", "", text) for text in iso]
    if all(text is None or text.endswith("T00:00:00") for text in texts):
        return [text and text.partition("T")[0] for text in texts]
    return [text and text + offset for text, offset in zip(texts, offsets, strict=True)]
