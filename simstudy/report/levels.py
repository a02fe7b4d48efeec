"""What is drawn of the levels of each factor in one data set, as they lie to each other.

Which picture a factor has is what its levels declare: a series where they follow one another or lie along a line, a map
where they have neighbors or places, lines where effects have slopes, a tree where factors are nested, else rows.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from simstudy.report.figures.canvas import MIDDLE
from simstudy.report.level_places import map_figures, series_figures
from simstudy.report.level_trees import tree_figures
from simstudy.report.level_values import (
    LevelFigure,
    effects_of,
    factors_of,
    level_figure,
    outer_of,
    predictor_of_cells,
    spread_out,
    told_errors,
)
from simstudy.report.reading.replicate import DrawnReplicate
from simstudy.report.reading.wording import symbol
from simstudy.store.factors import names_by_level

MOST_ROWS, MOST_PANELS = 40, 18


def level_figures(drawn: DrawnReplicate) -> list[LevelFigure]:
    """Return the pictures of a data set, those of trees, lines, series and maps before plain rows."""
    makers = (tree_figures, _lines, series_figures, map_figures, _rows)
    return [one for make in makers for one in make(drawn)]


def _lines(drawn: DrawnReplicate) -> list[LevelFigure]:
    """Return the lines of levels whose effects have slopes: the predictor of their cells along the covariate."""
    out = []
    for factor, levels in factors_of(drawn).items():
        varying = [x for x in drawn.covariates if _varies_within(drawn.cells, factor, x)]
        if len(effects_of(factor)) < 2 or not varying:
            continue
        covariate, name = varying[0], predictor_of_cells().name
        shown = spread_out(levels, MOST_PANELS)
        called = names_by_level(shown)
        cells = drawn.cells.assign(level=drawn.cells[factor].astype(int).map(called), x=drawn.cells[covariate])
        cells = cells[["level", "x"]].dropna()
        rows = drawn.estimates(name)
        told = told_errors(rows, drawn.level, "cells")
        rows = rows.rename(columns={"level": "cell", "mean": "y"}).merge(cells, left_on="cell", right_index=True)
        rows = rows.sort_values(
            ["method", "x"], kind="stable", key=lambda s: s.map(_order(drawn)) if s.name == "method" else s
        )
        truth = rows.dropna(subset="truth").drop_duplicates("cell").assign(y=lambda t: t["truth"])
        observed = drawn.observed
        data = None if observed is None else cells.assign(y=observed).dropna()
        rows = rows.sort_values(
            "level", key=lambda s: s.map({n: i for i, n in enumerate(called.values())}), kind="stable"
        )
        draw: dict[str, Any] = {
            "truth": truth if len(truth) else None,
            "data": data,
            "covariate": covariate,
            "words": symbol(name),
            "marks": drawn.evidence.marks,
        }
        some = _some(shown, levels)
        caption = f"Each panel is one level of {factor}: its line along {covariate}.{some}{told}"
        title = f"{factor}: the line of each level"
        out.append(level_figure("level_lines", factor, title, caption, rows, draw))
    return out


def _varies_within(cells: pd.DataFrame, factor: str, covariate: str) -> bool:
    """Whether a covariate has several values in a level of a factor."""
    of_level = cells.groupby(factor)[covariate]
    return bool((of_level.max() > of_level.min()).any())


def _rows(drawn: DrawnReplicate) -> list[LevelFigure]:
    """Return the effects of factors whose levels lie to each other in no way, a row for each level."""
    factors = factors_of(drawn)
    in_trees = {name for name, levels in factors.items() if outer_of(levels)} | {
        outer for levels in factors.values() if (outer := outer_of(levels))
    }
    out = []
    for factor, levels in factors.items():
        kinds = effects_of(factor)
        if str(levels["layout"].iloc[0]) != "levels" or factor in in_trees or len(kinds) != 1:
            continue
        shown = spread_out(levels, MOST_ROWS)
        called = names_by_level(shown)
        rows = drawn.estimates(kinds[0].name)
        rows = rows[rows["level"].isin(called)]
        if rows.empty:
            continue
        rows = rows.assign(name=[called[int(level)] for level in rows["level"]])
        truth = rows.dropna(subset="truth").drop_duplicates("name").set_index("name")["truth"]
        draw: dict[str, Any] = {"truth": truth if len(truth) else None, "marks": drawn.evidence.marks}
        some = _some(shown, levels)
        caption = (
            f"Posterior means of {symbol(kinds[0].name)} with {100 * drawn.level:g} % intervals.{some}"
            f"{told_errors(rows, drawn.level, 'levels')}"
        )
        title = f"{factor}: the effect of each level"
        out.append(level_figure("posterior", factor, title, caption, rows, draw, width=MIDDLE))
    return out


def _some(shown: pd.DataFrame, levels: pd.DataFrame) -> str:
    """Return how many levels are drawn, where not all are."""
    return f" {len(shown)} of {len(levels)} are drawn." if len(shown) < len(levels) else ""


def _order(drawn: DrawnReplicate) -> dict[str, int]:
    return {name: i for i, name in enumerate(drawn.methods)}
