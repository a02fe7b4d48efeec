"""Rows of a table as cells of several factors."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simstudy.errors import StudyError, TableError
from simstudy.mechanisms.cell_rows import CovariateColumn, read_cells, response_columns
from simstudy.mechanisms.levels import FactorColumns
from simstudy.tables import Table

ROW, COLUMN = FactorColumns(column="row"), FactorColumns(column="column")


def table(**columns):
    """Return a table of columns."""
    arrays = {name: pa.array(list(values)) for name, values in columns.items()}
    return Table(arrays, n_rows=len(next(iter(arrays.values()))))


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from("xy"), st.sampled_from([0, 1]), st.floats(-9, 9)),
        min_size=2,
        max_size=30,
    )
)
def test_cells_hold_the_observations_of_their_rows(rows):
    """Going from cells back to (level, level, covariate, value) gives the rows, those of a cell in their order."""
    row, column, x, value = zip(*rows, strict=True)
    x = [0, 1, *x]  # a covariate has to vary
    found = read_cells(
        table(row=["a", "a", *row], column=["x", "x", *column], x=x, value=[0.5, 1.5, *value]),
        {},
        {"row": ROW, "column": COLUMN},
        {"x": CovariateColumn(column="x")},
    )
    data, design = found.data, found.data.design
    labels = [np.array(f.labels)[f.level][data.group_of] for f in design.factors]
    back = list(zip(*labels, data.covariate("x")[data.group_of], data.y, strict=True))
    wanted = list(zip(["a", "a", *row], ["x", "x", *column], x, [0.5, 1.5, *value], strict=True))
    assert sorted(back) == sorted(wanted)
    for cell in set(zip(*labels, data.covariate("x")[data.group_of], strict=True)):
        assert [r[3] for r in back if r[:3] == cell] == [r[3] for r in wanted if r[:3] == cell]
    assert len({*zip(*labels, data.covariate("x")[data.group_of], strict=True)}) == design.n_cells == data.n_groups


def test_reductions_are_those_of_the_cells():
    """Mean and sum of squares of each cell, of its observations alone."""
    found = read_cells(
        table(row=["a", "b", "a", "a"], column=["x", "x", "x", "y"], value=[1.0, 7.0, 3.0, 4.0]),
        {},
        {"row": ROW, "column": COLUMN},
        {},
    )
    assert found.data.n_obs.tolist() == [2, 1, 1]
    assert found.data.y_mean.tolist() == [2, 7, 4]
    assert found.data.y_ss.tolist() == [2, 0, 0]
    assert found.labels == ("a, x", "b, x", "a, y")
    assert found.kind == "normal"


def test_names_of_cells_say_what_tells_them_apart():
    """A covariate stands in a name only where levels do not settle it; an outer factor stands in the inner one's."""
    rows = table(batch=["A", "A", "B"], cask=["a", "a", "a"], day=[0, 1, 0], heat=[5, 5, 9], value=[1.0, 2.0, 3.0])
    found = read_cells(
        rows,
        {},
        {"batch": FactorColumns(column="batch"), "cask": FactorColumns(column="cask", within="batch")},
        {"day": CovariateColumn(column="day"), "heat": CovariateColumn(column="heat", of="batch")},
    )
    assert found.labels == ("A/a, day=0", "A/a, day=1", "B/a, day=0")


def test_successes_are_added_up():
    """Rows of one cell are one binomial count."""
    rows = table(row=["a", "a", "b"], column=["x", "x", "x"], successes=[1, 2, 3], trials=[4, 5, 6])
    found = read_cells(rows, {}, {"row": ROW, "column": COLUMN}, {})
    assert found.kind == "binomial"
    np.testing.assert_allclose(found.data.n_obs * found.data.y_mean, [3, 3])
    assert found.data.n_obs.tolist() == [9, 6]


def test_an_estimate_is_a_cell():
    """Two estimates at the same levels have errors of their own."""
    rows = table(row=["a", "a"], column=["x", "x"], value=[1.0, 2.0], standard_error=[0.5, 0.1])
    found = read_cells(rows, {}, {"row": ROW, "column": COLUMN}, {})
    assert found.kind == "normal_known_se"
    assert found.data.known_se.tolist() == [0.5, 0.1]
    assert found.data.design.factor("row").level.tolist() == [0, 0]


def test_the_kept_rows_give_the_cells_again():
    """What a run keeps is read as what it was read from, in its order; columns that are not used are not kept."""
    rows = table(row=["10", "2", "2"], x=[0.1, 0.2, 0.7], value=[1.5, 2.5, 3.5], secret=["p", "q", "r"])
    about = {"row": ROW}, {"x": CovariateColumn(column="x")}
    found = read_cells(rows, {}, *about)
    again = read_cells(Table({n: found.rows[n] for n in found.rows.column_names}, n_rows=3), found.columns, *about)
    assert "secret" not in found.rows.column_names
    assert again.data.design == found.data.design
    assert again.labels == found.labels
    np.testing.assert_array_equal(again.data.y, found.data.y)
    np.testing.assert_array_equal(again.data.covariate("x"), found.data.covariate("x"))
    assert again.rows.equals(found.rows)


