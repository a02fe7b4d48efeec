"""Graphs of neighboring levels: components, Laplacian, and what structures on graphs make of them. Dense, float64."""

import functools
from dataclasses import dataclass

import numpy as np

from simstudy.errors import StudyError
from simstudy.late import csgraph, sparse
from simstudy.models.design import Factor


@dataclass(frozen=True, kw_only=True)
class Neighbors:
    """A graph of the levels of a factor.

    Args:
        weights: (level, level) 1 for neighbors, else 0.
        component: (level,) number of the component that each level belongs to.
    """

    weights: np.ndarray
    component: np.ndarray

    @property
    def degree(self) -> np.ndarray:
        """(level,) number of neighbors; 0 for an island."""
        return self.weights.sum(1)

    @property
    def n_components(self) -> int:
        """Number of components, islands among them."""
        return int(self.component.max()) + 1


@functools.lru_cache(maxsize=256)
def neighbors_of(factor: Factor) -> Neighbors:
    """Return the graph of a factor.

    Raises:
        StudyError: there is none, or its edges are no pairs of different levels, each pair once.
    """
    check_edges(factor)
    assert factor.edges is not None  # the check has refused it; for the type checker
    n, (a, b) = factor.n_levels, factor.edges.T
    weights = np.zeros((n, n))
    weights[a, b] = weights[b, a] = 1
    _, component = csgraph.connected_components(sparse.coo_matrix(weights), directed=False)
    return Neighbors(weights=weights, component=component)


def check_edges(factor: Factor) -> None:
    """Refuse edges that make no graph of the factor's levels.

    Raises:
        StudyError: names the first wrong edge, by the labels of its levels.
    """
    if factor.edges is None:
        raise StudyError(f"the factor {factor.name!r} has no graph; give one, such as graph = {{ lattice = [5, 5] }}")
    if not len(factor.edges):
        raise StudyError(f"the graph of {factor.name!r} has no edge, so that no level has a neighbor")
    names = factor.labels or tuple(map(str, range(factor.n_levels)))
    seen: set[tuple[int, int]] = set()
    for a, b in factor.edges.tolist():
        if not (0 <= a < factor.n_levels and 0 <= b < factor.n_levels):
            raise StudyError(f"the graph of {factor.name!r}: an edge leads to a level outside 0 to {len(names) - 1}")
        if a == b:
            raise StudyError(f"the graph of {factor.name!r}: {names[a]!r} is its own neighbor; remove the edge")
        if (pair := (min(a, b), max(a, b))) in seen:
            twice = f"{names[a]!r} to {names[b]!r}"
            raise StudyError(f"the graph of {factor.name!r}: the edge {twice} stands twice; give every pair once")
        seen.add(pair)


def intrinsic_modes(neighbors: Neighbors) -> np.ndarray:
    """Return (level, mode) B with B z ~ the intrinsic autoregression of unit scale, z standard normal.

    Eigenvectors of the Laplacian of each component, without its null space, over the square roots of its eigenvalues;
    scaled so that the geometric mean of the variances of each component's levels is 1 (Soerbye & Rue 2014;
    Freni-Sterrantino, Ventrucci & Rue 2018). An island has no mode. The rank is the levels minus the components.
    """
    columns = []
    for number in range(neighbors.n_components):
        inside = np.flatnonzero(neighbors.component == number)
        if len(inside) < 2:
            continue
        weights = neighbors.weights[np.ix_(inside, inside)]
        values, vectors = np.linalg.eigh(np.diag(weights.sum(1)) - weights)
        modes = vectors[:, 1:] / np.sqrt(values[1:])
        modes /= np.exp(np.log((modes**2).sum(1)).mean() / 2)
        placed = np.zeros((len(neighbors.component), modes.shape[1]))
        placed[inside] = modes
        columns.append(placed)
    return np.concatenate(columns, axis=1)
