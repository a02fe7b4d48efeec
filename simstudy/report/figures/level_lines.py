"""The line of each level over a covariate: the truth beside what each method makes of it."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from simstudy.report.figures.canvas import NARROW_BELOW, WIDE, called, drawing, even_columns, key, panels
from simstudy.report.reading.palette import INK, MUTED, Mark, name_marks

PANEL = 1.5
TICKS = 4
COLUMNS = {"wide": 6, "narrow": 2}


def level_lines(
    table: pd.DataFrame,
    *,
    truth: pd.DataFrame | None = None,
    data: pd.DataFrame | None = None,
    covariate: str = "x",
    words: str = "predictor",
    marks: Mapping[str, Mark] | None = None,
    labels: Mapping[str, str] | None = None,
    ax: Axes | None = None,
    width: float = WIDE,
) -> Figure:
    """Draw a panel for each level with the line of every method.

    Args:
        table: ``method``, ``level`` (its name), ``x``, ``y``: the ends of each line.
        truth: ``level``, ``x``, ``y``; none where it is not known.
        data: ``level``, ``x``, ``y``, means of the observations; none where they are on another scale.
        covariate: what x is.
        words: what y is.
        marks: method -> how it is drawn; by name where left out.
        labels: name -> what is written for it; their own names where left out.
        ax: axes to draw on, where there is one level; a figure of its own where left out.
        width: of the figure, in inches; below 6 two panels stand in a row.
    """
    levels = list(dict.fromkeys(table["level"].astype(str)))
    names = list(dict.fromkeys(table["method"].astype(str)))
    marks = marks or name_marks(names)
    narrow = width < NARROW_BELOW
    columns = even_columns(len(levels), most=COLUMNS["narrow" if narrow else "wide"])
    with drawing(ax=ax, labels=labels):
        figure, axes = panels(len(levels), columns=columns, width=width, height=PANEL, sharex=True, sharey=True)
        for i, (one, level) in enumerate(zip(axes, levels, strict=True)):
            if data is not None:
                rows = data[data["level"] == level]
                one.plot(rows["x"], rows["y"], linestyle="", marker=".", markersize=4, color=MUTED, zorder=1)
            if truth is not None:
                rows = truth[truth["level"] == level]
                one.plot(rows["x"], rows["y"], color=INK, linewidth=1.3, linestyle="--", zorder=4)
            for name in names:
                rows = table[(table["method"] == name) & (table["level"] == level)]
                one.plot(rows["x"], rows["y"], color=marks[name].light, linewidth=1.5)
            one.set_title(called(level, length=18))
            one.xaxis.set_major_locator(MaxNLocator(TICKS, integer=True))
            if i >= len(levels) - columns:
                one.set_xlabel(called(covariate))
            if i % columns == 0:
                one.set_ylabel(words)
        more = [] if truth is None else [Line2D([], [], color=INK, linestyle="--", linewidth=1.3, label="truth")]
        dots = [Line2D([], [], color=MUTED, linestyle="", marker=".", markersize=6, label="data")]
        shown = {n: Mark(light=marks[n].light, dark=marks[n].dark, marker="") for n in names}
        key(figure, shown, width=width, line=True, more=[*more, *(dots if data is not None else [])])
    return figure
