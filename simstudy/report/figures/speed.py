"""Speed by method: fits per second, effective draws per second, and where the seconds went."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from simstudy.errors import TableError
from simstudy.report.figures.canvas import NARROW_BELOW, WIDE, called, drawing, points, sheet
from simstudy.report.reading.palette import MUTED, Mark, name_marks
from simstudy.report.reading.wording import number

ROW_INCHES, HEAD = 0.34, 0.75
LABEL_LENGTH = 30
ROOM = 1.22
MOST_TICKS = 4


def speed(
    table: pd.DataFrame,
    *,
    marks: Mapping[str, Mark] | None = None,
    labels: Mapping[str, str] | None = None,
    width: float = WIDE,
) -> Figure:
    """Draw one row per method: fits per second, minimum ESS per second, and seconds compiling and running.

    Has two or three panels, so that it makes its own figure.

    Args:
        table: one row per method: ``method``, ``fits_per_second``, ``compile_seconds``, ``run_seconds``, and
            ``ess_per_second`` where it is known.
        marks: method -> how it is drawn; by name where left out.
        labels: name -> what is written for it: of methods, scenarios (id, or label as ``τ = 0.5``), measures and
            estimands; their own names where left out.
        width: of the figure, in inches; below 6 the panels stand below each other.

    Raises:
        TableError: a method has several rows.
    """
    names = table["method"].astype(str).tolist()
    if len(set(names)) < len(names):
        raise TableError("speed: expected one row per method, got several; speeds of scenarios are not told apart")
    marks = marks or name_marks(names)
    speeds = [c for c in ("fits_per_second", "ess_per_second") if c in table and table[c].notna().any()]
    stacked = width < NARROW_BELOW
    n, height = len(speeds) + 1, HEAD + ROW_INCHES * len(names)
    with drawing(labels=labels):
        figure = sheet(width, height * (n if stacked else 1))
        grid = figure.subplots(n if stacked else 1, 1 if stacked else n, squeeze=False).flat
        colors = [marks[name].light for name in names]
        titles = {"fits_per_second": "fits per second, one process", "ess_per_second": "ESS per second"}
        for ax, column in zip(grid, speeds, strict=False):
            _bars(ax, table[column].to_numpy(float), colors, called(column, titles[column]))
        _seconds(grid[-1], table, colors)
        for i, ax in enumerate(grid):
            named = [called(name, length=LABEL_LENGTH) for name in names] if stacked or i == 0 else [""] * len(names)
            ax.set_yticks(range(len(names)), named)
            ax.set_ylim(len(names) - 0.4, -0.6)
            ax.grid(visible=False, axis="y")
            ax.tick_params(axis="y", length=0)
    return figure


def _bars(ax: Axes, values: np.ndarray, colors: list[str], title: str) -> None:
    ax.barh(range(len(values)), values, height=0.55, color=colors)
    for row, value in enumerate(values):
        ax.text(value, row, f" {number(value)}", va="center", ha="left", fontsize=points(8.5))
    ax.set_xlim(0, np.nanmax(values) * ROOM)
    ax.xaxis.set_major_locator(MaxNLocator(MOST_TICKS))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
    ax.set_title(title)


def _seconds(ax: Axes, table: pd.DataFrame, colors: list[str]) -> None:
    compiling = table["compile_seconds"].to_numpy(float)
    running = table["run_seconds"].to_numpy(float)
    rows = range(len(table))
    ax.barh(rows, compiling, height=0.55, color="none", edgecolor=MUTED, hatch="////", linewidth=0.8)
    ax.barh(rows, running, left=compiling, height=0.55, color=colors)
    for row, (first, second) in enumerate(zip(compiling, running, strict=True)):
        words = f" {number(first, digits=2)} + {number(second, digits=2)}"
        ax.text(first + second, row, words, va="center", fontsize=points(8))
    ax.set_xlim(0, max((compiling + running).max(), 1e-9) * 1.4)
    ax.set_title("seconds: compiling (hatched) + running")
