"""Effects of levels that lie on a line, in time or along a coordinate: each method's estimate with its band."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from simstudy.report.figures.canvas import NARROW_BELOW, WIDE, called, drawing, legend, panels
from simstudy.report.reading.palette import INK, MUTED, Mark, name_marks

ROW = {"wide": 2.9, "narrow": 2.2}
BAND = 0.22


def level_series(
    table: pd.DataFrame,
    *,
    truth: pd.DataFrame | None = None,
    data: pd.DataFrame | None = None,
    along: str = "level",
    words: str = "effect",
    marks: Mapping[str, Mark] | None = None,
    labels: Mapping[str, str] | None = None,
    ax: Axes | None = None,
    width: float = WIDE,
) -> Figure:
    """Draw estimates and intervals along a line, one panel per method, on one scale.

    Args:
        table: ``method``, ``x``, ``mean``, ``lower``, ``upper``; one row per method and level.
        truth: ``x`` and ``truth``; none where it is not known.
        data: ``x`` and ``y``, means of observations; none where they are on another scale.
        along: what x is.
        words: what is estimated.
        marks: method -> how it is drawn; by name where left out.
        labels: name -> what is written for it; their own names where left out.
        ax: axes to draw on, where there is one method; a figure of its own where left out.
        width: of the figure, in inches; below 6 the panels stand below each other.
    """
    names = list(dict.fromkeys(table["method"].astype(str)))
    marks = marks or name_marks(names)
    narrow = width < NARROW_BELOW
    with drawing(ax=ax, labels=labels):
        figure, axes = panels(
            len(names),
            columns=1 if narrow else len(names),
            width=width,
            height=ROW["narrow" if narrow else "wide"],
            sharex=True,
            sharey=True,
        )
        for one, name in zip(axes, names, strict=True):
            rows = table[table["method"] == name].sort_values("x")
            mark = marks[name]
            one.fill_between(rows["x"], rows["lower"], rows["upper"], color=mark.light, alpha=BAND, linewidth=0)
            one.plot(rows["x"], rows["mean"], color=mark.light, linewidth=1.8)
            if data is not None:
                one.plot(data["x"], data["y"], linestyle="", marker=".", markersize=4, color=MUTED, zorder=1)
            if truth is not None:
                rows = truth.sort_values("x")
                one.plot(rows["x"], rows["truth"], color=INK, linewidth=1.2, linestyle="--", zorder=4)
            one.set_title(called(name, length=34))
        for one in axes if narrow else axes[:1]:
            one.set_ylabel(words)
        for one in axes[-1:] if narrow else axes:
            one.set_xlabel(called(along))
        legend(figure, _key(has_truth=truth is not None, has_data=data is not None), ncols=2)
    return figure


def _key(*, has_truth: bool, has_data: bool) -> list[Line2D]:
    shown = [Line2D([], [], color=INK, linestyle="--", linewidth=1.2, label="truth")] if has_truth else []
    dots = Line2D([], [], color=MUTED, linestyle="", marker=".", markersize=6, label="mean of the data")
    return [*shown, *([dots] if has_data else [])]
