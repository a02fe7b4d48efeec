"""The fields of a column as numbers: what is one, what is nothing, and what a message says of the rest."""

import math
import re
from dataclasses import dataclass, fields

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from simstudy.errors import shown
from simstudy.tables.columns import Array, Column, UnfitError, codes_of, in_time, is_text, one, readable, utf8

NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
INFINITE = r"(?i)^[+-]?inf(inity)?$"
MISSING = r"(?i)^(na|nan)$"  # what R, pandas and NumPy write for a number that is not there
DECIMAL_COMMA = re.compile(r"\s*[+-]?[\d.,]*\d,\d+\s*")
MINUS = "\N{MINUS SIGN}"


@dataclass(frozen=True)
class Numbers:
    """The fields of a column as numbers.

    Args:
        values: (row,) float64, NaN where there is no number.
        is_empty: (row,) bool, nothing stands there.
        is_missing: (row,) bool, a text stands there that says so: NA or NaN.
        is_infinite: (row,) bool, an infinite number stands there, as such.
        is_whole: (row,) bool, the number is written as a whole one: 28, not 28.0.
    """

    values: np.ndarray
    is_empty: np.ndarray
    is_missing: np.ndarray
    is_infinite: np.ndarray
    is_whole: np.ndarray

    def wrong(self, *, may_be_empty: bool, may_be_infinite: bool) -> np.ndarray:
        """Return (row,) bool: the field is not what it may be."""
        allowed = np.isfinite(self.values)
        if may_be_empty:
            allowed |= self.is_empty | self.is_missing
        if may_be_infinite:
            allowed |= self.is_infinite
        return ~allowed

    def take(self, codes: np.ndarray) -> "Numbers":
        """Return the numbers at the positions, nothing at -1."""
        none = Numbers(np.array([np.nan]), *(np.array([flag]) for flag in (True, False, False, False)))
        parts = [(getattr(self, field.name), getattr(none, field.name)) for field in fields(self)]
        return Numbers(*(np.concatenate(pair)[codes] for pair in parts))


def numbers(column: Column) -> Numbers:
    """Return the fields of a column as numbers.

    Raises:
        UnfitError: its type is none of numbers; the message says what it holds.
    """
    array = readable(column)
    if pt.is_dictionary(array.type):
        array = one(array)
        return numbers(array.dictionary).take(codes_of(array))
    kind = array.type
    if what := in_time(kind) or ("truth values" if pt.is_boolean(kind) else ""):
        raise UnfitError(what)
    if is_text(kind):
        return _numbers_of_texts(utf8(array))
    if not (pt.is_integer(kind) or pt.is_floating(kind) or pt.is_decimal(kind) or pt.is_null(kind)):
        raise UnfitError(f"values of type {kind}")
    values = _floats(pc.cast(array, pa.float64(), safe=False))
    none = np.zeros(len(values), bool)
    is_whole = ~none if pt.is_integer(kind) and not array.null_count else none
    return Numbers(values, np.isnan(values), none, np.isinf(values), is_whole)


def _numbers_of_texts(array: Array) -> Numbers:
    trimmed = pc.ascii_trim_whitespace(array)
    is_number, is_infinite, is_missing = (
        _mask(pc.match_substring_regex(trimmed, pattern)) for pattern in (NUMBER, INFINITE, MISSING)
    )
    read = pc.cast(pc.if_else(pa.array(is_number | is_infinite), trimmed, None), pa.float64())
    is_empty = _mask(pc.equal(array, "")) | _mask(pc.is_null(array))
    is_whole = _mask(pc.match_substring_regex(trimmed, r"^[+-]?[0-9]+$"))
    return Numbers(_floats(read), is_empty, is_missing, is_infinite, is_whole)


def said(column: Column, row: int) -> str:
    """Return a field that is no number as a message says it, and what to do where a person would read it as one."""
    value = readable(column)[row].as_py()
    if value is None or value == "" or value != value:
        return "nothing"
    text = str(value)
    if DECIMAL_COMMA.fullmatch(text):
        return f"{shown(value)} (a number has a decimal point and no other signs: 1234.5)"
    if MINUS in text:
        return f"{shown(value)} (the minus sign of a number is -)"
    return "a number beyond the largest" if re.match(NUMBER, text.strip()) else shown(value)


def _floats(array: Array) -> np.ndarray:
    """Return (row,) float64 that may be written to, NaN where there is nothing."""
    return np.array(pc.fill_null(array, math.nan).to_numpy(zero_copy_only=False), dtype=float)


def _mask(array: Array) -> np.ndarray:
    return pc.fill_null(array, fill_value=False).to_numpy(zero_copy_only=False).astype(bool)
