"""Frames of pandas, Polars and Arrow, and files of them: one table, whoever made it."""

import csv
import uuid
from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simstudy.errors import TableError
from simstudy.tables import Table, as_table, read_table

pl = pytest.importorskip("polars")


@pytest.mark.parametrize(
    ("series", "expected"),
    [
        (pd.Series(["001", "NA"], dtype=object), ["001", "NA"]),
        (pd.Series(["001", "NA"], dtype="string"), ["001", "NA"]),
        (pd.Series(["b", "a", "b"], dtype="category"), ["b", "a", "b"]),
        (pd.Series([3, 1], dtype="category"), ["3", "1"]),
        (pd.Series([1.0, 2.0]), ["1", "2"]),
        (pd.Series([1, 2], dtype="Int64"), ["1", "2"]),
        (pd.Series([1, "a", 2.0, "01"], dtype=object), ["1", "a", "2", "01"]),
        (pd.Series(pd.to_datetime(["2024-01-05", "2024-01-06"])), ["2024-01-05", "2024-01-06"]),
        (pd.Series([date(2024, 1, 5)], dtype=object), ["2024-01-05"]),
        (pd.Series(pd.period_range("2020", periods=2, freq="Q")), ["2020Q1", "2020Q2"]),
        (pd.Series(pd.cut([1.0, 9.0], [0, 5, 10])), ["(0, 5]", "(5, 10]"]),
        (pd.Series(pd.arrays.SparseArray([1.0, 2.0])), ["1", "2"]),
        (pd.Series([uuid.UUID(int=1)], dtype=object), [str(uuid.UUID(int=1))]),
        (pd.Series([b"ab"], dtype=object), ["ab"]),
        (pd.Series(["a", "b"], dtype="string[pyarrow]"), ["a", "b"]),
    ],
    ids=lambda value: str(value.dtype) if isinstance(value, pd.Series) else "",
)
def test_labels_of_pandas(series, expected):
    """Every dtype that names something gives what a person would write."""
    assert as_table(pd.DataFrame({"x": series})).labels("group", "x").tolist() == expected


@pytest.mark.parametrize(
    ("series", "expected"),
    [
        (pl.Series(["001", "NA"]), ["001", "NA"]),
        (pl.Series(["b", "a"], dtype=pl.Categorical), ["b", "a"]),
        (pl.Series(["b", "a"], dtype=pl.Enum(["a", "b"])), ["b", "a"]),
        (pl.Series([1, 2]), ["1", "2"]),
        (pl.Series([1, 2]).cast(pl.Int128), ["1", "2"]),
        (pl.Series([1.0, 2.5]), ["1", "2.5"]),
        (pl.Series([date(2024, 1, 5)]), ["2024-01-05"]),
    ],
    ids=lambda value: str(value.dtype) if isinstance(value, pl.Series) else "",
)
def test_labels_of_polars(series, expected):
    """Eager and lazy frames alike."""
    frame = pl.DataFrame({"x": series})
    for given_frame in (frame, frame.lazy()):
        assert as_table(given_frame).labels("group", "x").tolist() == expected


@pytest.mark.parametrize(
    ("series", "what"),
    [
        (pd.Series([object(), 1], dtype=object), "values of type object"),
        (pd.Series([[1], [2]]), "lists"),
        (pd.Series([{"a": 1}, {}]), "structs"),
        (pd.Series([1j, 2]), "values of type complex128"),
        (pd.Series([10**5000, 1], dtype=object), "whole numbers of thousands of digits"),
        (pd.Series(pd.to_timedelta([1, 2])), "durations"),
        (pd.Series(["a", "\ud800"], dtype=object), "texts with half a character"),
    ],
    ids=lambda value: str(value.dtype) if isinstance(value, pd.Series) else "",
)
def test_columns_that_cannot_be_read_do_harm_only_where_they_are_used(series, what):
    """Another column of the frame is read; this one is refused by name."""
    table = as_table(pd.DataFrame({"x": series, "y": 1.5}))
    assert table.numbers("value", "y").tolist() == [1.5, 1.5]
    for read in (table.labels, table.numbers):
        with pytest.raises(TableError, match=f"column 'x', got {what}"):
            read("group", "x")


