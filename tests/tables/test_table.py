"""Columns as labels and as numbers: texts stay as written, and what is no number is named."""

import math
from datetime import date, datetime, time, timedelta
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simstudy.errors import TableError
from simstudy.tables import Table

ODD = ["001", "01", "1", "1.0", "NA", "null", "None", "nan", "NaN", "N/A", "inf", "TRUE", " a", "a ", "a", "-", "'=1"]


def table(values, kind=None):
    column = values if isinstance(values, pa.Array) else pa.array(values, kind)
    return Table({"x": column, "other": pa.nulls(len(column))}, n_rows=len(column))


def refusal(call, *arguments, **options):
    with pytest.raises(TableError) as error:
        call(*arguments, **options)
    return str(error.value)


def test_labels_are_as_written():
    """Names that other readers take for one, or for nothing, are different names."""
    assert table(ODD).labels("group", "x").tolist() == ODD
    assert table(pa.array(ODD).dictionary_encode()).labels("group", "x").tolist() == ODD


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (pa.array([3, 2**62 + 1]), ["3", str(2**62 + 1)]),
        (pa.array([2**64 - 1], pa.uint64()), [str(2**64 - 1)]),
        (pa.array([3.0, 4.0]), ["3", "4"]),
        (pa.array([3.5, 4.0, 1e22]), ["3.5", "4", "1e+22"]),
        (pa.array([True, False]), ["True", "False"]),
        (pa.array([Decimal("1.50")]), ["1.50"]),
        (pa.array([date(2024, 1, 5)]), ["2024-01-05"]),
        (pa.array([datetime(2024, 1, 5), datetime(2024, 1, 6)]), ["2024-01-05", "2024-01-06"]),
        (pa.array([datetime(2024, 1, 5), datetime(2024, 1, 6, 3)]), ["2024-01-05T00:00:00", "2024-01-06T03:00:00"]),
        (pa.array([datetime(2024, 1, 5, 1, 1, 1, 500_000)]), ["2024-01-05T01:01:01.500000"]),
        (pa.array([datetime(2024, 7, 5, 1)], pa.timestamp("s", "Europe/Berlin")), ["2024-07-05T03:00:00+0200"]),
        (pa.array([time(1, 30)]), ["01:30:00"]),
        (pa.array([b"ab"]), ["ab"]),
        (pa.array([b"ab"], pa.binary(2)), ["ab"]),
        (pa.array(["a"], pa.string_view()), ["a"]),
        (pa.array([1, 2, 1]).dictionary_encode(), ["1", "2", "1"]),
    ],
    ids=str,
)
def test_other_types_have_one_text(column, expected):
    """Whole numbers are decimal, whole floats the integers that they were, dates and times ISO 8601."""
    assert table(column).labels("group", "x").tolist() == expected


def test_chunks_are_one_column():
    """Chunks with dictionaries of their own are read through."""
    chunks = pa.chunked_array([pa.array(["b", "a"]).dictionary_encode(), pa.array(["a", "c"]).dictionary_encode()])
    assert Table({"x": chunks}, n_rows=4).labels("group", "x").tolist() == ["b", "a", "a", "c"]
    numbers = pa.chunked_array([pa.array(["1", "2"]).dictionary_encode(), pa.array(["2", "3"]).dictionary_encode()])
    assert Table({"x": numbers}, n_rows=4).numbers("value", "x").tolist() == [1, 2, 2, 3]
    nothing = pa.chunked_array([], pa.string())
    assert Table({"x": nothing}, n_rows=0).labels("group", "x").tolist() == []
    assert Table({"x": nothing}, n_rows=0).numbers("value", "x").tolist() == []


HALF_EMPTY = [
    pa.array(["a", ""]),
    pa.array(["a", None]),
    pa.array(["a", None]).dictionary_encode(),
    pa.DictionaryArray.from_arrays(pa.array([0, 1]), pa.array(["a", None])),
    pa.array([1, None]),
    pa.array([1.0, math.nan]),
]


@pytest.mark.parametrize("column", HALF_EMPTY, ids=str)
def test_an_empty_label_is_named_by_its_row(column):
    """Nothing, NaN, and a text without letters, also within a dictionary."""
    said = refusal(table(column).labels, "group", "x")
    expected = "group: expected a name in each row of column 'x', got nothing in row 2 of 2"
    assert said == f"{expected}; fill it in, or leave the row out"


NESTED = {
    "lists": pa.array([[1], [2]]),
    "structs": pa.array([{"a": 1}, {"a": 2}]),
    "maps": pa.array([[("a", 1)], []], pa.map_(pa.string(), pa.int64())),
}


@pytest.mark.parametrize("what", NESTED)
def test_nested_columns_are_refused_by_name_wherever_they_are_used(what):
    """Lists, structs and maps are neither names nor numbers; beside other columns they do no harm."""
    nested = table(NESTED[what])
    assert refusal(nested.labels, "by", "x") == f"by: expected names in column 'x', got {what}"
    assert refusal(nested.numbers, "se", "x") == f"se: expected numbers in column 'x', got {what}"
    assert nested.numbers("se", "other", may_be_empty=True).shape == (2,)


