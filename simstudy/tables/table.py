"""A table as it was written: labels are texts, numbers are numbers, and nothing is guessed of a column.

What a column holds is decided when it is asked for: as labels (keys, names) or as numbers. Every refusal names the
option that asked, the column, the row from 1, what came and what is expected.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import numpy as np
import pyarrow as pa

from simstudy.errors import TableError, named, printable, shown, suggestion
from simstudy.tables.columns import Column, UnfitError
from simstudy.tables.numbers import numbers, said
from simstudy.tables.texts import texts

MOST_LISTED = 30
Read = TypeVar("Read")


class Table:
    """Columns of one length, by name.

    Args:
        columns: name -> Arrow column; names are unique.
        n_rows: number of rows.
        first_line: of a file, the line of the first row where each row is a line; None where they are not.

    >>> import pyarrow as pa
    >>> table = Table({"school": pa.array(["01", "1"]), "score": pa.array(["2.5", ""])}, n_rows=2)
    >>> table.labels("group", "school").tolist()
    ['01', '1']
    >>> table.numbers("value", "score", may_be_empty=True).tolist()
    [2.5, nan]
    """

    def __init__(self, columns: Mapping[str, Column], *, n_rows: int, first_line: int | None = None) -> None:
        self._columns = dict(columns)
        self.n_rows = n_rows
        self.first_line = first_line

    @property
    def names(self) -> tuple[str, ...]:
        """The columns, in order."""
        return tuple(self._columns)

    def row_words(self, row: int) -> str:
        """Return a row as messages say it, with the line that an editor shows.

        >>> Table({}, n_rows=3, first_line=2).row_words(0), Table({}, n_rows=3).row_words(0)
        ('row 1 of 3 (line 2)', 'row 1 of 3')
        """
        line = "" if self.first_line is None else f" (line {self.first_line + row})"
        return f"row {row + 1} of {self.n_rows}{line}"

    def labels(self, option: str, column: str) -> np.ndarray:
        """Return (row,) object array of str: the names in a column, as written.

        Whole numbers are their decimal text, dates their ISO text.

        Args:
            option: what asks for the column, as messages name it.
            column: its name.

        Raises:
            TableError: no such column, an empty field, or a column of lists, tables or durations.
        """
        read = self._read(option, column, texts, "names")
        if read.is_empty.any():
            row = int(np.argmax(read.is_empty))
            raise TableError(
                f"{option}: expected a name in each row of column {column!r}, got nothing in "
                f"{self.row_words(row)}; fill it in, or leave the row out"
            )
        return read.strings

    def numbers(
        self, option: str, column: str, *, may_be_empty: bool = False, may_be_infinite: bool = False
    ) -> np.ndarray:
        """Return (row,) float64: the numbers in a column.

        Args:
            option: what asks for the column, as messages name it.
            column: its name.
            may_be_empty: whether a field may be empty, which is NaN; the texts NA and NaN are then empty too.
            may_be_infinite: whether infinite numbers are numbers.

        Raises:
            TableError: no such column, a field that is no number, or a column of dates, truth values, lists, tables.
        """
        read = self._read(option, column, numbers, "numbers")
        wrong = read.wrong(may_be_empty=may_be_empty, may_be_infinite=may_be_infinite)
        if wrong.any():
            row = int(np.argmax(wrong))
            came = said(self._columns[column], row)
            todo = "; fill it in, or leave the row out" if read.is_empty[row] or read.is_missing[row] else ""
            raise TableError(
                f"{option}: expected numbers in column {column!r}, got {came} in {self.row_words(row)}{todo}"
            )
        return read.values

    def _read(self, option: str, column: str, read: Callable[[Column], Read], expected: str) -> Read:
        found = self.column(option, column)
        try:
            return read(found)
        except UnfitError as error:
            raise TableError(f"{option}: expected {expected} in column {column!r}, got {error}") from error
        except pa.ArrowException as error:  # a time zone that the machine does not know, bytes that are damaged
            why = printable(str(error).partition("\n")[0])
            raise TableError(f"{option}: column {column!r} cannot be read: {why}") from error

    def is_whole(self, column: str) -> bool:
        """Return whether every number of a column is written as a whole one: 28, not 28.0."""
        return bool(numbers(self._columns[column]).is_whole.all())

    def column(self, option: str, column: str) -> Column:
        """Return a column as it came.

        Raises:
            TableError: there is none of that name; the message lists those that there are.
        """
        if column not in self._columns:
            near = suggestion(column, self.names)
            raise TableError(f"{option}: no column {column!r} in the table, which has {listed(self.names)}{near}")
        return self._columns[column]


def listed(names: Sequence[str]) -> str:
    """Return names of columns as a message lists them.

    >>> listed(["a", "b"]), listed([])
    ('a, b', 'no columns')
    """
    return ", ".join(map(named, names[:MOST_LISTED])) + (", ..." if len(names) > MOST_LISTED else "") or "no columns"


def check_names(names: Sequence[str]) -> None:
    """Refuse names that stand twice.

    Raises:
        TableError: two columns have one name, or no column has any.
    """
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise TableError(f"two columns are called {shown(name)}; rename one")
        seen.add(name)
    if not seen:
        raise TableError("no column has a name; expected a header")
