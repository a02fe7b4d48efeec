"""Levels of factors as they stand in a table."""

import numpy as np
import pyarrow as pa
import pytest

from simstudy.errors import StudyError
from simstudy.mechanisms.levels import FactorColumns, read_levels
from simstudy.tables import Table


def table(**columns):
    """Return a table of columns."""
    arrays = {name: pa.array(list(values)) for name, values in columns.items()}
    return Table(arrays, n_rows=len(next(iter(arrays.values()))))


def levels(rows, **factors):
    """Return the levels of some factors."""
    return read_levels(rows, factors)


def test_levels_stand_in_the_order_of_their_rows():
    """Names that are no numbers are counted as they come."""
    found = levels(table(plate=["b", "a", "b"]), plate=FactorColumns(column="plate"))["plate"]
    assert found.labels == ("b", "a")
    assert found.of_rows.tolist() == [0, 1, 0]


def test_levels_that_are_numbers_stand_in_their_order():
    """Subjects 10, 9 and 2 are counted by size, and keep their names."""
    found = levels(table(who=["10", "9", "2", "9"]), who=FactorColumns(column="who"))["who"]
    assert found.labels == ("2", "9", "10")
    assert found.of_rows.tolist() == [2, 1, 0, 1]


def test_nested_labels_are_read_within_their_parent():
    """Cask a of batch A is another one than cask a of batch B; its name says so. Terms come in any order."""
    rows = table(batch=["A", "A", "B", "A"], cask=["a", "b", "a", "a"])
    found = levels(rows, cask=FactorColumns(column="cask", within="batch"), batch=FactorColumns(column="batch"))
    assert found["cask"].labels == ("A/a", "A/b", "B/a")
    assert found["cask"].of_rows.tolist() == [0, 1, 2, 0]
    assert found["cask"].parent.tolist() == [0, 0, 1]
    assert list(found) == ["cask", "batch"]


def test_nesting_goes_to_any_depth():
    """Pupils within classes within schools, all called alike."""
    rows = table(s=["x", "x", "y", "y"], c=["1", "2", "1", "1"], p=["k", "k", "k", "l"])
    factors = {
        "school": FactorColumns(column="s"),
        "class": FactorColumns(column="c", within="school"),
        "pupil": FactorColumns(column="p", within="class"),
    }
    found = read_levels(rows, factors)
    assert found["pupil"].labels == ("x/1/k", "x/2/k", "y/1/k", "y/1/l")
    assert found["class"].parent.tolist() == [0, 0, 1]
    assert found["pupil"].parent.tolist() == [0, 1, 2, 2]


def test_steps_that_no_row_has_are_levels():
    """A walk from 1871 to 1875 with 1873 missing has five levels; the rows need not be sorted."""
    found = levels(table(year=[1875, 1871, 1872, 1874]), year=FactorColumns(column="year", is_ordered=True))["year"]
    assert found.labels == ("1871", "1872", "1873", "1874", "1875")
    assert found.of_rows.tolist() == [4, 0, 1, 3]


def test_steps_may_be_of_any_length():
    """Every second year is one step, and so is half an hour."""
    for values, labels in (([1900, 1904, 1902], ("1900", "1902", "1904")), ([0.0, 1.5, 0.5], ("0", "0.5", "1", "1.5"))):
        found = levels(table(t=values), t=FactorColumns(column="t", is_ordered=True))["t"]
        assert [float(label) for label in found.labels] == [float(label) for label in labels]


def test_a_pair_of_neighbors_counts_once():
    """Both ways round, and named twice, it is one edge; levels without one are islands."""
    pairs = [["a", "b"], ["b", "a"], ["a", "b"], ["b", "c"]]
    found = levels(table(area=["c", "a", "b", "d"]), area=FactorColumns(column="area", pairs=pairs))["area"]
    named = {frozenset((found.labels[i], found.labels[j])) for i, j in found.edges}
    assert named == {frozenset("ab"), frozenset("bc")}
    assert len(found.edges) == 2


def test_points_are_those_of_the_levels():
    """Each level has one place, whatever the order of its rows."""
    rows = table(site=["b", "a", "b"], x=[1.0, 2.0, 1.0], y=[3.0, 4.0, 3.0])
    found = levels(rows, site=FactorColumns(column="site", points=("x", "y")))["site"]
    np.testing.assert_array_equal(found.points, [[1, 3], [2, 4]])


@pytest.mark.parametrize(
    ("factor", "words"),
    [
        (FactorColumns(column="sight"), r"\[mechanism.terms.f\] column: no column 'sight' in the table.*did you mean"),
        (FactorColumns(column="empty"), r"\[mechanism.terms.f\] column: expected a name.*got nothing in row 2 of 3"),
        (
            FactorColumns(column="site", points=("moved",)),
            r"\[mechanism.terms.f\] points.columns: expected one place for a level of 'site', got 1 and 5 in column "
            r"'moved' for 'b'",
        ),
        (
            FactorColumns(column="site", pairs=[["a", "z"], ["y", "a"]]),
            r"\[mechanism.terms.f\] graph.edges: 'z', 'y' of the graph is in no row of column 'site'",
        ),
        (
            FactorColumns(column="t", is_ordered=True),
            r"\[mechanism.terms.f\] column: .*equal steps, such as years; got 0",
        ),
        (
            FactorColumns(column="site", is_ordered=True),
            r"\[mechanism.terms.f\] column: expected numbers in column 'site'",
        ),
        (
            FactorColumns(column="far", is_ordered=True),
            r"\[mechanism.terms.f\] column: 'far' goes from 1 to 1000001.*1,0",
        ),
        (FactorColumns(column="site", within="g"), r"\[mechanism.terms.f\] within: no factor 'g'"),
    ],
)
def test_what_cannot_be_levels_is_refused(factor, words):
    """One message names term, key, column and value."""
    rows = table(
        site=["b", "a", "b"], moved=[1.0, 2.0, 5.0], t=[0.0, 1.0, 1.3], far=[1, 2, 1000001], empty=["a", "", "b"]
    )
    with pytest.raises(StudyError, match=words):
        levels(rows, f=factor)
