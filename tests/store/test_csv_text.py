"""CSV text that a spreadsheet can open without computing anything."""

import csv
import io

import numpy as np
import pandas as pd
import pytest

from simstudy.store.csv_text import UNSAFE_START, to_csv


def fields(frame: pd.DataFrame) -> list[list[str]]:
    """Return the fields of the CSV, row by row, without the names of the columns."""
    return list(csv.reader(io.StringIO(to_csv(frame), newline="")))[1:]


@pytest.mark.parametrize("start", [*UNSAFE_START, "\r", "\r\n"])
def test_text_cannot_act_as_a_formula(start):
    """A text that a spreadsheet would compute is made a text; numbers, negative ones too, stay numbers."""
    text = f"{start}SUM(A1)"
    frame = pd.DataFrame({"method": [text, "plain"], "bias": [-0.125, 1e-300]})
    (first, bias), (second, small) = fields(frame)
    assert [first, second] == ["'" + text.replace("\r\n", "\n").replace("\r", "\n"), "plain"]
    assert [float(bias), float(small)] == [-0.125, 1e-300]


@pytest.mark.parametrize("number", ["-1", "+2.5", "-.5", "-1e-9", "-3E+10"])
def test_numbers_among_texts_stay_numbers(number):
    """A factor whose column holds texts and numbers keeps its negative numbers."""
    assert fields(pd.DataFrame({"mu": [number, "Normal(0, 1)"]})) == [[number], ["Normal(0, 1)"]]


@pytest.mark.parametrize("text", ["-1+1", "-1e", "--1", "-", "-inf", "+cmd|' /C calc'!A0"])
def test_what_only_begins_like_a_number_is_no_number(text):
    """Anything beyond one plain number is made a text."""
    assert fields(pd.DataFrame({"method": [text]})) == [["'" + text]]


def test_a_carriage_return_begins_no_cell():
    """A text stays one field whatever its line ends, so that no part of it can act by itself."""
    assert fields(pd.DataFrame({"method": ["a\r=1+1\r\n=2"], "bias": [1]})) == [["a\n=1+1\n=2", "1"]]


def test_names_of_columns_cannot_act_as_formulas():
    """The first row of the CSV is as safe as all others, also where two columns have one name."""
    frame = pd.DataFrame(np.array([["=2", "b"]]), columns=["=1", "=1"])
    assert to_csv(frame) == "'=1,'=1\n'=2,b\n"


def test_missing_values_are_empty():
    """None and NaN are empty fields, in columns of texts and of numbers."""
    assert to_csv(pd.DataFrame({"a": [None, "x"], "b": [np.nan, 1.5]})) == "a,b\n,\nx,1.5\n"
