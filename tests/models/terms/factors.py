"""Factors at random, and what structures make of unit vectors of noise: covariances without Monte Carlo error."""

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

from simstudy.models.design import Factor
from simstudy.testing.term import pushed

few = settings(deadline=None, max_examples=25)  # a loaded machine is no defect
scales = st.floats(0.05, 20.0)
fractions = st.floats(0.0, 1.0)


def factor_with(n, **layout):
    """Return a factor of n levels that are the cells."""
    return Factor(name="place", level=np.arange(n), n_levels=n, **layout)


@st.composite
def graphs(draw, islands=True):
    """Return a factor with a graph, and its components as lists of levels: trees with edges added, and islands."""
    sizes = draw(st.lists(st.integers(1 if islands else 2, 6), min_size=1, max_size=4))
    if max(sizes) < 2:
        sizes.append(2)
    order = draw(st.permutations(range(sum(sizes))))
    components = [order[end - size : end] for size, end in zip(sizes, np.cumsum(sizes), strict=True)]
    edges = set()
    for inside in components:
        edges |= {(inside[draw(st.integers(0, i - 1))], inside[i]) for i in range(1, len(inside))}
        pairs = [(a, b) for i, b in enumerate(inside) for a in inside[:i]]
        edges |= set(draw(st.lists(st.sampled_from(pairs), max_size=6))) if pairs else set()
    return factor_with(sum(sizes), edges=np.array(sorted(edges))), components


def laplacian(factor):
    """Return the graph's Laplacian, edge by edge."""
    out = np.zeros((factor.n_levels, factor.n_levels))
    for a, b in factor.edges:
        out[[a, b], [a, b]] += 1
        out[a, b] -= 1
        out[b, a] -= 1
    return out


def scaled_covariance(factor, components):
    """Return the intrinsic covariance by pseudo-inverses, the geometric mean of each component's variances 1."""
    out = np.zeros((factor.n_levels, factor.n_levels))
    for inside in components:
        if len(inside) > 1:
            block = np.linalg.pinv(laplacian(factor)[np.ix_(inside, inside)], hermitian=True)
            out[np.ix_(inside, inside)] = block / np.exp(np.mean(np.log(np.diag(block))))
    return out


def covariance(structure, factor, p):
    """Return the (level, level) covariance of the effects at standard normal noise."""
    root = pushed(structure, factor, p)["effect"]
    return root @ root.T


def close(found, expected, *, rtol=1e-9):
    """Assert that matrices are equal up to rounding, relative to the largest entry."""
    np.testing.assert_allclose(found, expected, rtol=rtol, atol=rtol * max(1e-300, np.abs(expected).max()))
