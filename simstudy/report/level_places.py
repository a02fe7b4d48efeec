"""Pictures of levels that lie somewhere: series and curves along a line, maps of graphs and of points in a plane."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from simstudy.report.level_values import LevelFigure, factors_of, level_figure, told_errors, truth_of, values_of
from simstudy.report.reading.graph_layout import graph_places, lattice_columns
from simstudy.report.reading.replicate import DrawnReplicate
from simstudy.store.factors import adjacency, points


def series_figures(drawn: DrawnReplicate) -> list[LevelFigure]:
    """Return series of levels that follow one another, and curves of those that lie along a line."""
    out = []
    for factor, levels in factors_of(drawn).items():
        layout = str(levels["layout"].iloc[0])
        if layout != "order" and not (layout == "points" and points(levels).shape[1] == 1):
            continue
        at = levels["x"].to_numpy(float) if layout == "points" else _numbers(levels)
        place = pd.Series(at, index=levels["level"].to_numpy(int))
        rows, words, observed = values_of(drawn, factor, levels)
        truth = truth_of(rows)
        table = rows.assign(x=rows["level"].map(place))
        draw: dict[str, Any] = {
            "truth": None
            if truth is None
            else pd.DataFrame({"x": place[truth.index].to_numpy(), "truth": truth.to_numpy()}),
            "data": None
            if observed is None
            else pd.DataFrame({"x": place[observed.index].to_numpy(), "y": observed.to_numpy()}),
            "along": factor,
            "words": words,
            "marks": drawn.evidence.marks,
        }
        what = "levels" if layout == "order" else "points"
        caption = f"Posterior means with {100 * drawn.level:g} % intervals.{told_errors(rows, drawn.level, what)}"
        title = f"{factor}: {'the series' if layout == 'order' else 'the curve'} and what each method makes of it"
        out.append(level_figure("level_series", factor, title, caption, table, draw))
    return out


def _numbers(levels: pd.DataFrame) -> np.ndarray:
    """Return the numbers that the labels of levels are, or their places from 1."""
    numbers = pd.to_numeric(levels["label"], errors="coerce").to_numpy(float)
    return numbers if np.isfinite(numbers).all() else levels["level"].to_numpy(float) + 1


def _fills_lattice(at: np.ndarray) -> bool:
    """Whether there is one point at every crossing of the rows and columns that points have."""
    columns, rows = (len(np.unique(at[:, k])) for k in (0, 1))
    return min(rows, columns) > 1 and rows * columns == len(at) == len(np.unique(at, axis=0))


def map_figures(drawn: DrawnReplicate) -> list[LevelFigure]:
    """Return maps of levels that have neighbors, and of those that lie in a plane."""
    out = []
    for factor, levels in factors_of(drawn).items():
        layout = str(levels["layout"].iloc[0])
        has_places = points(levels).shape[1] == 2
        if layout != "graph" and not (layout == "points" and has_places):
            continue
        near = adjacency(levels) if layout == "graph" else None
        at = points(levels) if near is None or has_places else graph_places(near)
        rows, words, _ = values_of(drawn, factor, levels)
        truth = truth_of(rows)
        is_lattice = _fills_lattice(at) if has_places else near is not None and lattice_columns(near) > 0
        draw: dict[str, Any] = {
            "places": pd.DataFrame(at, columns=["x", "y"], index=levels["level"].to_numpy(int)),
            "edges": None if near is None or is_lattice else np.argwhere(np.triu(near)),
            "truth": truth,
            "words": words,
            "is_lattice": is_lattice,
        }
        where = "" if has_places or is_lattice else " Levels lie as far apart as the paths between them are long."
        caption = f"Colors are posterior means of {words}.{told_errors(rows, drawn.level, 'levels')}{where}"
        title = f"{factor}: the map and what each method makes of it"
        out.append(level_figure("level_map", factor, title, caption, rows, draw))
    return out
