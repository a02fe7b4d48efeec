"""Where the levels of a graph are drawn: on their lattice where they make one, else as far apart as paths are long.

The places are those of multidimensional scaling of the lengths of the shortest paths (Kruskal & Seery 1980; Gansner,
Koren & North 2004, Graph drawing by stress majorization), the same for the same graph.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components, shortest_path

STEPS = 60
GAP = 1.5  # between components, in steps of a path
MOST_LAID_OUT = 500


def graph_places(near: np.ndarray) -> np.ndarray:
    """Return the (level, 2) places of the levels of a graph; its components lie side by side, the largest first.

    Args:
        near: (level, level) bool, symmetric; whether two levels are neighbors.

    >>> near = np.zeros((4, 4), bool)
    >>> for a, b in ((0, 1), (2, 3), (0, 2), (1, 3)):
    ...     near[a, b] = near[b, a] = True
    >>> graph_places(near).tolist()
    [[0.0, 0.0], [1.0, 0.0], [0.0, -1.0], [1.0, -1.0]]
    """
    if columns := lattice_columns(near):
        place = np.arange(len(near))
        return np.stack([place % columns, -(place // columns)], 1).astype(float)
    _, component = connected_components(csr_matrix(near), directed=False)
    sizes = np.bincount(component)
    out = np.zeros((len(near), 2))
    right = 0.0
    for number in np.argsort(-sizes, kind="stable"):
        inside = np.flatnonzero(component == number)
        at = _component(near[np.ix_(inside, inside)])
        at -= at.min(0)
        out[inside] = at + np.array([right, 0.0])
        right += float(at[:, 0].max()) + GAP
    return out


def lattice_columns(near: np.ndarray) -> int:
    """Return the number of columns of the lattice that a graph is, its levels counted row by row; 0 for another graph.

    >>> lattice_columns(np.eye(3, k=1, dtype=bool) | np.eye(3, k=-1, dtype=bool))
    3
    """
    n = len(near)
    for columns in range(2, n + 1):
        if n % columns:
            continue
        place = np.arange(n)
        row, column = place // columns, place % columns
        apart = np.abs(row[:, None] - row) + np.abs(column[:, None] - column)
        if (near == (apart == 1)).all():
            return columns
    return 0


def _component(near: np.ndarray) -> np.ndarray:
    """Return the (level, 2) places of the levels of a connected graph."""
    n = len(near)
    if n == 1:
        return np.zeros((1, 2))
    distance = shortest_path(csr_matrix(near), directed=False, unweighted=True)
    centered = -0.5 * (distance**2 - (distance**2).mean(0) - (distance**2).mean(1)[:, None] + (distance**2).mean())
    values, vectors = np.linalg.eigh(centered)
    at = vectors[:, -2:][:, ::-1] * np.sqrt(np.maximum(values[-2:][::-1], 0))
    at = at * np.where(at[np.abs(at).argmax(0), [0, 1]] < 0, -1, 1)
    return at if n > MOST_LAID_OUT else _majorized(at, distance)


def _majorized(at: np.ndarray, distance: np.ndarray) -> np.ndarray:
    """Return places that lie nearer to the distances, after some steps of stress majorization."""
    weight = np.divide(1.0, distance**2, out=np.zeros_like(distance), where=distance > 0)
    laplacian = np.diag(weight.sum(1)) - weight
    inverse = np.linalg.pinv(laplacian)
    for _ in range(STEPS):
        apart = np.linalg.norm(at[:, None] - at, axis=-1)
        pull = -np.divide(weight * distance, apart, out=np.zeros_like(apart), where=apart > 0)
        np.fill_diagonal(pull, 0.0)
        np.fill_diagonal(pull, -pull.sum(1))
        at = inverse @ (pull @ at)
    return at