@pytest.mark.parametrize(
    ("column", "what"),
    [
        (pa.array([date(2024, 1, 1)]), "dates"),
        (pa.array([datetime(2024, 1, 1)]), "dates"),
        (pa.array([time(1)]), "times"),
        (pa.array([timedelta(1)]), "durations"),
        (pa.array([True]), "truth values"),
        (pa.array([date(2024, 1, 1)]).dictionary_encode(), "dates"),
    ],
    ids=str,
)
def test_what_only_looks_like_numbers_is_refused(column, what):
    """Dates, times, durations and truth values have numbers behind them, which nobody means."""
    assert refusal(table(column).numbers, "value", "x") == f"value: expected numbers in column 'x', got {what}"


def test_durations_are_no_names():
    """Their text would depend on the unit that a library has chosen."""
    assert "got durations" in refusal(table(pa.array([timedelta(1)])).labels, "group", "x")


NUMBERS = {"1": 1, "+1.5": 1.5, "-.5e-3": -0.0005, "1.": 1, " 2\t": 2, "007": 7, "1E+5": 1e5, "-0": 0, "0.1": 0.1}
NUMBERS |= {"0." + "9" * 5000: 1, "1" + "0" * 300: 1e300, "1e-400": 0}


@pytest.mark.parametrize(("text", "value"), NUMBERS.items())
def test_texts_are_numbers(text, value):
    """As a person writes them, of any length, rounded to the nearest float."""
    assert table([text]).numbers("value", "x").tolist() == [value]


WORDS = ["x", "NA", "nan", "inf", "-Infinity", "1e400", "1" + "0" * 5000, "1_000", "0x10", "1 000", "1,5", "1,234.5"]
WORDS += ["TRUE", "\u0661", "\u22123", "1e", ".", "--1", "1.2.3", "45%", " "]


@pytest.mark.parametrize("text", WORDS)
def test_other_texts_are_no_numbers(text):
    """What Python, pandas or R would read as a number by courtesy is named with its row, whatever its length."""
    said = refusal(table(["1", text]).numbers, "value", "x")
    assert said.startswith("value: expected numbers in column 'x', got ")
    assert "in row 2 of 2" in said
    assert len(said) < 250


def test_what_arrow_cannot_read_is_said():
    """A time zone that no machine has: one message, which names the column."""
    nowhere = table(pa.array([datetime(2024, 1, 5)], pa.timestamp("s", "Nowhere/Land")))
    assert refusal(nowhere.labels, "group", "x").startswith("group: column 'x' cannot be read: ")


def test_what_a_person_meant_is_said():
    """A decimal comma, a typographic minus and a number beyond the floats."""
    assert "a number has a decimal point" in refusal(table(["1,5"]).numbers, "value", "x")
    assert "the minus sign of a number is -" in refusal(table(["\u22123"]).numbers, "value", "x")
    assert "a number beyond the largest" in refusal(table(["1e400"]).numbers, "value", "x")


def test_nothing_and_infinity_have_to_be_allowed():
    """Empty fields and the texts NA and NaN are nothing; infinite numbers are texts or floats."""
    texts = table(["1", "", "NA", "nan", "inf", "-Inf"])
    assert "got nothing in row 2" in refusal(texts.numbers, "value", "x")
    assert "got 'inf' in row 5" in refusal(texts.numbers, "value", "x", may_be_empty=True)
    assert "got nothing in row 2" in refusal(texts.numbers, "value", "x", may_be_infinite=True)
    both = texts.numbers("value", "x", may_be_empty=True, may_be_infinite=True)
    np.testing.assert_array_equal(both, [1, np.nan, np.nan, np.nan, np.inf, -np.inf])
    floats = table(pa.array([1.0, math.nan, None, math.inf]))
    assert "got nothing in row 2" in refusal(floats.numbers, "value", "x")
    assert "got inf in row 4" in refusal(floats.numbers, "value", "x", may_be_empty=True)
    np.testing.assert_array_equal(
        floats.numbers("value", "x", may_be_empty=True, may_be_infinite=True), [1, np.nan, np.nan, np.inf]
    )


def test_an_absent_column_lists_the_columns_and_the_nearest():
    """The message is enough to go on with."""
    said = refusal(table([1]).numbers, "value", "othr")
    assert said == "value: no column 'othr' in the table, which has x, other; did you mean 'other'?"
    many = Table({f"c{i}": pa.array([1]) for i in range(50)}, n_rows=1)
    assert refusal(many.labels, "group", "zz").endswith("c28, c29, ...")


def test_columns_written_as_whole_numbers_are_known():
    """28 is written as a whole number, 28.0 is not, and a column with a gap is none."""
    whole = {"28": True, "28.0": False, "": False}
    assert {text: table(["1", text]).is_whole("x") for text in whole} == whole
    assert table(pa.array([1, 2])).is_whole("x")
    assert not table(pa.array([1.0, 2.0])).is_whole("x")
    assert not table(pa.array([1, None])).is_whole("x")


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_numbers_come_back_from_their_texts(values):
    """The shortest text of a float is that float again."""
    assert table([repr(value) for value in values]).numbers("value", "x").tolist() == values


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1))
def test_whole_numbers_are_their_text(values):
    """As labels, from integers and from the texts of them."""
    assert table(values).labels("group", "x").tolist() == [str(value) for value in values]
