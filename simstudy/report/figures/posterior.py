"""The posteriors of one data set: every group's interval under every method, beside the data."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from simstudy.report.figures.canvas import NARROW_BELOW, WIDE, clip_text, dots, drawing, key, sheet, stripes
from simstudy.report.palette import INK, Mark, name_marks

ROW_INCHES, HEAD = 0.11, 0.95
SMALLEST_ROW = 0.3
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
    heights = [max(SMALLEST_ROW, ROW_INCHES * len(marks)) * len(r) for r in rows]
    stacked = width < NARROW_BELOW
    with drawing():
        figure = sheet(width, HEAD + (sum(heights) + 0.6 if stacked else max(heights)))
        ratios = {"height_ratios": heights} if stacked else {}
        shape = (len(parts), 1) if stacked else (1, len(parts))
        axes = figure.subplots(*shape, squeeze=False, gridspec_kw=ratios).flat
        for ax, part, named in zip(axes, parts, rows, strict=True):
            _panel(ax, part, named, marks, data)
        stroke = Line2D([], [], color=INK, marker="|", linestyle="", markersize=10, label="data")
        key(figure, marks, width=width, more=[] if data is None else [stroke])
    return figure


def _panel(ax, table: pd.DataFrame, named: list[str], marks: Mapping[str, Mark], data: pd.Series | None) -> None:
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
