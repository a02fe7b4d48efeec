"""CSV and Parquet files: what is read is what was written, and what cannot be read is said."""

import csv
import gzip
import time

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simstudy.errors import TableError
from simstudy.tables import files, parquet_table, read_table

MANY = 600_000
SECONDS = 20  # 2.5 on an idle core


def table_of(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_table(path)


def fields(table):
    return {name: table.column("x", name).to_pylist() for name in table.names}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("a,b\n1,x\n", {"a": ["1"], "b": ["x"]}),
        ("a,b\n1,x", {"a": ["1"], "b": ["x"]}),
        ("\ufeffa,b\r\n1,x\r\n", {"a": ["1"], "b": ["x"]}),
        ("a,b\r1,x\r", {"a": ["1"], "b": ["x"]}),
        ('a,b\n1,"x\ny"\n2,z\n', {"a": ["1", "2"], "b": ["x\ny", "z"]}),
        ('a,b\n1,"say ""no"", twice"\n', {"a": ["1"], "b": ['say "no", twice']}),
        ("\n\na,b\n\n1,x\n\n", {"a": ["1"], "b": ["x"]}),
        ("a,b\n", {"a": [], "b": []}),
        ('"","a"\n"1","x"\n', {"a": ["x"]}),
        ("a,b,,\n1,x,,\n", {"a": ["1"], "b": ["x"]}),
        ("a,b\n 1 ,NA\n", {"a": [" 1 "], "b": ["NA"]}),
        ("x;y,a\n1,2\n", {"x;y": ["1"], "a": ["2"]}),
    ],
)
def test_csv_is_read_as_text(tmp_path, content, expected):
    """Ends of lines, marks, quotes, empty lines and unnamed columns are read by RFC 4180, fields as their text."""
    assert fields(table_of(tmp_path / "t.csv", content)) == expected


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "it is empty; expected a header and rows"),
        ("\n\n", "it is empty"),
        ("a,a\n1,2\n", "two columns are called 'a'; rename one"),
        (",\n1,2\n", "no column has a name"),
        ("a,b\n1,2\n1,2,3\n", "row 2 below the header has 3 fields, it has 2"),
        ("a,b\n1,5,2\n", "a number a decimal point"),
        ("a,b\n\n1,2\n1\n", "row 2 below the header has 1 field, it has 2"),
        ("a;b\n1,5;2\n", "separated by semicolons; write it with commas, and numbers with decimal points"),
        ("a\tb\n1\t2\n", "separated by tabs"),
        ("a|b\n1|2\n", "separated by vertical bars"),
        ('a,b\n1,"2\n', "line 2 cannot be read"),
        ('a,b\n1,"2"x\n', "check its quotes"),
        ("a,b\n1,2\n".encode("utf-16"), "UTF-16; save it as CSV in UTF-8"),
        ("a,b\n1,2\n".encode("utf-16-le"), "UTF-16"),
        (gzip.compress(b"a,b\n1,2\n", mtime=0), "a spreadsheet, an archive or the like"),
        (b"PK\x03\x04 and the rest", "a spreadsheet, an archive or the like"),
        (b"a,b\n1,\0\n" + b"1,2\n" * 99, "a spreadsheet, an archive or the like"),
        ("a,b\nZürich,2\n".encode("latin-1"), "it is not UTF-8 text (byte 0xfc in line 2)"),
    ],
)
def test_csv_that_cannot_be_read_is_said(tmp_path, content, words):
    """No row is shifted and no column is guessed: one message names the file and says what is wrong."""
    with pytest.raises(TableError) as error:
        table_of(tmp_path / "t.csv", content)
    assert str(error.value).startswith(f"{tmp_path / 't.csv'}: ")
    assert words in str(error.value)


def test_a_late_row_is_named_by_its_number(tmp_path):
    """Rows are read in pieces, and numbered through."""
    (tmp_path / "t.csv").write_text("a,b\n" + "1,2\n" * 700_000 + "1,2,3\n")
    with pytest.raises(TableError, match="row 700001 below the header has 3 fields"):
        read_table(tmp_path / "t.csv")


def test_many_rows_have_each_label_once(tmp_path):
    """600,000 rows of 01, 02 and HQ, the words in the last rows, read in seconds and have three labels."""
    labels = np.where(np.arange(MANY) < MANY - 10, np.where(np.arange(MANY) % 2, "01", "02"), "HQ")
    (tmp_path / "t.csv").write_text("g,v,x,y,z\n" + "".join(f"{label},1.5,a,b,2\n" for label in labels))
    started = time.perf_counter()
    table = read_table(tmp_path / "t.csv")
    names, counts = np.unique(table.labels("group", "g").astype(str), return_counts=True)
    assert table.numbers("value", "v").sum() == 1.5 * MANY
    assert time.perf_counter() - started < SECONDS
    assert dict(zip(names.tolist(), counts.tolist(), strict=True)) == {"01": 299_995, "02": 299_995, "HQ": 10}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("t.txt", "expected a file ending in .csv or .parquet, got .txt"),
        ("t", "no ending"),
        ("none.csv", "no such file"),
    ],
)
def test_files_that_are_none_are_said(tmp_path, name, words):
    """An ending that is not known, and a file that is not there."""
    (tmp_path / "t.txt").write_text("a\n1\n")
    with pytest.raises(TableError) as error:
        read_table(tmp_path / name)
    assert words in str(error.value)


