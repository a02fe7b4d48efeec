"""Measures as color, scenarios down and methods across: a small design at a glance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from simstudy.report.figures.canvas import AT_LEVEL, NARROW_BELOW, WIDE, called, drawing, panels
from simstudy.report.figures.lollipop import apart, target_of
from simstudy.report.figures.maps import LABEL_LENGTH, map_colors, name_rows_once, paint
from simstudy.report.reading.design import read_design
from simstudy.report.reading.readings import average, require
from simstudy.report.reading.wording import measure_words, number

ROW_INCHES, HEAD = 0.3, 0.95
MOST_WRITTEN = 150
CENTERED = ("bias", "median_bias", "relative_bias", "relative_error", *AT_LEVEL)
METHOD_LENGTH, NARROW_METHOD_LENGTH = 16, 12


def heat(
    performance: pd.DataFrame,
    scenarios: pd.DataFrame,
    *,
    estimand: str,
    measures: Sequence[str] = ("bias", "rmse", "coverage"),
    labels: Mapping[str, str] | None = None,
    ax: Axes | None = None,
    width: float = WIDE,
) -> Figure:
    """Draw each measure as a map with a row per scenario and a column per method, on a color scale of its own.

    White is where a bias, a relative error or a coverage should be; other measures go from dark (small) to light.
    Numbers stand in the cells of small maps; cells without a value are hatched.

    Args:
        performance: the performance table.
        scenarios: the scenarios, with a column per factor.
        estimand: an estimand of the table; averaged over groups where it has groups.
        measures: measures of the table; those it lacks for the estimand are left out.
        labels: name -> what is written for it: of methods, scenarios (id, or label), measures and estimands; their own
            names where left out.
        ax: axes to draw on, where there is one panel; a figure of its own where left out.
        width: of the figure, in inches; below 6 the maps stand below each other.

    Raises:
        TableError: the table has none of the measures for the estimand.
    """
    design = read_design(scenarios)
    tables = {m: t for m in measures if not (t := average(performance, m, estimand=estimand)).empty}
    require(pd.DataFrame(list(tables)), f"{' or '.join(measures)} of {estimand}")
    narrow = width < NARROW_BELOW
    with drawing(ax=ax, labels=labels):
        grids = {measure: _grid(table, design.labels, narrow=narrow) for measure, table in tables.items()}
        columns = 1 if narrow else len(grids)
        height = HEAD + ROW_INCHES * max(len(grid) for grid in grids.values())
        figure, axes = panels(len(grids), columns=columns, width=width, height=height)
        for ax, (measure, grid) in zip(axes, grids.items(), strict=True):
            values = grid.to_numpy(float)
            values = np.where(np.isinf(values), np.nan, values)
            colors = map_colors(values, target_of(measure, tables[measure]) if measure in CENTERED else None)
            words = np.vectorize(number)(values) if grid.size <= MOST_WRITTEN else None
            paint(ax, pd.DataFrame(values, index=grid.index, columns=grid.columns), colors, words=words)
            ax.set_title(called(measure, measure_words(measure)))
        name_rows_once(axes, list(grids.values()), columns)
    return figure


def _grid(table: pd.DataFrame, labels: Mapping[str, str], *, narrow: bool) -> pd.DataFrame:
    """Return the values with a row per scenario and a column per method, by what they are called."""
    methods = list(dict.fromkeys(table["method"].astype(str)))
    rows = [name for name in labels if name in set(table["scenario"])]
    wide = table.pivot_table(index="scenario", columns="method", values="value", dropna=False, observed=False)
    grid = wide.reindex(index=rows, columns=methods)
    grid.index = pd.Index(apart([called(name, labels[name]) for name in rows], LABEL_LENGTH))
    length = NARROW_METHOD_LENGTH if narrow else METHOD_LENGTH
    grid.columns = pd.Index(apart([called(name) for name in methods], length))
    return grid
