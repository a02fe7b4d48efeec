"""The posteriors of one data set: every group's interval under every method, beside the data."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from simstudy.report.figures.canvas import NARROW_BELOW, WIDE, clip_text, dots, drawing, key, sheet, stripes
from simstudy.report.palette import INK, Mark, name_marks

ROW_INCHES, HEAD = 0.11, 0.95
SMALLEST_ROW, BETWEEN = 0.3, 0.6
ROW_SPAN = 0.66


def posterior(
    table: pd.DataFrame,
    *,
    data: pd.Series | None = None,
    marks: Mapping[str, Mark] | None = None,
    width: float = WIDE,
) -> Figure:
    """Draw posterior means and 90 % intervals: the group effects on the left, all other estimands on the right.

    Args:
        table: one row per method, estimand and group: ``method``, ``name`` (as ``theta[0]``), ``mean``, ``lower``,
            ``upper``.
        data: name -> the group's observed mean, drawn as an upright stroke.
        marks: method -> how it is drawn; by name where left out.
        width: of the figure, in inches; below 6 the panels stand below each other.
    """
    names = list(dict.fromkeys(table["method"].astype(str)))
    marks = {name: mark for name, mark in (marks or name_marks(names)).items() if name in names}
    effects = table["name"].str.startswith(("theta[", "p["))
    parts = [part for part in (table[effects], table[~effects]) if len(part)]
    rows = [list(dict.fromkeys(part["name"])) for part in parts]
    with drawing():
        figure, axes = _axes([len(r) for r in rows], max(SMALLEST_ROW, ROW_INCHES * len(marks)), width)
        for ax, part, named in zip(axes, parts, rows, strict=True):
            _panel(ax, part, named, marks, data)
        stroke = Line2D([], [], color=INK, marker="|", linestyle="", markersize=10, label="data")
        key(figure, marks, width=width, more=[] if data is None else [stroke])
    return figure


def _axes(n_rows: list[int], row: float, width: float) -> tuple[Figure, list[Axes]]:
    """Return axes below or beside each other, with rows of one height in all."""
    if width < NARROW_BELOW:
        figure = sheet(width, HEAD + row * sum(n_rows) + BETWEEN)
        grid = figure.subplots(len(n_rows), 1, squeeze=False, gridspec_kw={"height_ratios": n_rows})
        return figure, list(grid.flat)
    most = max(n_rows)
    figure = sheet(width, HEAD + row * most)
    columns = [[str(column) if place < n else "." for place in range(most)] for column, n in enumerate(n_rows)]
    mosaic = figure.subplot_mosaic([list(line) for line in zip(*columns, strict=True)])
    return figure, [mosaic[str(column)] for column in range(len(n_rows))]


def _panel(ax: Axes, table: pd.DataFrame, named: list[str], marks: Mapping[str, Mark], data: pd.Series | None) -> None:
    stripes(ax, len(named))
    place = {name: i for i, name in enumerate(named)}
    for i, (method, mark) in enumerate(marks.items()):
        rows = table[table["method"] == method]
        mean = rows["mean"].to_numpy(float)
        reach = np.abs(rows[["lower", "upper"]].to_numpy(float).T - mean)
        shift = ROW_SPAN * ((i + 0.5) / len(marks) - 0.5)
        dots(ax, mean, rows["name"].map(place).to_numpy(float) + shift, mark=mark, xerr=reach, label=method)
    for name, value in ({} if data is None else data).items():
        if name in place:
            ax.plot([value], [place[name]], "|", color=INK, markersize=15, markeredgewidth=1.4, zorder=1)
    ax.set_yticks(range(len(named)), [clip_text(name, 24) for name in named])
    ax.set_ylim(len(named) - 0.5, -0.5)
    ax.grid(visible=False, axis="y")
    ax.tick_params(axis="y", length=0)
