"""Where pooling pays: every method's squared error as a multiple of the best one's, over the design."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from simstudy.report.figures.canvas import NARROW_BELOW, WIDE, called, drawing, even_columns, panels
from simstudy.report.figures.maps import HEAD, MAX_WRITTEN_CELLS, ROW_INCHES, bar_place, name_rows_once, paint, spread
from simstudy.report.reading.design import read_design
from simstudy.report.reading.readings import average, is_clear, require

COLORS = "flare"
MOST = 10.0
TICKS = (1, 1.5, 2, 3, 5, 10)
FEWEST_ROWS = 3
"""Rows that a color bar beside them needs the height of."""


def regret(
    performance: pd.DataFrame,
    scenarios: pd.DataFrame,
    *,
    estimand: str = "theta",
    measure: str = "regret",
    labels: Mapping[str, str] | None = None,
    ax: Axes | None = None,
    width: float = WIDE,
) -> Figure:
    """Draw MSE / smallest MSE as color over the factors of the design, one map per method.

    The smallest MSE is that of the best of group means, grand mean and an oracle that knows tau and sigma (the
    measure ``regret`` is the difference to it). Cells whose regret is below 2 MCSE have the color of 1: there nothing
    is lost that can be told. Hatched cells have no number.
    Multiples above 10 have the color of 10.

    Args:
        performance: the performance table with ``mse`` and ``regret``.
        scenarios: the run's scenarios, with a column per factor.
        estimand: an estimand with groups.
        measure: ``regret``, or ``regret_of_parts`` against the methods of no, complete and partial pooling.
        labels: name -> what is written for it: of methods, scenarios (id, or label as ``τ = 0.5``), measures and
            estimands; their own names where left out.
        ax: axes to draw on, where there is one panel; a figure of its own where left out.
        width: of the figure, in inches; below 6 at most two maps stand in a row.

    Raises:
        TableError: no method has a regret.
    """
    design = read_design(scenarios)
    table = require(multiples(performance, estimand=estimand, measure=measure), "regret")
    maps = {name: spread(rows, design, "multiple") for name, rows in table.groupby("method", sort=False, observed=True)}
    grids = list(maps.values())
    written = max(grid.size for grid in grids) <= MAX_WRITTEN_CELLS
    columns = (1 if grids[0].shape[1] > 4 else 2) if width < NARROW_BELOW else even_columns(len(maps), most=4)
    fewest = 1 if width < NARROW_BELOW else FEWEST_ROWS
    height = HEAD + ROW_INCHES * max(fewest, *(len(grid) for grid in grids))
    with drawing(ax=ax, labels=labels):
        figure, axes = panels(len(maps), columns=columns, width=width, height=height)
        for ax, (name, grid) in zip(axes, maps.items(), strict=True):
            words = np.array([[_multiple(value) for value in row] for row in grid.to_numpy(float)]) if written else None
            paint(ax, grid, {"cmap": COLORS, "norm": LogNorm(1, MOST, clip=True)}, words=words)
            ax.set_title(called(str(name), length=17 if width < NARROW_BELOW else 34))
        name_rows_once(axes, grids, columns)
        place = bar_place(width, len(maps), columns)
        look: dict[str, Any] = {"label": called("regret", "MSE / smallest MSE"), "extend": "max", "extendfrac": 0.03}
        bar = figure.colorbar(axes[0].collections[0], ax=axes, **look, **place)
        axis = bar.ax.xaxis if width < NARROW_BELOW else bar.ax.yaxis
        axis.set_major_locator(FixedLocator(TICKS))
        axis.set_minor_locator(NullLocator())
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        bar.outline.set_visible(False)
    return figure


def _multiple(value: float) -> str:
    if not np.isfinite(value):
        return ""
    return "1" if value == 1 else f"{value:.1f}" if value < MOST else f"{value:.0f}"


def multiples(performance: pd.DataFrame, *, estimand: str = "theta", measure: str = "regret") -> pd.DataFrame:
    """Return ``multiple``, MSE / (MSE - regret), by scenario and method; 1 where the regret is not clear."""
    keys = ["scenario", "method"]
    lost = average(performance, measure, estimand=estimand)[[*keys, "value", "mcse"]]
    mse = average(performance, "mse", estimand=estimand)[[*keys, "value"]].rename(columns={"value": "mse"})
    table = lost.merge(mse, on=keys)
    clear = np.array([v > 0 and is_clear(v, m) for v, m in zip(table["value"], table["mcse"], strict=True)], bool)
    multiple = (table["mse"] / (table["mse"] - table["value"])).where(clear, 1.0)
    return table.assign(multiple=multiple.where(table["value"].notna()))
