"""The zip plot: every replicate's interval, the worst on top, so that one sees which miss and on what side."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import fill

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from simstudy.report.figures.canvas import NARROW_BELOW, WIDE, called, drawing, even_columns, key, panels, points
from simstudy.report.reading.palette import INK, MUTED, Mark, name_marks
from simstudy.report.reading.readings import require, require_one
from simstudy.store.schema import interval_columns

HEIGHT, MOST_COLUMNS = 3.0, 6
LONGEST, SHORTEST = 60, 8
"""Letters of a title at most, and of its lines at least."""
NARROWEST, BESIDE_TITLE, INCHES_PER_BOLD = 1.6, 0.35, 0.085
"""Inches of a panel, of what is left free beside a title, and of a letter of a title."""
FROM_CENTILE, MOST_LINES = 50.0, 250
MISSES = "does not hold the truth"


def zip_plot(
    estimates: pd.DataFrame,
    *,
    level: float = 0.95,
    marks: Mapping[str, Mark] | None = None,
    labels: Mapping[str, str] | None = None,
    ax: Axes | None = None,
    width: float = WIDE,
) -> Figure:
    """Draw every replicate's interval less the truth, ordered by |z| = |estimate - truth| / posterior sd.

    The upper half of the centiles is drawn, where intervals begin to miss; of more than 250 replicates an even
    selection. With right intervals the dark ones, which miss, begin at the dashed line and lie to both sides
    (Morris, White & Crowther 2019, figure 5).

    Args:
        estimates: one row per method and replicate: ``method``, ``mean``, ``sd``, ``truth`` and the interval's two
            quantile columns, of one scenario and one estimand.
        level: of the intervals.
        marks: method -> how it is drawn; by name where left out.
        labels: name -> what is written for it: of methods, scenarios (id, or label as ``τ = 0.5``), measures and
            estimands; their own names where left out.
        ax: axes to draw on, where there is one panel; a figure of its own where left out.
        width: of the figure, in inches; below 6 two panels stand in a row.

    Raises:
        TableError: no row has an interval and a truth, or rows are of several scenarios, estimands or groups.
    """
    low, high = interval_columns(level)
    known = require(estimates.dropna(subset=["mean", "sd", "truth", low, high]), f"{100 * level:g} % interval")
    for label in ("scenario", "estimand", "group"):
        require_one(known, label)
    names = list(dict.fromkeys(known["method"].astype(str)))
    marks = {name: mark for name, mark in (marks or name_marks(names)).items() if name in names}
    most = 2 if width < NARROW_BELOW else min(MOST_COLUMNS, int(width / NARROWEST))
    columns = even_columns(len(names), most=most)
    with drawing(ax=ax, labels=labels):
        figure, axes = panels(len(names), columns=columns, width=width, height=HEIGHT, sharex=True, sharey=True)
        letters = max(SHORTEST, int((width / columns - BESIDE_TITLE) / (INCHES_PER_BOLD * points(1.0))))
        for ax, (name, mark) in zip(axes, marks.items(), strict=True):
            _panel(ax, known[known["method"] == name], (low, high), mark)
            ax.axhline(100 * level, color=MUTED, linestyle="--", linewidth=1)
            ax.set_title(fill(called(name, length=LONGEST), letters))
        for i, ax in enumerate(axes):
            ax.set_ylabel("centile of |z|" if i % columns == 0 else "")
            ax.set_xlabel("interval − truth" if i >= len(axes) - columns else "")
        misses = Line2D([], [], color=INK, linewidth=2, label=MISSES)
        nominal = Line2D([], [], color=MUTED, linestyle="--", linewidth=1, label=f"nominal {100 * level:g} %")
        key(figure, {}, width=width, more=[misses, nominal])
    return figure


def _panel(ax: Axes, rows: pd.DataFrame, ends: tuple[str, str], mark: Mark) -> None:
    truth = rows["truth"].to_numpy(float)
    low, high = (rows[end].to_numpy(float) - truth for end in ends)
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.nan_to_num(np.abs(rows["mean"].to_numpy(float) - truth) / rows["sd"].to_numpy(float))
    centile = 100 * (np.argsort(np.argsort(z, kind="stable")) + 0.5) / len(z)
    shown = (centile > FROM_CENTILE) & (np.arange(len(z)) % max(1, len(z) // MOST_LINES) == 0)
    holds = (low <= 0) & (high >= 0)
    for part, color, alpha in ((shown & holds, mark.light, 0.55), (shown & ~holds, INK, 1.0)):
        x, y = _strokes(low[part], high[part], centile[part])
        ax.plot(x, y, color=color, alpha=alpha, linewidth=1.0, solid_capstyle="butt")
    ax.axvline(0, color=MUTED, linewidth=0.8)
    ax.set_ylim(FROM_CENTILE, 100.5)
    ax.grid(visible=False, axis="x")


def _strokes(low: np.ndarray, high: np.ndarray, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return x and y of one line that is broken after every stroke: one path in the picture, not hundreds."""
    gap = np.full(len(at), np.nan)
    return np.column_stack([low, high, gap]).ravel(), np.column_stack([at, at, gap]).ravel()
