"""The paper that every figure is drawn on: panels, legends, error bars. Leaves fonts and names to ``style``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from simstudy.errors import TableError
from simstudy.report.figures.style import asked_axes, called, clip_text, drawing, points
from simstudy.report.reading.palette import GRID, MUTED, PAPER, Mark

__all__ = ["called", "clip_text", "drawing", "points"]

AT_LEVEL = ("coverage", "bias_eliminated_coverage")
WIDE, MIDDLE, NARROW = 11.5, 7.2, 3.7
NARROW_BELOW = 6.0
KEY_ROW_INCHES = 0.25
TWO_MCSE = 2.0
LINE, MARKER = 1.3, 4.0
LAYER, MOST_LAYERS, MARKER_LAYERS = 0.9, 3.6, 1.3
"""Points by which the line of a method is wider than that of the next, at most, and its marks in proportion."""
LOG_RATIO = 6.0
INCHES_PER_LETTER, INCHES_PER_HANDLE = 0.075, 0.55


def sheet(width: float, height: float) -> Figure:
    """Return an empty figure, in inches, that pyplot knows nothing of."""
    return Figure(figsize=(width, height), layout="constrained")


def grid(rows: int, columns: int, *, width: float, height: float, **sharing: Any) -> tuple[Figure, np.ndarray]:
    """Return a figure of a size in inches with (row, column) axes, or the caller's own axes with its figure.

    Raises:
        TableError: the caller gave one axes, and there are more panels.
    """
    if (ax := asked_axes()) is None:
        figure = sheet(width, height)
        return figure, figure.subplots(rows, columns, squeeze=False, **sharing)
    if rows * columns > 1:
        raise TableError(
            f"ax: the figure has {rows * columns} panels, and one axes holds one; leave ax out, or give fewer methods, "
            "scenarios or measures"
        )
    return cast(Figure, ax.figure), np.array([[ax]], dtype=object)


def panels(n: int, *, columns: int, width: float, height: float, **sharing: Any) -> tuple[Figure, list[Axes]]:
    """Return a figure with n panels in rows of at most ``columns``; ``height`` is of one row, in inches.

    Raises:
        TableError: the caller gave one axes, and there are more panels.
    """
    columns = max(1, min(columns, n))
    rows = -(-n // columns)
    figure, axes = grid(rows, columns, width=width, height=rows * height, **sharing)
    for spare in axes.flat[n:]:
        spare.set_visible(False)
    for lowest in axes.flat[max(0, n - columns) : n]:
        lowest.tick_params(labelbottom=True)
    return figure, list(axes.flat[:n])


def even_columns(n: int, *, most: int) -> int:
    """Return in how many columns n panels fill their rows most evenly.

    >>> even_columns(5, most=4), even_columns(8, most=4)
    (3, 4)
    """
    rows = -(-n // most)
    return -(-n // rows)


def key(
    figure: Figure, marks: Mapping[str, Mark], *, width: float, line: bool = False, more: Sequence[Line2D] = ()
) -> None:
    """Put the names of the methods, and of ``more``, above the panels, as many in a row as the width has room for."""
    handles = [
        Line2D(
            [],
            [],
            color=m.light,
            marker=m.marker,
            linestyle=m.dash if line else "none",
            label=called(name),
            markersize=6,
        )
        for name, m in marks.items()
    ]
    handles += more
    columns = _fit([str(handle.get_label()) for handle in handles], width)
    if asked_axes() is None:  # a figure of few rows has room for two rows of names
        rows = -(-len(handles) // columns)
        figure.set_figheight(figure.get_figheight() + KEY_ROW_INCHES * max(rows - 2, 0))
    legend(figure, handles, ncols=columns, handletextpad=0.4)


def legend(figure: Figure, handles: Sequence[Line2D], **look: Any) -> None:
    """Put a legend above the panels, or into the caller's own axes."""
    if (ax := asked_axes()) is None:
        figure.legend(handles=handles, loc="outside upper left", **look)
    elif handles:
        ax.legend(handles=handles)


