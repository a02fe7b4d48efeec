"""How the levels of a factor lie to each other, as a study says it: graphs of neighbors, and points.

A graph is a lattice, a ring, or a list of pairs, which may stand in a file; points lie on a line, on a grid, or where
a list says. Levels are counted from 0 in the order in which they are named.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from simstudy.errors import StudyError, TableError, shown, suggestion
from simstudy.mechanisms.dataset import file_beside
from simstudy.tables import read_file

GRAPH_KEYS, POINT_KEYS = ("lattice", "ring", "edges"), ("line", "grid", "at")
LISTS = ("edges", "at")
"""Keys whose values are lists of pairs or points."""


@dataclass(frozen=True, kw_only=True)
class Graph:
    """Neighbors.

    Args:
        n_levels: number of levels.
        edges: (edge, 2) int64 pairs of levels.
        labels: names of the levels; none where they have numbers alone.
    """

    n_levels: int
    edges: np.ndarray
    labels: tuple[str, ...] = ()


def graph_of(spec: Any, n_levels: int | None) -> Graph:
    """Return the graph of a ``graph`` table.

    Args:
        spec: ``{ lattice = [rows, columns] }``, ``{ ring = n }``, or ``{ edges = [[0, 1], ...] }``, also of names.
        n_levels: number of levels where the study gives it; levels without an edge are islands.

    Raises:
        StudyError: names the key, what is expected and what came.

    >>> graph_of({"lattice": [2, 2]}, None).edges.tolist()
    [[0, 1], [2, 3], [0, 2], [1, 3]]
    """
    key, value = _one_key(spec, GRAPH_KEYS, "graph", "{ lattice = [5, 5] }")
    if key == "lattice":
        rows, columns = _counts(value, 2, "graph.lattice")
        place = np.arange(rows * columns).reshape(rows, columns)
        beside = np.stack([place[:, :-1].ravel(), place[:, 1:].ravel()], 1)
        below = np.stack([place[:-1].ravel(), place[1:].ravel()], 1)
        return Graph(n_levels=rows * columns, edges=np.concatenate([beside, below]))
    if key == "ring":
        (n,) = _counts([value], 1, "graph.ring")
        pairs = sorted({(min(i, (i + 1) % n), max(i, (i + 1) % n)) for i in range(n) if n > 1})
        return Graph(n_levels=n, edges=np.array(pairs, dtype=np.int64).reshape(-1, 2))
    return _from_pairs(value, n_levels)


def points_of(spec: Any) -> np.ndarray:
    """Return the (level, dimension) points of a ``points`` table.

    Args:
        spec: ``{ line = n }``, n points from -1 to 1; ``{ grid = [rows, columns] }`` on the square of that side; or
            ``{ at = [0.1, 0.5, ...] }``, also ``{ at = [[x, y], ...] }``.

    Raises:
        StudyError: names the key, what is expected and what came.

    >>> points_of({"line": 3}).ravel().tolist()
    [-1.0, 0.0, 1.0]
    """
    key, value = _one_key(spec, POINT_KEYS, "points", "{ line = 20 }")
    if key == "line":
        (n,) = _counts([value], 1, "points.line")
        return np.linspace(-1, 1, n)[:, None]
    if key == "grid":
        rows, columns = _counts(value, 2, "points.grid")
        y, x = np.meshgrid(np.linspace(-1, 1, rows), np.linspace(-1, 1, columns), indexing="ij")
        return np.stack([x.ravel(), y.ravel()], 1)
    try:
        points = np.asarray(value, float)
    except (TypeError, ValueError):
        points = np.zeros(())
    points = points[:, None] if points.ndim == 1 else points
    if points.ndim != 2 or not len(points) or points.shape[1] > 2 or not np.isfinite(points).all():
        raise StudyError(f"points.at: expected numbers, or pairs of numbers, one for each level, got {shown(value)}")
    return points


def layout_text(spec: Mapping[str, Any], listed: str) -> str:
    """Return what a ``graph`` or ``points`` table says, in a few words; where it is a list, what to say of it.

    >>> layout_text({"lattice": [5, 4]}, "31 pairs"), layout_text({"edges": [[0, 1]]}, "1 pairs")
    ('lattice 5 x 4', '1 pairs')
    """
    ((key, value),) = spec.items()
    if key in LISTS:
        return listed
    return f"{key} {' x '.join(map(str, value)) if isinstance(value, list | tuple) else value}"


def _one_key(spec: Any, keys: Sequence[str], what: str, example: str) -> tuple[str, Any]:
    if not isinstance(spec, Mapping) or len(spec) != 1:
        raise StudyError(
            f"{what}: expected a table with one of {', '.join(keys)}, such as {example}, got {shown(spec)}"
        )
    ((key, value),) = spec.items()
    if key not in keys:
        raise StudyError(f"{what}.{key}: unknown key{suggestion(str(key), keys)}; expected one of {', '.join(keys)}")
    return key, value


def _counts(value: Any, n: int, where: str) -> list[int]:
    numbers = list(value) if isinstance(value, list | tuple) else [value]
    if len(numbers) != n or not all(isinstance(v, int) and not isinstance(v, bool) and v >= 1 for v in numbers):
        expected = "a whole number of at least 1" if n == 1 else f"{n} whole numbers of at least 1, such as [5, 5]"
        raise StudyError(f"{where}: expected {expected}, got {shown(value if n > 1 else numbers[0])}")
    return numbers


def _from_pairs(value: Any, n_levels: int | None) -> Graph:
    is_pairs = isinstance(value, list | tuple) and all(isinstance(e, list | tuple) and len(e) == 2 for e in value)
    ends = [end for edge in value for end in edge] if is_pairs else []
    if ends and all(isinstance(end, str) for end in ends):
        return _of_names(value, n_levels)
    if not ends or not all(isinstance(end, int) and not isinstance(end, bool) for end in ends):
        raise StudyError(
            "graph.edges: expected pairs of levels counted from 0, such as [[0, 1], [1, 2]], pairs of names, or a "
            f"file, got {shown(value)}"
        )
    n = max(ends) + 1 if n_levels is None else n_levels
    if min(ends) < 0 or max(ends) >= n:
        wrong = next(list(edge) for edge in value if min(edge) < 0 or max(edge) >= n)
        raise StudyError(
            f"graph.edges: the pair {wrong} names a level outside 0 to {n - 1}; mend it, or give more levels"
        )
    return Graph(n_levels=n, edges=np.array(value, dtype=np.int64))


def _of_names(pairs: Sequence[Sequence[str]], n_levels: int | None) -> Graph:
    """Return the graph of pairs of names; levels stand in the order of their names, numbers by their size."""
    names = list(dict.fromkeys(name for pair in pairs for name in pair))
    labels = sorted(names, key=int) if all(name.isdecimal() for name in names) else sorted(names)
    if n_levels not in (None, len(labels)):
        raise StudyError(f"levels: the graph has {len(labels)} nodes, not {n_levels}; leave the key out")
    place = {label: i for i, label in enumerate(labels)}
    return Graph(
        n_levels=len(labels),
        edges=np.array([[place[a], place[b]] for a, b in pairs], dtype=np.int64),
        labels=tuple(labels),
    )


def pairs_in(value: str, folder: Path | None) -> list[list[str]]:
    """Return the pairs of names in the first two columns of a file.

    Raises:
        StudyError: the file cannot be read, or has one column.
    """
    try:
        table = read_file(file_beside(value, folder or Path(), "graph.edges"))
        if len(table.names) < 2:
            raise StudyError(f"graph.edges: {shown(value)} has one column; expected two, a pair of neighbors in a row")
        first, second = (table.labels("graph.edges", column) for column in table.names[:2])
    except TableError as error:
        raise StudyError(f"graph.edges: cannot read {shown(value)}: {error}") from error
    return [[str(a), str(b)] for a, b in zip(first, second, strict=True)]
