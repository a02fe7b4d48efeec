"""How the levels of the factors of a run lie to each other, as its table of levels says.

Runs with a single grouping have no such table, and neither have runs made before.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from simstudy.store.schema import CELLS, LEVELS

EXCHANGEABLE = "levels"
"""The layout of a factor whose levels have no neighbors."""
NEAREST = 2
"""Neighbors of a point in each dimension."""


def levels_of(run: Any) -> pd.DataFrame:
    """Return the table of levels of a run; without rows where it has none."""
    table = getattr(run, "levels", None)
    return LEVELS.empty_table().to_pandas() if table is None else table


def cells_of(run: Any) -> pd.DataFrame:
    """Return the table of cells of a run; without rows where it has none."""
    table = getattr(run, "cells", None)
    return CELLS.empty_table().to_pandas() if table is None else table


def layouts(run: Any) -> dict[str, str]:
    """Return factor -> its layout, in the order of the design."""
    table = levels_of(run).drop_duplicates("factor")
    return dict(zip(table["factor"].astype(str), table["layout"].astype(str), strict=True))


def with_neighbors(run: Any) -> list[str]:
    """Return the factors whose levels have neighbors: those of a series, a graph or points."""
    return [factor for factor, layout in layouts(run).items() if layout != EXCHANGEABLE]


def level_names(levels: pd.DataFrame) -> list[str]:
    """Return what each of some levels is called: its label, or its factor and its place from 1.

    >>> table = pd.DataFrame({"factor": ["school"] * 2, "level": [0, 1], "label": ["Lincoln High", None]})
    >>> level_names(table)
    ['Lincoln High', 'school 2']
    """
    each = zip(levels["factor"], levels["level"], levels["label"], strict=True)
    return [
        f"{factor} {int(level) + 1}" if label is None or label != label else str(label) for factor, level, label in each
    ]


def names_by_level(levels: pd.DataFrame) -> dict[int, str]:
    """Return level -> what it is called, of the rows of one factor of one scenario."""
    return dict(zip(levels["level"].astype(int), level_names(levels), strict=True))


def adjacency(levels: pd.DataFrame) -> np.ndarray:
    """Return the (level, level) bool matrix of neighbors of a factor, by its layout.

    Args:
        levels: rows of one factor of one scenario. Neighbors in a series are the levels before and after, in a graph
            those of its edges, of points the two nearest in each dimension.
    """
    rows = levels.sort_values("level")
    n, layout = len(rows), str(rows["layout"].iloc[0])
    near = np.zeros((n, n), bool)
    if layout == "order":
        step = np.arange(n - 1)
        near[step, step + 1] = True
    elif layout == "graph":
        for level, others in enumerate(rows["neighbors"]):
            near[level, np.asarray(others, int)] = True
    elif layout == "points":
        at = points(rows)
        distance = np.linalg.norm(at[:, None] - at[None], axis=-1)
        np.fill_diagonal(distance, np.inf)
        order = np.argsort(distance, axis=1, kind="stable")[:, : min(NEAREST * at.shape[1], n - 1)]
        np.put_along_axis(near, order, values=True, axis=1)
    return near | near.T


def points(levels: pd.DataFrame) -> np.ndarray:
    """Return the (level, dimension) coordinates of levels that have any."""
    return levels[["x", "y"]].dropna(axis=1, how="all").to_numpy(float)


def by_scenario(table: pd.DataFrame) -> Mapping[str, pd.DataFrame]:
    """Return scenario -> its rows."""
    return {str(name): rows for name, rows in table.groupby("scenario", sort=False)}
