"""Where the levels of a graph are drawn."""

import numpy as np
import pytest

from simstudy.report.reading.graph_layout import graph_places, lattice_columns


def graph(n, edges):
    """Return the adjacency of edges."""
    near = np.zeros((n, n), bool)
    for a, b in edges:
        near[a, b] = near[b, a] = True
    return near


def ring(n):
    """Return that of a ring."""
    return graph(n, [(i, (i + 1) % n) for i in range(n)])


def lattice(rows, columns):
    """Return that of a lattice, counted row by row."""
    right = [(i, i + 1) for i in range(rows * columns) if (i + 1) % columns]
    return graph(rows * columns, right + [(i, i + columns) for i in range((rows - 1) * columns)])


@pytest.mark.parametrize("shape", [(1, 5), (2, 2), (3, 4), (5, 3)])
def test_a_lattice_is_found_and_lies_in_rows(shape):
    """Its columns are counted, and neighbors lie one step apart."""
    near = lattice(*shape)
    assert lattice_columns(near) == shape[1]
    at = graph_places(near)
    apart = np.linalg.norm(at[:, None] - at, axis=-1)
    np.testing.assert_allclose(apart[near], 1)


@pytest.mark.parametrize(
    "near", [ring(6), graph(4, [(0, 1), (1, 2), (0, 2), (2, 3)]), lattice(3, 3)[::-1][:, [*range(9)]]]
)
def test_other_graphs_are_no_lattice(near):
    """A ring, a triangle with a tail, and a matrix that is no lattice row by row."""
    assert lattice_columns(near & near.T) == 0


def test_a_ring_is_drawn_as_one():
    """Symmetric: every level as far from the middle, every pair of neighbors as far apart."""
    at = graph_places(ring(8))
    from_middle = np.linalg.norm(at - at.mean(0), axis=1)
    steps = np.linalg.norm(at - np.roll(at, 1, 0), axis=1)
    np.testing.assert_allclose(from_middle, from_middle.mean(), rtol=1e-3)
    np.testing.assert_allclose(steps, steps.mean(), rtol=1e-3)


def test_a_tree_keeps_the_lengths_of_its_paths():
    """A star with long arms: places lie nearly as far apart as paths are long (within a tenth)."""
    edges = [(0, 1), (1, 2), (0, 3), (3, 4), (0, 5), (5, 6)]
    at = graph_places(graph(7, edges))
    arms = np.linalg.norm(at[[2, 4, 6]] - at[0], axis=1)
    np.testing.assert_allclose(arms, 2, rtol=0.1)


def test_components_and_islands_do_not_overlap():
    """The largest lies leftmost, others to its right."""
    near = graph(8, [(0, 1), (1, 2), (2, 0), (2, 3), (4, 5), (5, 6)])
    at = graph_places(near)
    assert at[:4, 0].max() < at[4:7, 0].min()
    assert at[4:7, 0].max() < at[7, 0]
    np.testing.assert_array_equal(at, graph_places(near))