def test_endings_may_be_of_any_case(tmp_path):
    """Spreadsheets on Windows write .CSV."""
    assert table_of(tmp_path / "T.CSV", "a\n1\n").names == ("a",)


def test_a_folder_is_no_file(tmp_path):
    """A folder that is called like a file is said, not read."""
    (tmp_path / "t.csv").mkdir()
    with pytest.raises(TableError, match="Is a directory"):
        read_table(tmp_path / "t.csv")


@pytest.mark.parametrize("name", ["t.csv", "t.parquet"])
def test_sizes_are_bounded(tmp_path, monkeypatch, name):
    """A file that asks for more than the bounds is refused before it fills the memory."""
    if name == "t.csv":
        (tmp_path / name).write_text("a,b\n" + "1,2\n" * 1000)
    else:
        pq.write_table(pa.table({"a": np.zeros(1000), "b": np.zeros(1000)}), tmp_path / name)
    monkeypatch.setattr(files, "MOST_VALUES", 1999)
    with pytest.raises(TableError, match="it has 2,000 values, more than 1,999"):
        read_table(tmp_path / name)
    monkeypatch.setattr(files, "MOST_VALUES", 2000)
    assert read_table(tmp_path / name).n_rows == 1000
    monkeypatch.setattr(files, "MOST_BYTES", 100)
    with pytest.raises(TableError, match="more than 100"):
        read_table(tmp_path / name)


def test_parquet_has_its_columns_once(tmp_path):
    """Two columns of one name are refused, as in CSV; an unnamed index of pandas is no column."""
    twice = pa.table([pa.array([1]), pa.array([2])], names=["a", "a"])
    pq.write_table(twice, tmp_path / "t.parquet")
    with pytest.raises(TableError, match="two columns are called 'a'"):
        read_table(tmp_path / "t.parquet")
    pq.write_table(pa.table({"a": [1], "__index_level_0__": [5]}), tmp_path / "t.parquet")
    assert read_table(tmp_path / "t.parquet").names == ("a",)


def test_texts_repeated_many_times_are_held_once(tmp_path):
    """A small page can repeat a long text: labels of a column of them are one object."""
    pq.write_table(pa.table({"g": pa.array(["x" * 10_000] * 20_000).dictionary_encode()}), tmp_path / "t.parquet")
    labels = read_table(tmp_path / "t.parquet").labels("group", "g")
    assert len(labels) == 20_000
    assert labels[0] is labels[-1]


def test_bytes_of_a_parquet_file_are_a_table():
    """As the data that a run keeps; bytes that are none are said."""
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"a": ["01"]}), sink)
    assert parquet_table(sink.getvalue().to_pybytes()).labels("x", "a").tolist() == ["01"]
    with pytest.raises(TableError, match="no readable Parquet file"):
        parquet_table(b"PAR1 and no more")


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20)


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(st.tuples(TEXTS, TEXTS), max_size=20))
def test_csv_gives_back_what_the_csv_module_wrote(tmp_path_factory, rows):
    """Any text, with quotes, commas and ends of lines in it, comes back as it went in."""
    path = tmp_path_factory.mktemp("csv") / "t.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("a", "b"), *rows])
    table = read_table(path)
    assert list(zip(table.labels("x", "a"), table.labels("x", "b"), strict=True)) == rows


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("g,v\na,1\nb,\n", "row 2 of 2 (line 3); fill it in"),
        ("\n\ng,v\na,1\nb,", "row 2 of 2 (line 5); fill it in"),
        ("g,v\na,1\n\nb,\n", "row 2 of 2; fill it in"),
        ('g,v\n"a\na",1\nb,NA\n', "row 2 of 2; fill it in"),
        ("g,v\na,1\nb,x\n", "row 2 of 2 (line 3)"),
    ],
)
def test_a_row_has_the_line_that_an_editor_shows(tmp_path, text, place):
    """Where every row is a line; an empty line or a field of two lines between moves the rows from the lines."""
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(TableError) as error:
        read_table(tmp_path / "t.csv").numbers("value", "v")
    assert place in str(error.value)
    assert str(error.value).endswith((place, "or leave the row out"))
