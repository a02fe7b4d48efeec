"""Tables that come from outside: one reader of files and frames, whose fields stay what was written."""

from simstudy.tables.files import ENDINGS, parquet_table, read_file, read_table
from simstudy.tables.frames import as_table
from simstudy.tables.table import Table

__all__ = ["ENDINGS", "Table", "as_table", "parquet_table", "read_file", "read_table"]
