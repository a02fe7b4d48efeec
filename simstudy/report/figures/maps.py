"""A measure over the whole design as a heat map, one panel per method: for designs too large for rows of dots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import Normalize, TwoSlopeNorm
from matplotlib.figure import Figure
from seaborn.utils import relative_luminance

from simstudy.errors import TableError
from simstudy.report.figures.canvas import MIDDLE, NARROW_BELOW, WIDE, called, drawing, panels, points
from simstudy.report.reading.design import Design, order, read_design
from simstudy.report.reading.palette import MUTED
from simstudy.report.reading.readings import average, require
from simstudy.report.reading.wording import measure_words, symbol

SEQUENTIAL, DIVERGING = "viridis", "vlag"
MAX_WRITTEN_CELLS = 60
ROW_INCHES, HEAD = 0.24, 1.0
LABEL_LENGTH = 22
SMALLEST_REACH = 1e-9
LIGHT_CELL = 0.408
LIGHT_ON_CELL, DARK_ON_CELL = "#ffffff", "#1a1a1a"


def design_map(
    performance: pd.DataFrame,
    scenarios: pd.DataFrame,
    *,
    measure: str = "rmse",
    estimand: str | None = "theta",
    center: float | None = None,
    labels: Mapping[str, str] | None = None,
    ax: Axes | None = None,
    width: float = WIDE,
) -> Figure:
    """Draw a measure as color over the factors of the design, one map per method on one color scale.

    The scale ends at the 1st and 99th percentile, so that one cell cannot fade all others. Numbers stand in the cells
    of small maps.

    Args:
        performance: the performance table.
        scenarios: the run's scenarios, with a column per factor.
        measure: a measure of the table.
        estimand: an estimand of the table, None for measures of the fit.
        center: the value drawn in white between two colors, such as 0 for a bias; None for a scale of one direction.
        labels: name -> what is written for it: of methods, scenarios (id, or label as ``τ = 0.5``), measures and
            estimands; their own names where left out.
        ax: axes to draw on, where there is one panel; a figure of its own where left out.
        width: of the figure, in inches; below 6 the maps stand below each other.

    Raises:
        TableError: the table has no such measure of the estimand.
    """
    design = read_design(scenarios)
    table = require(average(performance, measure, estimand=estimand), measure)
    maps = {name: spread(rows, design) for name, rows in table.groupby("method", sort=False, observed=True)}
    written = max(grid.size for grid in maps.values()) <= MAX_WRITTEN_CELLS
    columns = _columns(next(iter(maps.values())), width)
    height = HEAD + ROW_INCHES * max(len(grid) for grid in maps.values())
    with drawing(ax=ax, labels=labels):
        figure, axes = panels(len(maps), columns=columns, width=width, height=height)
        colors = map_colors(table["value"].to_numpy(float), center)
        for ax, (name, grid) in zip(axes, maps.items(), strict=True):
            paint(ax, grid, colors, words=np.vectorize("{:.2g}".format)(grid.to_numpy(float)) if written else None)
            ax.set_title(called(str(name), length=40))
        name_rows_once(axes, list(maps.values()), columns)
        words = called(measure, measure_words(measure)) + (
            f" of {called(estimand, symbol(estimand))}" if estimand else ""
        )
        bar = figure.colorbar(axes[0].collections[0], ax=axes, label=words, **bar_place(width, len(maps), columns))
        bar.outline.set_visible(False)
    return figure


def paint(ax: Axes, grid: pd.DataFrame, colors: Mapping[str, Any], *, words: np.ndarray | None = None) -> None:
    """Draw one map with its row and column names; cells without a number stay blank.

    Not seaborn's heatmap, which draws the whole figure anew for each map.

    Args:
        ax: the axes.
        grid: the numbers, with names of rows and columns.
        colors: ``cmap`` and ``norm``.
        words: (row, column) texts to stand in the cells, or None.
    """
    values = np.ma.masked_invalid(grid.to_numpy(float))
    mesh = ax.pcolormesh(values, linewidth=0, **colors)
    ax.set_xlim(0, grid.shape[1])
    ax.set_ylim(len(grid), 0)
    if words is not None:
        _write(ax, words, np.asarray(mesh.cmap(mesh.norm(values))), values)
    ax.set_xticks(np.arange(grid.shape[1]) + 0.5, list(grid.columns), rotation=0 if grid.shape[1] <= 8 else 90)
    ax.set_yticks(np.arange(len(grid)) + 0.5, [called(str(name), length=LABEL_LENGTH) for name in grid.index])
    ax.set_xlabel(called("" if grid.columns.name is None else str(grid.columns.name)))
    rows = "" if grid.index.name is None else str(grid.index.name)
    ax.set_ylabel("" if "," in rows else called(rows))
    ax.tick_params(length=0, labelsize=points(8))
    ax.grid(visible=False)
    ax.spines[:].set_visible(False)
    ax.patch.set(facecolor="none", hatch="////", edgecolor=MUTED, linewidth=0, alpha=0.25)


def name_rows_once(axes: Sequence[Axes], grids: Sequence[pd.DataFrame], columns: int) -> None:
    """Leave the names of rows to the first map of each line, where all maps have the same rows."""
    if all(grid.index.equals(grids[0].index) for grid in grids):
        for i, ax in enumerate(axes):
            if i % columns:
                ax.set_yticks([])
                ax.set_ylabel("")


def _write(ax: Axes, words: np.ndarray, paper: np.ndarray, values: np.ma.MaskedArray) -> None:
    for (row, column), word in np.ndenumerate(words):
        if not np.ma.getmaskarray(values)[row, column]:
            ink = DARK_ON_CELL if relative_luminance(paper[row, column]) > LIGHT_CELL else LIGHT_ON_CELL
            place: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": points(7.5), "linespacing": 1.3}
            ax.text(column + 0.5, row + 0.5, word, color=ink, **place)


def bar_place(width: float, n_maps: int, columns: int) -> dict[str, Any]:
    """Return where a color bar stands: beside the maps, as thin beside several lines of them, or below on a phone."""
    lines = -(-n_maps // columns)
    if width < NARROW_BELOW:
        return {"location": "bottom", "aspect": 30, "shrink": 0.9, "pad": 0.02}
    return {"location": "right", "aspect": 25 * lines, "shrink": 0.9, "pad": 0.01}


def spread(rows: pd.DataFrame, design: Design, column: str = "value") -> pd.DataFrame:
    """Return a column of the rows of one method as a grid over the design, rows and columns in the design's order.

    Raises:
        TableError: two rows fall into one cell, which would mix scenarios.
    """
    on_rows, on_columns = design.split()
    levels = design.levels.loc[rows["scenario"]]
    down, across = _words(levels[on_rows]), _words(levels[on_columns])
    frame = pd.DataFrame({"down": down, "across": across, "value": rows[column].to_numpy(float)})
    if frame.duplicated(["down", "across"]).any():
        raise TableError("map: several rows of the table fall into one cell; give one row per scenario and method")
    grid = frame.pivot_table(index="down", columns="across", values="value", aggfunc="mean", dropna=False)
    grid = grid.loc[_in_design(design, on_rows, grid.index), _in_design(design, on_columns, grid.columns)]
    grid.index.name, grid.columns.name = ", ".join(on_rows), ", ".join(on_columns)
    return grid


def _words(levels: pd.DataFrame) -> list[str]:
    """Return each row in words: the bare level of a single factor, ``J 4, n 2`` for several."""
    if levels.shape[1] == 1:
        return levels.iloc[:, 0].tolist()
    return [", ".join(f"{f} {level}" for f, level in zip(levels, row, strict=True)) for row in levels.to_numpy()]


def _in_design(design: Design, factors: list[str], present: pd.Index) -> list[str]:
    ranks = pd.DataFrame({f: _ranks(design.numbers[f]) for f in factors}, index=design.numbers.index)
    in_order = design.levels.loc[ranks.sort_values(factors).index if factors else ranks.index, factors]
    return order(list(present), list(dict.fromkeys(_words(in_order))))


def _ranks(values: pd.Series) -> np.ndarray:
    return values.to_numpy() if pd.api.types.is_numeric_dtype(values) else pd.factorize(values)[0]


def _columns(grid: pd.DataFrame, width: float) -> int:
    if width < NARROW_BELOW:
        return 1 if grid.shape[1] > 4 else 2
    return 3 if grid.shape[1] <= 8 and width > MIDDLE else 2


def diverging_colors(values: np.ndarray, center: float) -> dict[str, Any]:
    """Return colors that part at ``center`` and end at the 1st and 99th percentile, as far to either side."""
    known = values[np.isfinite(values)]
    reach = np.abs(np.percentile(known, [1, 99]) - center).max() if len(known) else 0.0
    reach = max(float(reach), SMALLEST_REACH)
    return {"cmap": DIVERGING, "norm": TwoSlopeNorm(center, center - reach, center + reach)}


def map_colors(values: np.ndarray, center: float | None) -> dict[str, Any]:
    """Return colors that part at ``center``, or go from small to large; they end at the 1st and 99th percentile."""
    if center is not None:
        return diverging_colors(values, center)
    known = values[np.isfinite(values)]
    low, high = np.percentile(known, [1, 99]) if len(known) else (0.0, 1.0)
    return {"cmap": SEQUENTIAL, "norm": Normalize(low, max(high, low + SMALLEST_REACH))}
