"""Files that come from outside: regular ones alone, and tables of a size that is known before they are read.

A FIFO or a device would hold a command up for good, and a small Parquet file can ask for any amount of memory. Leaves
to others where a file may lie and what its columns have to be.
"""

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import IO

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from simstudy.errors import TableError, printable

MOST_VALUES = 200_000_000  # of all columns together: 1.6 GB of numbers
TEXTS = (pa.string(), pa.large_string(), pa.binary(), pa.large_binary())
MOST_BYTES = 4_000_000_000  # of a Parquet file, uncompressed


def open_file(path: Path) -> IO[bytes]:
    """Open a regular file to read it.

    Raises:
        OSError: there is none, it may not be read, or it is something else; ``strerror`` says what.
    """
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags)
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode):
        return os.fdopen(descriptor, "rb")
    os.close(descriptor)
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    raise OSError(errno.EINVAL, "expected a file, got a pipe or a device; write its content to a file", str(path))


def read_rows(path: Path) -> pd.DataFrame:
    """Return the table of a CSV or Parquet file, by how its name ends.

    Raises:
        TableError: why it cannot be read, without its name.
    """
    try:
        with open_file(path) as file:
            _check_bytes(os.fstat(file.fileno()).st_size)
            return READERS[path.suffix](file)
    except OSError as error:
        raise TableError(printable(error.strerror or _first_line(error))) from error
    except MemoryError as error:
        raise TableError("it needs more memory than there is; leave out rows or columns") from error
    except (ValueError, TypeError, LookupError, OverflowError, RecursionError, pa.ArrowException) as error:
        raise TableError(printable(_first_line(error))) from error


def _read_csv(file: IO[bytes]) -> pd.DataFrame:
    return pd.read_csv(file)


def _read_parquet(file: IO[bytes]) -> pd.DataFrame:
    metadata = pq.read_metadata(file)
    _check_size(metadata)
    # Texts stay in their dictionary, since a page of a few bytes can repeat a long one a million times.
    texts = [field.name for field in metadata.schema.to_arrow_schema() if field.type in TEXTS]
    file.seek(0)
    table = pd.read_parquet(file, read_dictionary=texts)
    return table.astype(dict.fromkeys((name for name in texts if name in table.columns), object))


def _check_size(metadata: pq.FileMetaData) -> None:
    groups = [metadata.row_group(i) for i in range(metadata.num_row_groups)]
    chunks = [group.column(i) for group in groups for i in range(group.num_columns)]
    n_values = max(sum(chunk.num_values for chunk in chunks), metadata.num_rows * metadata.num_columns)
    if n_values > MOST_VALUES:
        raise TableError(f"it has {n_values:,} values, more than {MOST_VALUES:,}; leave out rows or columns")
    _check_bytes(sum(chunk.total_uncompressed_size for chunk in chunks))


def _check_bytes(n_bytes: int) -> None:
    if n_bytes > MOST_BYTES:
        raise TableError(f"it has {n_bytes:,} bytes uncompressed, more than {MOST_BYTES:,}; leave out rows or columns")


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__


READERS: dict[str, Callable[[IO[bytes]], pd.DataFrame]] = {".csv": _read_csv, ".parquet": _read_parquet}
