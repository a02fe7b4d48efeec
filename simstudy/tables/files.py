"""Files of tables, CSV and Parquet, with bounds on what they may ask of the machine.

Every field of a CSV file is its text, by RFC 4180 (comma, double quotes, UTF-8): nothing is guessed of a column, and a
row that does not have the header's fields is refused, since its values would stand in other columns.
"""

import csv
import io
import os
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq

from simstudy.errors import TableError, printable
from simstudy.store.incoming import open_file
from simstudy.tables.table import Table, check_names

MOST_VALUES = 200_000_000  # of all columns together: 1.6 GB of numbers
MOST_BYTES = 4_000_000_000  # of a file, uncompressed
FIELDS_AT_ONCE = 1_000_000  # that are Python texts at the same time
HEAD = 4096  # bytes, enough to tell UTF-16
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
ARCHIVES = (b"PK\x03\x04", b"\x1f\x8b", b"PAR1")  # spreadsheets and ZIP, gzip, Parquet
OTHER_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}
TEXTS = (pa.string(), pa.large_string(), pa.binary(), pa.large_binary())
INDEX = "__index_level_"  # pandas stores an index without a name as a column


def read_table(path: str | Path) -> Table:
    """Return the table of a CSV or Parquet file, by how its name ends.

    Raises:
        TableError: there is no such file, its name ends otherwise, or it cannot be read as what its name says.
    """
    try:
        return read_file(Path(path))
    except TableError as error:
        raise TableError(f"{printable(str(path))}: {error}") from error


def read_file(path: Path) -> Table:
    """Return the table of a file, as ``read_table`` does.

    Raises:
        TableError: why there is none, without the file's name.
    """
    read = READERS.get(path.suffix.lower())
    if read is None:
        ending = printable(path.suffix) or "no ending"
        raise TableError(f"expected a file ending in {' or '.join(READERS)}, got {ending}")
    try:
        with open_file(path) as file:
            _check_bytes(os.fstat(file.fileno()).st_size)
            return read(file)
    except FileNotFoundError:
        raise TableError("no such file") from None
    except TableError:
        raise
    except MemoryError as error:
        raise TableError("it needs more memory than there is; leave out rows or columns") from error
    except (OSError, ValueError, TypeError, LookupError, OverflowError, RecursionError, pa.ArrowException) as error:
        if why := getattr(error, "strerror", None):
            raise TableError(printable(why)) from error
        raise TableError(f"it is no readable {NAMES[path.suffix.lower()]}: {printable(_first_line(error))}") from error


def parquet_table(content: bytes) -> Table:
    """Return the table of the bytes of a Parquet file.

    Raises:
        TableError: why it cannot be read.
    """
    try:
        return _read_parquet(io.BytesIO(content))
    except MemoryError as error:
        raise TableError("it needs more memory than there is") from error
    except (OSError, ValueError, TypeError, LookupError, OverflowError, RecursionError, pa.ArrowException) as error:
        raise TableError(f"it is no readable {NAMES['.parquet']}: {printable(_first_line(error))}") from error


def _read_csv(file: IO[bytes]) -> Table:
    _check_encoding(file.read(HEAD))
    file.seek(0)
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    rows = csv.reader(text, strict=True)
    try:
        return _table_of(rows, lambda: rows.line_num)
    except csv.Error as error:
        raise TableError(f"line {rows.line_num} cannot be read: {_first_line(error)}; check its quotes") from error
    except UnicodeDecodeError as error:
        byte, line = error.object[error.start], _line_of_no_text(file)
        raise TableError(f"it is not UTF-8 text (byte 0x{byte:02x} in line {line}); save it as CSV in UTF-8") from error
    finally:
        text.detach()  # the file is the caller's to close


def _check_encoding(head: bytes) -> None:
    """Refuse a file that is no text, and text of two bytes a letter, by its first bytes."""
    zeros = [head[first::2].count(0) for first in (0, 1)]
    if head.startswith(UTF_16) or max(zeros) > len(head) / 4:
        raise TableError("it is not UTF-8 text, but seems to be UTF-16; save it as CSV in UTF-8")
    if any(zeros) or head.startswith(ARCHIVES):
        raise TableError("it is no text, but a spreadsheet, an archive or the like; save it as CSV in UTF-8")


