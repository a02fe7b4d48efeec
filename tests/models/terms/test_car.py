"""A proper autoregression has the inverse of (D - alpha W) / tau^2 as its covariance."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simstudy.errors import StudyError
from simstudy.models.terms import CAR
from tests.models.terms.factors import close, covariance, factor_with, few, graphs, laplacian, scales


@few
@given(graphs(islands=False), scales, st.floats(0.0, 0.99))
def test_it_is_the_inverse_of_its_precision(graph, tau, alpha):
    """By a linear solver, edge by edge."""
    factor, _ = graph
    q = laplacian(factor)
    d = np.diag(np.diag(q))
    close(
        covariance(CAR(), factor, {"tau": tau, "alpha": alpha}), tau**2 * np.linalg.inv(d - alpha * (d - q)), rtol=1e-8
    )


def test_a_level_given_the_others_lies_around_its_neighbors():
    """Conditional mean alpha times that of the neighbors, conditional sd tau / sqrt(neighbors)."""
    factor = factor_with(4, edges=np.array([[0, 1], [1, 2], [1, 3]]))
    v = covariance(CAR(), factor, {"tau": 2.0, "alpha": 0.6})
    others = [0, 2, 3]
    weights = np.linalg.solve(v[np.ix_(others, others)], v[others, 1])
    np.testing.assert_allclose(weights, 0.6 / 3, rtol=1e-9)
    np.testing.assert_allclose(v[1, 1] - weights @ v[others, 1], 4.0 / 3, rtol=1e-9)


def test_scales_stay_finite_as_neighbors_become_alike():
    """Rounding pushes no eigenvalue beyond 1, whatever the size of the graph."""
    edges = np.array([(i, i + 1) for i in range(199)] + [(i, i + 20) for i in range(180)])
    structure, factor = CAR(), factor_with(200, edges=edges)
    constants = {name: value.astype(np.float32) for name, value in structure.constants(factor).items()}
    p = {"tau": np.float32(1), "alpha": np.float32(1 - 6e-8)}
    scale = structure.scale(p, constants, np)["z"]
    assert np.isfinite(scale).all()
    assert (scale > 0).all()


def test_an_island_is_refused_by_its_name():
    """It has no variance; another structure has one for it."""
    factor = factor_with(3, edges=np.array([[0, 2]]), labels=("Iona", "Mull", "Skye"))
    message = (
        "a proper autoregression has no variance for a level without neighbors, and 'Mull' has none; give it one, or "
        "take bym2"
    )
    with pytest.raises(StudyError, match=f"^{message}$"):
        CAR().check(factor)