def test_objects_of_polars_are_their_values():
    """Not the addresses that Polars hands to Arrow."""
    table = as_table(pl.DataFrame({"x": pl.Series(["a", 2], dtype=pl.Object)}))
    assert table.labels("group", "x").tolist() == ["a", "2"]


def test_truth_values_among_objects_are_no_numbers():
    """Arrow alone would read True as 1."""
    with pytest.raises(TableError, match="got 'True' in row 2"):
        as_table(pd.DataFrame({"x": pd.Series([1.5, True], dtype=object)})).numbers("value", "x")


def test_gaps_of_pandas_are_nothing():
    """None, NaN, NA and NaT."""
    gaps = {"a": [1.0, np.nan], "b": pd.array([1, None], "Int64"), "c": pd.Series(["1", pd.NA], dtype=object)}
    gaps |= {"d": pd.Series([1, pd.NaT], dtype=object), "e": pd.Categorical([1, None])}
    table = as_table(pd.DataFrame(gaps))
    for name in gaps:
        np.testing.assert_array_equal(table.numbers("value", name, may_be_empty=True), [1, np.nan])


def test_a_named_index_is_a_column():
    """As ``groupby(...).mean()`` leaves it; an index without a name is none."""
    frame = pd.DataFrame({"school": ["b", "a"], "score": [1.0, 2.0]})
    assert as_table(frame).names == ("school", "score")
    by_school = as_table(frame.set_index("school"))
    assert by_school.names == ("score", "school")
    assert by_school.labels("group", "school").tolist() == ["b", "a"]


def test_what_is_no_table_is_said():
    """By its type."""
    for data in (3, np.ones(3), pd.Series([1]), None, [1, 2]):
        with pytest.raises(TableError, match=f"got {type(data).__name__}"):
            as_table(data)
    for data in (pd.DataFrame([[1, 2]], columns=["a", "a"]), pa.table([[1], [2]], names=["a", "a"])):
        with pytest.raises(TableError, match="two columns are called 'a'"):
            as_table(data)


def test_tables_columns_and_paths_are_tables(tmp_path):
    """A table is itself, a path is read, columns of Arrow or of Python are one."""
    (tmp_path / "t.csv").write_text("a\n01\n")
    table = as_table(tmp_path / "t.csv")
    assert as_table(table) is table
    assert as_table(str(tmp_path / "t.csv")).labels("x", "a").tolist() == ["01"]
    batch = pa.RecordBatch.from_pydict({"a": ["01"]})
    for data in (batch, pa.table({"a": ["01"]}), {"a": ["01"]}, pl.DataFrame({"a": ["01"]})):
        assert isinstance(as_table(data), Table)
        assert as_table(data).labels("x", "a").tolist() == ["01"]


LABELS = st.one_of(
    st.sampled_from(
        ["001", "01", "1", "NA", "null", "None", "nan", "1.0", "TRUE", "2024-01-01", "é", "a,b", 'q"', "=1"]
    ),
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=8),
)
VALUES = st.floats(-1e6, 1e6)


@settings(max_examples=40, deadline=None)
@given(rows=st.lists(st.tuples(LABELS, VALUES, st.integers(-999, 999)), min_size=1, max_size=15))
def test_every_form_of_a_table_is_the_same_table(tmp_path_factory, rows):
    """Odd labels, floats and whole numbers, as CSV, as Parquet, in pandas, in Polars and in Arrow."""
    folder = tmp_path_factory.mktemp("forms")
    labels, values, whole = map(list, zip(*rows, strict=True))
    with (folder / "t.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("g", "v", "n"), *rows])
    pandas = pd.DataFrame({"g": labels, "v": values, "n": whole})
    pandas.to_parquet(folder / "t.parquet")
    frames = [pandas, pandas.astype({"g": "category"}), pl.DataFrame(pandas), pa.Table.from_pandas(pandas)]
    tables = [read_table(folder / "t.csv"), read_table(folder / "t.parquet"), *map(as_table, frames)]
    for table in tables:
        assert table.labels("group", "g").tolist() == labels
        assert table.numbers("value", "v").tolist() == values
        assert table.numbers("n", "n").tolist() == whole
        assert table.is_whole("n")
