"""How far a candidate is from its baseline: the differences of each measure in units of their margins."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from simstudy.report.figures.canvas import NARROW_BELOW, WIDE, called, drawing, grid, legend
from simstudy.report.reading.palette import CENTERED, COMPLETE, GRID, MUTED, NONE
from simstudy.report.reading.readings import require
from simstudy.report.reading.wording import measure_words

MARKS = {"worse": NONE, "better": COMPLETE, "unclear": CENTERED}
MOST_MARKS = 40
REACH = 4.0
MIDDLE_SHARE = (0.05, 0.95)
ROW_INCHES, HEAD = 0.34, 1.0
LABEL_LENGTH = 26


def changes(
    table: pd.DataFrame,
    *,
    labels: Mapping[str, str] | None = None,
    ax: Axes | None = None,
    width: float = WIDE,
) -> Figure:
    """Draw the differences of each measure in units of their margins, losses to the right.

    A thin line spans all differences of a measure, a thick one the middle 90 %; marks are those judged to be changes,
    the 40 largest of a measure. All scenarios, methods and estimands of a measure stand in one row. What lies beyond 4
    margins is drawn at the edge.

    Args:
        table: rows of a comparison: ``measure``, ``difference``, ``loss``, ``margin``, ``direction``.
        labels: name -> what is written for it: of methods, scenarios (id, or label as ``τ = 0.5``), measures and
            estimands; their own names where left out.
        ax: axes to draw on, where there is one panel; a figure of its own where left out.
        width: of the figure, in inches.

    Raises:
        TableError: no row has a margin.
    """
    rows = require(_in_margins(table), "difference with a margin")
    names = list(dict.fromkeys(rows["measure"]))
    with drawing(ax=ax, labels=labels):
        figure, axes = grid(1, 1, width=width, height=HEAD + ROW_INCHES * len(names))
        ax = axes[0, 0]
        ax.axvspan(-1, 1, color=GRID, alpha=0.7, linewidth=0, zorder=0)
        ax.axvline(0, color=MUTED, linewidth=0.8, zorder=1)
        for row, name in enumerate(names):
            _row(ax, row, rows[rows["measure"] == name])
        length = LABEL_LENGTH if width > NARROW_BELOW else LABEL_LENGTH // 2 + 3
        ax.set_yticks(range(len(names)), [called(name, measure_words(name), length=length) for name in names])
        ax.set_ylim(len(names) - 0.5, -0.5)
        _frame(ax, float(rows["x"].abs().max()))
        _key(figure, [name for name in MARKS if (rows["direction"] == name).any()])
    return figure


def is_drawable(table: pd.DataFrame) -> bool:
    """Return whether any difference can be drawn in units of its margin and is not 0."""
    rows = _in_margins(table)
    return bool(len(rows) and (rows["x"] != 0).any())


def _in_margins(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with ``x``, the difference in margins with the sign of the loss, cut at the reach."""
    rows = table[table["margin"] > 0]
    loss = rows["loss"].where(rows["loss"].notna(), rows["difference"].abs())
    x = np.sign(loss) * rows["difference"].abs() / rows["margin"]
    return rows.assign(x=x.clip(-REACH, REACH))


def _row(ax: Axes, row: int, rows: pd.DataFrame) -> None:
    x = rows["x"].to_numpy(float)
    ax.plot([x.min(), x.max()], [row, row], color=MUTED, linewidth=1.0, solid_capstyle="butt", zorder=2)
    if not x.any():
        ax.plot(0, row, marker="|", color=MUTED, markersize=8, zorder=2)
    ax.plot(np.quantile(x, MIDDLE_SHARE), [row, row], color=MUTED, linewidth=4.0, solid_capstyle="butt", zorder=2)
    for name, mark in MARKS.items():
        here = rows[rows["direction"] == name]
        here = here.loc[here["x"].abs().sort_values(ascending=False).index].head(MOST_MARKS)
        at = np.full(len(here), float(row))
        ax.plot(here["x"], at, linestyle="", marker=mark.marker, color=mark.light, zorder=3, clip_on=False)


def _frame(ax: Axes, reach: float) -> None:
    limit = min(max(reach, 1.0) * 1.08, REACH * 1.04)
    ax.set_xlim(-limit, limit)
    ax.set_xlabel("difference in margins, losses to the right")
    ax.grid(visible=False, axis="y")
    ax.tick_params(axis="y", length=0)


def _key(figure: Figure, names: list[str]) -> None:
    handles = [
        Line2D([], [], color=MARKS[name].light, marker=MARKS[name].marker, linestyle="", label=name) for name in names
    ]
    if handles:
        legend(figure, handles, ncols=len(handles))
