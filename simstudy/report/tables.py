"""Tables of a report: what a cell shows, what it sorts by, and what the downloaded CSV holds.

A cell shows a rounded number with its MCSE; the CSV has every number in full.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import pandas as pd

from simstudy.report.reading.wording import MINUS, MOST_DECIMALS, SMALL, number, with_mcse
from simstudy.store.csv_text import to_csv

ROWS_SHOWN = 240
_SLUG = re.compile(r"[^a-z0-9]+")
_GREEK = re.compile("[\u0370-\u03ff]")


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column as it is shown.

    Args:
        head: its heading.
        source: the column of the frame that it shows and sorts by.
        mcse: the column with its MCSE, or None.
        ends: the columns with the ends of an interval, or None.
        percent: whether a share is shown in percent.
        scale: what a number and its MCSE are multiplied by where they are shown, as 1,000 for rates per 1,000.
        decimals: how many are shown without an MCSE, of the ends too, or None for three significant digits.
        sd: the column with the standard deviation of what is shown, two digits of which are seen where it has no MCSE;
            ``decimals`` are the fewest then.
    """

    head: str
    source: str
    mcse: str | None = None
    ends: tuple[str, str] | None = None
    percent: bool = False
    scale: float = 1.0
    decimals: int | None = None
    sd: str | None = None


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One cell: its text and what it sorts by."""

    text: str
    key: str
    is_number: bool


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table of a report.

    Args:
        title: what it holds.
        frame: its data, numbers in full; the CSV is all of it.
        columns: what is shown of it.
        note: what a reader must know, or nothing.
        first: how many rows are shown; the CSV has all.
        open_up_to: with more rows than these it is folded away at first.
        prefix: of its name, where a page shows several runs.
    """

    title: str
    frame: pd.DataFrame
    columns: Sequence[Column]
    note: str = ""
    first: int = ROWS_SHOWN
    open_up_to: int = 12
    prefix: str = ""

    @property
    def name(self) -> str:
        """The title as a file name and id."""
        return self.prefix + slug(self.title)

    @property
    def csv(self) -> str:
        """The whole frame as CSV text."""
        return to_csv(self.frame)

    @property
    def n_rows(self) -> int:
        """Number of rows, shown or not."""
        return len(self.frame)

    @cached_property
    def rows(self) -> list[list[Cell]]:
        """The shown cells, row by row."""
        records = self.frame.head(self.first).to_dict("records")
        return [[_cell(record, column) for column in self.columns] for record in records]

    def without_empty(self) -> Table:
        """Return the table without the columns in which no row has anything."""
        return replace(self, columns=[c for c in self.columns if self.frame[c.source].notna().any()])


def slug(text: str) -> str:
    """Return a text as an id.

    >>> slug("Recovery of τ, by method")
    'recovery-of-tau-by-method'
    """
    return _SLUG.sub("-", _GREEK.sub(_named, text).lower()).strip("-")


def _named(letter: re.Match[str]) -> str:
    return unicodedata.name(letter.group()).split()[-1] if letter.group().isalpha() else ""


def _cell(record: Mapping[Any, Any], column: Column) -> Cell:
    value = record[column.source]
    if value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and value != value):
        return Cell(text="–", key="", is_number=False)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return Cell(text=str(value), key=str(value), is_number=False)
    return Cell(text=_number_text(record, column, value), key=f"{value:.9g}", is_number=True)


def _number_text(record: Mapping[Any, Any], column: Column, value: float) -> str:
    if isinstance(value, int):
        return f"{value:,}".replace("-", MINUS)
    mcse = record[column.mcse] if column.mcse else float("nan")
    if column.sd and record[column.sd] > 0 and not mcse > 0:
        return _beside_sd(value, float(record[column.sd]), fewest=column.decimals or 0)
    if column.decimals is not None and not mcse > 0:
        plain, *between = [f"{one:,.{column.decimals}f}".replace("-", MINUS) for one in (value, *_ends(record, column))]
        return f"{plain} [{', '.join(between)}]" if between else plain
    text = with_mcse(float(value) * column.scale, float(mcse) * column.scale, percent=column.percent)
    if ends := _ends(record, column):
        scale = 100 if column.percent else 1
        text += f" [{', '.join(number(end * scale) for end in ends)}]"
    return text


def _ends(record: Mapping[Any, Any], column: Column) -> list[float]:
    """Return the ends of the interval of a cell; nothing where one is unknown."""
    ends = [float(record[end]) for end in column.ends or ()]
    return ends if all(end == end for end in ends) else []


def _beside_sd(value: float, sd: float, *, fewest: int) -> str:
    """Return a number to the second digit of its standard deviation, as 3e−07 where that is very small.

    >>> _beside_sd(500.123, 12.0, fewest=2), _beside_sd(1e6 + 0.12345, 0.0123, fewest=2)
    ('500.12', '1,000,000.123')
    """
    decimals = 1 - math.floor(math.log10(sd))
    if decimals > MOST_DECIMALS and abs(value) < SMALL:
        return number(value)
    return f"{value:,.{max(decimals, fewest)}f}".replace("-", MINUS)
