"""Numbers are what they are named for, checked row by row."""

import datetime

import numpy as np
import pandas as pd
import pytest

from simstudy.errors import TableError
from simstudy.measures.score import score

DAY = datetime.date(2024, 1, 2)


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        ({}, {"estimate": "estt"}, r"estimate: no column 'estt' in the table, which has rep, .*did you mean 'est'\?"),
        ({}, {"truth": "trouth"}, r"truth: no column 'trouth'.*did you mean 'truth'\?"),
        ({"est": "x"}, {}, r"estimate: expected numbers in column 'est', got 'x' in row 1 of 240"),
        ({"est": "1,5"}, {}, r"estimate: expected numbers in column 'est', got '1,5' .*decimal point.* in row 1"),
        ({"est": 1e80}, {}, r"estimate: expected numbers up to 1e\+75 in column 'est', got 1e\+80 in row 1 of 240"),
        ({"est": 1e-80}, {}, r"estimate: expected numbers of at least 1e-75 in column 'est', .* give another unit"),
        ({"truth": np.inf}, {}, r"truth: expected .*numbers in column 'truth', got inf in row 1"),
        ({}, {"truth": np.nan}, "truth: expected a column, or a number up to 1e"),
        ({}, {"truth": True}, "truth: expected a column, or a number up to 1e.*, got True"),
        ({"se": -1.0}, {"se": "se"}, r"se: expected standard errors of at least 0 in column 'se', got -1 in row 1 of"),
        ({"df": 0.0}, {"se": "se", "df": "df"}, r"df: expected degrees of freedom above 0 in column 'df', got 0 in ro"),
        ({"df": 9.0}, {"df": "df"}, "df: intervals are made of standard errors and degrees of freedom, so se must be"),
        (
            {"df": 9.0, "lo": -9.0},
            {"se": "se", "df": "df", "lower": "lo", "upper": "df"},
            "df: the intervals are given by lower and upper; leave out df, or lower and upper",
        ),
        ({"p": 1.2}, {"p_value": "p"}, r"p_value: expected probabilities from 0 to 1 in column 'p', got 1\.2 in row 1"),
        ({"p": -0.1}, {"p_value": "p"}, r"p_value: expected probabilities from 0 to 1 in column 'p', got -0\.1 in row"),
        ({"p": "<.001"}, {"p_value": "p"}, r"p_value: expected .*numbers in column 'p', got '<.001' in row 1 of 240"),
        ({}, {"lower": "est"}, "lower and upper: an interval has two ends, name both or neither"),
        (
            {"hi": -9.0},
            {"lower": "est", "upper": "hi"},
            r"lower and upper: 240 rows have 'est' above 'hi', the first is row 1 with .* and -9",
        ),
    ],
)
def test_bad_numbers_are_refused_with_one_clear_message(table, change, options, message):
    """The message names the option, the column, what was expected and what there is."""
    with pytest.raises(TableError, match=message):
        score(table.assign(**change), **{"estimate": "est", "truth": "truth", **options})


@pytest.mark.parametrize("option", ["estimate", "truth", "se", "p_value", "lower"])
@pytest.mark.parametrize(
    ("value", "what"),
    [
        (DAY, "(dates|'2024-01-02')"),
        (pd.Timestamp("2024-01-02 10:00"), "(dates|times)"),
        (pd.Timedelta(1, "h"), "durations"),
        (True, "truth values"),
        ([1.0], "lists"),
    ],
)
@pytest.mark.parametrize("form", ["memory", "parquet"])
def test_what_is_no_number_is_refused_by_name(table, option, value, what, form, tmp_path):
    """Dates, durations, truth values and lists have no mean: the message names the column and what it holds."""
    other = table.assign(odd=pd.Series([value] * len(table)))
    options = {"estimate": "est", "truth": "truth", option: "odd"} | ({"upper": "est"} if option == "lower" else {})
    data = other
    if form == "parquet":
        data = tmp_path / "t.parquet"
        other.to_parquet(data)
    with pytest.raises(TableError, match=rf"{option}: expected numbers in column 'odd', got .*{what}"):
        score(data, **options)


def test_p_values_reject(table):
    """Rejection is the share of p-values below 1 - level, and no longer that of the intervals."""
    rows = table[table["method"] == "a"].assign(p=np.linspace(0, 1, 120, endpoint=False))
    options = {"estimate": "est", "truth": "truth", "p_value": "p"}
    for level in (0.95, 0.9):
        ours = score(rows, **options, se="se", level=level).set_index("measure")
        assert ours.loc["rejection", "value"] == pytest.approx(1 - level)
        assert ours.loc["rejection", "level"] == level
        assert ours.loc["rejection", "n_used"] == 120
    alone = score(rows, **options).set_index("measure")
    assert alone.loc["rejection", "value"] == pytest.approx(0.05)
    assert "coverage" not in alone.index


def test_a_p_value_at_the_level_does_not_reject(table):
    """p < 1 - level, as written: 0.05 at 95 % does not reject, also where 1 - 0.95 has rounding."""
    rows = table.head(2).assign(p=[0.05, 0.049])
    ours = score(rows, estimate="est", truth="truth", p_value="p").set_index("measure")
    assert ours.loc["rejection", "value"] == 0.5


def test_empty_p_values_are_left_out(table):
    """A row without a p-value counts in all measures but rejection."""
    rows = table.assign(p=[np.nan] * 40 + [0.01] * 200)
    ours = score(rows, estimate="est", truth="truth", p_value="p").set_index("measure")
    assert ours.loc["rejection", ["value", "n_used", "n_excluded"]].tolist() == [1.0, 200, 40]
    assert ours.loc["bias", "n_used"] == 240