def dots(
    ax: Axes,
    x: np.ndarray,
    y: np.ndarray,
    *,
    mark: Mark,
    xerr: np.ndarray | None = None,
    yerr: np.ndarray | None = None,
    line: bool = False,
    hollow: bool = False,
    label: str | None = None,
    layer: tuple[int, int] = (0, 1),
) -> None:
    """Draw estimates with their error bars; hollow marks stand for numbers that are not to be trusted.

    Args:
        ax: the axes.
        x: places across.
        y: places up.
        mark: how the method is drawn.
        xerr: (2, point) lengths of bars across.
        yerr: (2, point) lengths of bars up and down.
        line: whether a line goes through them.
        hollow: whether they are not to be trusted.
        label: of the legend.
        layer: which of how many methods at the same places: the first is drawn widest, so that methods that coincide
            show around each other.
    """
    beyond = layer[1] - 1 - layer[0]
    wider = min(beyond * LAYER, MOST_LAYERS)
    size: dict[str, Any] = {}
    if layer[1] > 1:
        size = {"linewidth": LINE + wider, "markersize": MARKER + MARKER_LAYERS * wider}
    ax.errorbar(
        x,
        y,
        xerr=xerr,
        yerr=yerr,
        color=MUTED if hollow else mark.light,
        marker=mark.marker,
        markerfacecolor=PAPER if hollow else mark.light,
        markeredgewidth=1.0 if hollow else 0.0,
        linestyle=mark.dash if line else "none",
        elinewidth=1.2 + wider / 2,
        **size,
        capsize=0,
        label=label,
    )


def bars(
    values: np.ndarray, mcse: np.ndarray, lower: np.ndarray | None = None, upper: np.ndarray | None = None
) -> np.ndarray:
    """Return (2, point) lengths of error bars: to the interval's ends where there is one, else 2 MCSE each way."""
    reach = TWO_MCSE * np.nan_to_num(mcse)
    down, up = reach.copy(), reach.copy()
    if lower is not None and upper is not None:
        known = np.isfinite(lower) & np.isfinite(upper)
        down[known] = np.maximum(values - lower, 0)[known]
        up[known] = np.maximum(upper - values, 0)[known]
    return np.vstack([down, up])


def nominal_line(ax: Axes, measure: str, table: pd.DataFrame) -> None:
    """Draw where a coverage should be, behind all else."""
    levels = table["level"].dropna()
    if measure in AT_LEVEL and len(levels):
        ax.axhline(float(levels.iloc[0]), color=MUTED, linestyle="--", linewidth=1, zorder=1)


def nominal_key(measure: str, table: pd.DataFrame) -> list[Line2D]:
    """Return what a legend has for the line of the nominal level, where there is one."""
    levels = table["level"].dropna()
    if measure not in AT_LEVEL or levels.empty:
        return []
    return [Line2D([], [], color=MUTED, linestyle="--", linewidth=1, label=f"nominal {100 * levels.iloc[0]:g} %")]


def plain_log(axis: Axis) -> None:
    """Write plain numbers on a logarithmic axis, at 1, 2 and 5 of each power of ten."""
    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_locator(NullLocator())


def error_scale(ax: Axes, measure: str, values: np.ndarray) -> None:
    """Let an axis of errors begin at 0, or make it logarithmic where errors differ more than sixfold."""
    if measure not in ("rmse", "mse"):
        return
    positive = values[values > 0]
    if len(positive) < len(values) or positive.max() < LOG_RATIO * positive.min():
        ax.set_ylim(bottom=0)
        return
    ax.set_yscale("log")
    plain_log(ax.yaxis)


def stripes(ax: Axes, n: int) -> None:
    """Shade every other row of a dot plot, so that the eye stays in its row."""
    for row in range(0, n, 2):
        ax.axhspan(row - 0.5, row + 0.5, color=GRID, alpha=0.45, linewidth=0, zorder=0)


def _fit(names: Sequence[str], width: float) -> int:
    letter = INCHES_PER_LETTER * points(1.0)
    inches = [len(name) * letter + INCHES_PER_HANDLE for name in names]
    if sum(inches) <= width:
        return len(names)
    return max(1, min(len(names) - 1, int(width / max(inches))))