def _line_of_no_text(file: IO[bytes]) -> int:
    """Return the number of the first line that is no UTF-8 text."""
    file.seek(0)
    return next((number for number, line in enumerate(file, start=1) if not _is_text(line)), 1)


def _is_text(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _table_of(rows: Iterator[list[str]], lines_read: Callable[[], int]) -> Table:
    header = next(filter(None, rows), None)
    first_line = lines_read() + 1
    if header is None:
        raise TableError("it is empty; expected a header and rows")
    _check_separator(header)
    check_names([name for name in header if name])
    n_rows = 0
    chunks: list[list[pa.Array]] = []
    for chunk in _chunks(rows, len(header)):
        n_rows += len(chunk)
        _check_values(n_rows * len(header))
        chunks.append([pa.array(field, pa.large_string()) for field in zip(*chunk, strict=True)])
    columns = {
        name: pa.chunked_array([chunk[i] for chunk in chunks], pa.large_string())
        for i, name in enumerate(header)
        if name  # an unnamed column, such as the row numbers that R writes, cannot be asked for
    }
    # Empty lines, and fields of several, would put rows on other lines.
    return Table(columns, n_rows=n_rows, first_line=first_line if lines_read() == first_line + n_rows - 1 else None)


def _chunks(rows: Iterator[list[str]], n_fields: int) -> Iterator[list[list[str]]]:
    """Yield lists of rows that have the header's fields; empty lines are none."""
    n_rows = 0
    filled = filter(None, rows)
    while chunk := list(islice(filled, max(1, FIELDS_AT_ONCE // n_fields))):
        for i, row in enumerate(chunk):
            if len(row) != n_fields:
                hint = "; a field with a comma needs quotes, a number a decimal point" if len(row) > n_fields else ""
                raise TableError(
                    f"row {n_rows + i + 1} below the header has {_fields(len(row))}, it has {n_fields}{hint}"
                )
        n_rows += len(chunk)
        yield chunk


def _fields(n: int) -> str:
    return f"{n} field{'' if n == 1 else 's'}"


def _check_separator(header: list[str]) -> None:
    """Refuse a file whose header falls into more fields at another separator."""
    buffer = io.StringIO()
    csv.writer(buffer).writerow(header)
    for separator, words in OTHER_SEPARATORS.items():
        if len(next(csv.reader([buffer.getvalue()], delimiter=separator))) > len(header):
            raise TableError(
                f"it seems to be separated by {words}; write it with commas, and numbers with decimal points"
            )


def _read_parquet(file: IO[bytes]) -> Table:
    metadata = pq.read_metadata(file)
    _check_size(metadata)
    schema = metadata.schema.to_arrow_schema()
    names = [name for name in schema.names if not name.startswith(INDEX)]
    check_names(names)
    # Texts stay in their dictionary, since a page of a few bytes can repeat a long one a million times.
    texts = [field.name for field in schema if field.type in TEXTS]
    file.seek(0)
    table = pq.ParquetFile(file, read_dictionary=texts).read(columns=names)
    return Table({name: table[name] for name in names}, n_rows=table.num_rows)


def _check_size(metadata: pq.FileMetaData) -> None:
    groups = [metadata.row_group(i) for i in range(metadata.num_row_groups)]
    chunks = [group.column(i) for group in groups for i in range(group.num_columns)]
    _check_values(max(sum(chunk.num_values for chunk in chunks), metadata.num_rows * metadata.num_columns))
    _check_bytes(sum(chunk.total_uncompressed_size for chunk in chunks))


def _check_values(n_values: int) -> None:
    if n_values > MOST_VALUES:
        raise TableError(f"it has {n_values:,} values, more than {MOST_VALUES:,}; leave out rows or columns")


def _check_bytes(n_bytes: int) -> None:
    if n_bytes > MOST_BYTES:
        raise TableError(f"it has {n_bytes:,} bytes uncompressed, more than {MOST_BYTES:,}; leave out rows or columns")


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__


READERS: dict[str, Callable[[IO[bytes]], Table]] = {".csv": _read_csv, ".parquet": _read_parquet}
NAMES = {".csv": "CSV file", ".parquet": "Parquet file"}
ENDINGS = tuple(READERS)