def test_a_column_may_be_factor_and_covariate():
    """A year names levels and is a number."""
    rows = table(year=["1", "2", "3"], value=[1.0, 2.0, 4.0])
    found = read_cells(rows, {}, {"year": FactorColumns(column="year")}, {"trend": CovariateColumn(column="year")})
    assert found.data.covariate("trend").tolist() == [1, 2, 3]
    assert found.data.design.factor("year").labels == ("1", "2", "3")


DAYS = {"days": CovariateColumn(column="day")}


@pytest.mark.parametrize(
    ("columns", "covariates", "words"),
    [
        ({"day": [2, 2, 2]}, DAYS, r"\[mechanism.covariates.days\] column: 'day' is 2 in all 3 rows; a constant"),
        (
            {"day": ["1", "", "3"]},
            DAYS,
            r"\[mechanism.covariates.days\] column: expected numbers.*nothing in row 2 of 3",
        ),
        (
            {"day": ["1", "x", "3"]},
            DAYS,
            r"\[mechanism.covariates.days\] column: expected numbers.*got 'x' in row 2 of 3",
        ),
        (
            {"a": [1, 2, 4], "b": [3, 5, 9]},
            {"a": CovariateColumn(column="a"), "both": CovariateColumn(column="b")},
            r"\[mechanism.covariates.both\] column: a, both \(columns a, b\) are not apart",
        ),
        (
            {"a": [1, 2, 4], "b": [3, 5, 0], "c": [3, 1, 3]},
            {name: CovariateColumn(column=name) for name in "abc"},
            r"\[mechanism.covariates.c\] column: a, b, c \(columns a, b, c\) are not apart",
        ),
        (
            {"day": [1, 2, 3]},
            {"days": CovariateColumn(column="day", of="row")},
            r"covariates.days\] of: expected one value for each level of row, got 1 and 3 in column 'day' for 'a'",
        ),
    ],
)
def test_covariates_that_say_nothing_are_refused(columns, covariates, words):
    """One message names covariate, key and columns."""
    rows = table(row=["a", "b", "a"], value=[1.0, 2.0, 3.0], **columns)
    with pytest.raises((StudyError, TableError), match=words):
        read_cells(rows, {}, {"row": ROW}, covariates)


def test_no_rows_are_refused():
    """A table without rows is no data."""
    with pytest.raises(StudyError, match="data: the table has no rows"):
        read_cells(
            Table({"row": pa.array([], pa.string()), "value": pa.array([], pa.float64())}, n_rows=0),
            {},
            {"row": ROW},
            {},
        )


def test_columns_of_observations_are_named_or_found():
    """Nothing is guessed between values and counts, and a message says what there is."""
    assert response_columns(["value", "age"], {}) == {"value": "value"}
    assert response_columns(["age"], {"value": "age"}) == {"value": "age"}
    with pytest.raises(
        StudyError, match=r"expected columns of observations: value; or .*got none of them; the table has age"
    ):
        response_columns(["age"], {})
    with pytest.raises(StudyError, match="got none of them"):
        response_columns(["value", "successes", "trials"], {})
    with pytest.raises(StudyError, match='got trials = "n"'):
        response_columns(["n"], {"trials": "n"})


def test_dependence_is_found_at_any_size():
    """Nearly parallel covariates of real data are apart, whatever their units; sums of others are not."""
    rng = np.random.default_rng(0)
    a = 1e6 + rng.normal(size=50)
    for b, is_apart in ((a + 1e-4 * rng.normal(size=50), True), (3e-9 * a, False)):
        rows = table(row=[str(i) for i in range(50)], a=a, b=b, value=rng.normal(size=50))
        covariates = {name: CovariateColumn(column=name) for name in "ab"}
        if is_apart:
            assert len(read_cells(rows, {}, {"row": ROW}, covariates).data.covariates) == 2
        else:
            with pytest.raises(StudyError, match="are not apart"):
                read_cells(rows, {}, {"row": ROW}, covariates)


def test_counts_of_different_exposures_are_apart():
    """Counts at the same levels with other exposures have predictors of their own."""
    rows = table(row=["a", "a", "a"], column=["x", "x", "x"], count=[1, 2, 3], exposure=[2.0, 5.0, 2.0])
    found = read_cells(rows, {}, {"row": ROW, "column": COLUMN}, {})
    assert found.kind == "poisson"
    assert found.data.exposure.tolist() == [4, 5]
    assert found.data.y.tolist() == [1, 3, 2]
    assert found.data.design.factor("row").level.tolist() == [0, 0]
