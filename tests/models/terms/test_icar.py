"""An intrinsic autoregression has the scaled pseudo-inverse of the Laplacian as its covariance, on any graph."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simstudy.errors import StudyError
from simstudy.models.terms import ICAR
from simstudy.testing.term import pushed
from tests.models.terms.factors import close, covariance, factor_with, few, graphs, laplacian, scaled_covariance, scales


@few
@given(graphs(), scales)
def test_it_is_the_scaled_pseudo_inverse(graph, tau):
    """Component by component; islands have no structured part; every component sums to 0."""
    factor, components = graph
    close(covariance(ICAR(), factor, {"tau": tau}), tau**2 * scaled_covariance(factor, components), rtol=1e-8)
    root = pushed(ICAR(), factor, {"tau": tau})["effect"]
    for inside in components:
        assert np.abs(root[inside].sum(0)).max() < 1e-12 * tau * len(inside)


@few
@given(graphs())
def test_the_rank_is_levels_less_components(graph):
    """Of the Laplacian as of the modes."""
    factor, components = graph
    rank = factor.n_levels - len(components)
    assert ICAR().parts(factor) == {"z": rank}
    assert np.linalg.matrix_rank(laplacian(factor)) == rank
    assert np.linalg.matrix_rank(ICAR().constants(factor)["basis"]) == rank


@few
@given(graphs(), st.randoms(use_true_random=False))
def test_names_and_order_of_edges_do_not_matter(graph, random):
    """Relabeled levels take their covariance with them."""
    factor, _ = graph
    new_name = np.array(random.sample(range(factor.n_levels), factor.n_levels))
    edges = new_name[factor.edges][::-1, ::-1]
    moved = covariance(ICAR(), factor_with(factor.n_levels, edges=edges), {"tau": 1.0})
    close(moved[np.ix_(new_name, new_name)], covariance(ICAR(), factor, {"tau": 1.0}), rtol=1e-8)


@pytest.mark.parametrize("n", [2, 3, 10])
def test_where_all_are_neighbors_of_all(n):
    """Laplacian n I - J: variances are equal, hence 1, and correlations -1/(n - 1)."""
    edges = np.array([(i, j) for j in range(n) for i in range(j)])
    expected = np.where(np.eye(n, dtype=bool), 1.0, -1 / (n - 1))
    close(covariance(ICAR(), factor_with(n, edges=edges), {"tau": 1.0}), expected)


def test_a_line_is_a_random_walk():
    """Up to the scaling: the correlations are those of summed steps around their mean."""
    n = 9
    sums = np.tril(np.ones((n, n)))[:, 1:]
    centered = sums - sums.mean(0)
    walk = centered @ centered.T
    line = covariance(ICAR(), factor_with(n, edges=np.stack([np.arange(n - 1), np.arange(1, n)], 1)), {"tau": 1.0})
    close(line / line[0, 0], walk / walk[0, 0])


WRONG = {
    "none": (None, "the factor 'place' has no graph; give one, such as graph = { lattice = [5, 5] }"),
    "empty": (np.zeros((0, 2), int), "the graph of 'place' has no edge, so that no level has a neighbor"),
    "outside": ([[0, 1], [1, 3]], "the graph of 'place': an edge leads to a level outside 0 to 2"),
    "itself": ([[0, 1], [2, 2]], "the graph of 'place': 'Skye' is its own neighbor; remove the edge"),
    "twice": ([[0, 1], [1, 0]], "the graph of 'place': the edge 'Mull' to 'Iona' stands twice; give every pair once"),
}


@pytest.mark.parametrize(("edges", "message"), WRONG.values(), ids=WRONG)
def test_what_is_no_graph_is_refused(edges, message):
    """With the levels' own names."""
    factor = factor_with(3, labels=("Iona", "Mull", "Skye"), edges=None if edges is None else np.asarray(edges))
    with pytest.raises(StudyError) as refused:
        ICAR().check(factor)
    assert str(refused.value) == message
