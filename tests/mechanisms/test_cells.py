"""Cells of crossed and nested factors, and layouts of levels."""

import numpy as np
import pytest

from simstudy.errors import StudyError
from simstudy.mechanisms.cells import Crossed, cells_of
from simstudy.mechanisms.layouts import graph_of, points_of


def levels(design):
    return {factor.name: factor.level.tolist() for factor in design.factors}


def test_crossed_factors_meet_in_every_cell():
    """Every pair of levels once."""
    design = cells_of({"row": Crossed(n_levels=2), "item": Crossed(n_levels=3)}, {}).design
    pairs = set(zip(*levels(design).values(), strict=True))
    assert pairs == {(r, i) for r in range(2) for i in range(3)}
    assert design.n_cells == 6


def test_nested_factors_have_levels_of_their_own():
    """Three deep, named from the inside out: every level has one parent, and cells are the innermost ones."""
    factors = {
        "pupil": Crossed(n_levels=2, within="class"),
        "class": Crossed(n_levels=3, within="school"),
        "school": Crossed(n_levels=2),
    }
    design = cells_of(factors, {}).design
    assert design.names == ("pupil", "class", "school")
    assert [f.n_levels for f in design.factors] == [12, 6, 2]
    pupil, klass, school = design.factors
    assert pupil.is_cells
    np.testing.assert_array_equal(klass.level, pupil.parent[pupil.level])
    np.testing.assert_array_equal(school.level, klass.parent[klass.level])


def test_the_digest_is_that_of_what_programs_have():
    """Equal designs have one digest; other levels, graphs and points another."""
    one, same = (cells_of({"row": Crossed(n_levels=4)}, {}).design for _ in range(2))
    assert one.digest == same.digest
    assert one == same
    assert hash(one) == hash(same)
    others = [
        Crossed(n_levels=5),
        Crossed(n_levels=4, edges=np.array([[0, 1]])),
        Crossed(n_levels=4, points=np.arange(4.0)[:, None]),
    ]
    digests = {cells_of({"row": factor}, {}).design.digest for factor in others}
    assert len(digests | {one.digest}) == 4


def test_covariates_of_levels_and_of_cells():
    """Values of a factor's levels go to their cells; values of no factor are crossed with them."""
    factors = {"row": Crossed(n_levels=2), "item": Crossed(n_levels=2)}
    of_row = {"values": (5.0, 7.0), "of": "row"}
    cells = cells_of(factors, {"day": {"values": (0.0, 1.0, 2.0), "of": None}, "x": of_row})
    assert cells.design.n_cells == 12
    np.testing.assert_array_equal(cells.covariates["day"], np.tile([0.0, 1.0, 2.0], 4))
    row = cells.design.factor("row").level
    np.testing.assert_array_equal(cells.covariates["x"], np.where(row == 0, 5.0, 7.0))
    drawn = {"values": None, "of": "item"}
    first, again = (cells_of(factors, {"z": drawn}).covariates["z"] for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert len(set(first)) == 2


@pytest.mark.parametrize(
    ("factors", "covariates", "told"),
    [
        ({"a": Crossed(n_levels=2, within="b")}, {}, "no factor 'b'"),
        ({"a": Crossed(n_levels=2, within="b"), "b": Crossed(n_levels=2, within="a")}, {}, "in a circle"),
        ({"a": Crossed(n_levels=2)}, {"x": {"values": (1.0, 2.0, 3.0), "of": "a"}}, "expected 2 numbers"),
    ],
)
def test_what_makes_no_cells_is_refused(factors, covariates, told):
    """One message each."""
    with pytest.raises(StudyError, match=told):
        cells_of(factors, covariates)


def test_lattices_and_rings_have_the_neighbors_of_their_kind():
    """A lattice of r x c has r (c - 1) + c (r - 1) edges, a ring n; no level is its own neighbor."""
    lattice = graph_of({"lattice": [3, 4]}, None)
    assert lattice.n_levels == 12
    assert len({tuple(sorted(edge)) for edge in lattice.edges.tolist()}) == 3 * 3 + 4 * 2
    row, column = np.divmod(lattice.edges, 4)
    assert np.all(np.abs(np.diff(row)) + np.abs(np.diff(column)) == 1)
    ring = graph_of({"ring": 5}, None)
    assert np.bincount(ring.edges.ravel()).tolist() == [2] * 5


def test_neighbors_may_be_named():
    """Levels stand in the order of their names, and numbers by their size."""
    graph = graph_of({"edges": [["b", "a"], ["c", "a"]]}, None)
    assert graph.labels == ("a", "b", "c")
    assert graph.edges.tolist() == [[1, 0], [2, 0]]
    assert graph_of({"edges": [["10", "9"]]}, None).labels == ("9", "10")


def test_points_lie_where_they_are_said_to():
    """On a line and on a grid from -1 to 1, or as given."""
    assert points_of({"line": 5}).ravel().tolist() == [-1, -0.5, 0, 0.5, 1]
    grid = points_of({"grid": [2, 3]})
    assert grid.shape == (6, 2)
    assert set(grid[:, 0]) == {-1, 0, 1}
    assert set(grid[:, 1]) == {-1, 1}
    assert points_of({"at": [[0, 1], [2, 3]]}).tolist() == [[0, 1], [2, 3]]


@pytest.mark.parametrize(
    ("of", "spec", "told"),
    [
        (graph_of, {"lattice": 5}, "2 whole numbers"),
        (graph_of, {"latice": [5, 5]}, "did you mean 'lattice'"),
        (graph_of, {"edges": [[0, 5], [-1, 0]]}, "outside 0 to 5"),
        (graph_of, {"edges": [[0, "a"]]}, "expected pairs"),
        (graph_of, {"edges": []}, "expected pairs"),
        (graph_of, "lattice", "expected a table"),
        (points_of, {"line": 0}, "whole number of at least 1"),
        (points_of, {"at": ["x"]}, "expected numbers"),
        (points_of, {"line": 3, "grid": [2, 2]}, "expected a table with one of"),
    ],
)
def test_layouts_that_are_none_are_refused(of, spec, told):
    """One message each, with the key."""
    arguments = (spec, None) if of is graph_of else (spec,)
    with pytest.raises(StudyError, match=told):
        of(*arguments)
