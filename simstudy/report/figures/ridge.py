"""Ridge lines: how the errors of each method are distributed, a ridge for each scenario."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.stats import gaussian_kde

from simstudy.report.figures.canvas import NARROW_BELOW, WIDE, called, clip_text, drawing, panels
from simstudy.report.figures.lollipop import apart
from simstudy.report.reading.palette import GRID, MUTED, Mark, name_marks
from simstudy.report.reading.readings import require

ROW_INCHES, HEAD = 0.36, 1.0
RISE = 1.5
"""Height of the highest ridge, in rows: neighbors overlap by a half."""
STROKE = 0.45
POINTS = 100
TAIL = 0.5
MOST_COLUMNS, NARROW_COLUMNS = 4, 1
LABEL_LENGTH, NARROW_LABEL_LENGTH = 32, 20
MOST_VALUES = 4_000
"""Of one ridge: a density of more looks the same."""


def ridge(
    errors: pd.DataFrame,
    *,
    marks: Mapping[str, Mark] | None = None,
    labels: Mapping[str, str] | None = None,
    ax: Axes | None = None,
    width: float = WIDE,
) -> Figure:
    """Draw the density of the errors, one panel per method and one ridge per scenario, on one scale.

    Densities are Gaussian kernel estimates with Scott's bandwidth; the axis ends at the .5th and 99.5th percentile of
    all errors. A stroke marks the mean error, which should lie on the line at 0.

    Args:
        errors: one row per estimate: ``scenario``, ``method``, ``error``; scenarios are drawn in their order, from the
            top.
        marks: method -> how it is drawn; by name where left out.
        labels: name -> what is written for it: of methods and scenarios; their own names where left out.
        ax: axes to draw on, where there is one panel; a figure of its own where left out.
        width: of the figure, in inches; below 6 the panels stand below each other.

    Raises:
        TableError: the table has no error.
    """
    known = require(errors[np.isfinite(errors["error"])], "error")
    rows = list(dict.fromkeys(errors["scenario"].astype(str)))
    names = list(dict.fromkeys(known["method"].astype(str)))
    marks = {name: mark for name, mark in (marks or name_marks(names)).items() if name in names}
    narrow = width < NARROW_BELOW
    columns = NARROW_COLUMNS if narrow else MOST_COLUMNS
    low, high = np.percentile(known["error"], [TAIL, 100 - TAIL])
    if not high > low:
        low, high = low - 1, high + 1
    x = np.linspace(low, high, POINTS)
    with drawing(ax=ax, labels=labels):
        figure, axes = panels(
            len(marks),
            columns=columns,
            width=width,
            height=HEAD + ROW_INCHES * len(rows),
            sharex=True,
            sharey=not narrow,
        )
        length = NARROW_LABEL_LENGTH if narrow else LABEL_LENGTH
        curves = {name: _curves(known[known["method"] == name], rows, x) for name in marks}
        peak = max(curve.max() for of_method in curves.values() for curve, _ in of_method.values())
        top = min(row - RISE * c.max() / peak for of_method in curves.values() for row, (c, _) in of_method.items())
        for i, (ax, (name, mark)) in enumerate(zip(axes, marks.items(), strict=True)):
            _panel(ax, curves[name], len(rows), x, mark, peak=peak)
            ax.set_ylim(len(rows) - 0.6, top - 0.2)
            ax.set_title(clip_text(called(name), LABEL_LENGTH))
            ax.set_xlabel("error: estimate − truth" if i >= len(axes) - columns else "")
            if i % columns == 0:
                ax.set_yticks(range(len(rows)), apart([called(s) for s in rows], length))
    return figure


def _curves(errors: pd.DataFrame, rows: list[str], x: np.ndarray) -> dict[int, tuple[np.ndarray, float]]:
    """Return row -> density at x and mean of the errors of its scenario, of those that have any."""
    of_row = {i: errors.loc[errors["scenario"] == name, "error"].to_numpy(float) for i, name in enumerate(rows)}
    return {i: (density(values, x), float(values.mean())) for i, values in of_row.items() if len(values)}


def _panel(
    ax: Axes, curves: Mapping[int, tuple[np.ndarray, float]], n_rows: int, x: np.ndarray, mark: Mark, *, peak: float
) -> None:
    ax.axvline(0, color=MUTED, linewidth=0.8, zorder=0.5)
    for row in range(n_rows):
        ax.axhline(row, color=GRID, linewidth=0.7, zorder=1)
    for row, (curve, center) in curves.items():
        line = row - RISE * curve / peak
        above = 2 + row / n_rows
        ax.fill_between(x, row, line, color=mark.light, alpha=0.3, linewidth=0, zorder=above)
        ax.plot(x, line, color=mark.light, linewidth=1.1, zorder=above)
        if x[0] <= center <= x[-1]:
            ax.plot([center, center], [row, row - STROKE], color=mark.light, linewidth=2.2, zorder=above)
    ax.set_xlim(x[0], x[-1])
    ax.grid(visible=False, axis="y")
    ax.tick_params(axis="y", length=0)


def density(values: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return the density of some values at x; of values that are all alike a peak as wide as a step of x."""
    values = values[:: max(1, len(values) // MOST_VALUES)]
    step = x[1] - x[0]
    if len(values) < 2 or np.ptp(values) < step:
        return np.exp(-0.5 * ((x - values.mean()) / step) ** 2) / (step * np.sqrt(2 * np.pi))
    return gaussian_kde(values)(x)
