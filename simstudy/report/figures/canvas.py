"""The paper that every figure is drawn on: fonts, inks, panels, legends, error bars. Nothing global is changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from simstudy.report.reading.palette import GRID, INK, MUTED, PAPER, Mark

WIDE, MIDDLE, NARROW = 11.5, 7.2, 3.7
NARROW_BELOW = 6.0
TWO_MCSE = 2.0
LOG_RATIO = 6.0
INCHES_PER_LETTER, INCHES_PER_HANDLE = 0.075, 0.55

STYLE = {
    "font.family": ["DejaVu Sans"],
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 9,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "legend.fontsize": 9,
    "text.color": INK,
    "axes.titlecolor": INK,
    "axes.labelcolor": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "axes.edgecolor": MUTED,
    "axes.linewidth": 0.8,
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "axes.grid": True,
    "grid.color": GRID,
    "grid.linewidth": 0.7,
    "axes.axisbelow": True,
    "xtick.major.size": 3,
    "ytick.major.size": 3,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "lines.linewidth": 1.6,
    "lines.markersize": 5,
    "figure.constrained_layout.h_pad": 0.06,
    "figure.constrained_layout.w_pad": 0.06,
    "figure.constrained_layout.hspace": 0.04,
    "figure.constrained_layout.wspace": 0.03,
    "axes.unicode_minus": True,
    "text.parse_math": False,
    "axes.formatter.useoffset": False,
}


@contextmanager
def drawing() -> Iterator[None]:
    """Draw in the report's style inside the block; matplotlib's settings are as before after it."""
    settings: dict[Any, Any] = {**sns.axes_style("ticks"), **STYLE}
    with mpl.rc_context(settings):
        yield


def sheet(width: float, height: float) -> Figure:
    """Return an empty figure, in inches, that pyplot knows nothing of."""
    return Figure(figsize=(width, height), layout="constrained")


def panels(n: int, *, columns: int, width: float, height: float, **sharing: Any) -> tuple[Figure, list[Axes]]:
    """Return a figure with n panels in rows of at most ``columns``; ``height`` is of one row, in inches."""
    columns = max(1, min(columns, n))
    rows = -(-n // columns)
    figure = sheet(width, rows * height)
    grid = figure.subplots(rows, columns, squeeze=False, **sharing)
    for spare in grid.flat[n:]:
        spare.set_visible(False)
    for lowest in grid.flat[max(0, n - columns) : n]:
        lowest.tick_params(labelbottom=True)
    return figure, list(grid.flat[:n])


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
        Line2D([], [], color=m.light, marker=m.marker, linestyle=m.dash if line else "none", label=name, markersize=6)
        for name, m in marks.items()
    ]
    handles += more
    columns = _fit([str(handle.get_label()) for handle in handles], width)
    figure.legend(handles=handles, loc="outside upper left", ncols=columns, handletextpad=0.4)


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
) -> None:
    """Draw estimates with their error bars; hollow marks stand for numbers that are not to be trusted."""
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
        elinewidth=1.2,
        capsize=0,
        label=label,
    )


def bars(values: np.ndarray, mcse: np.ndarray, lower: np.ndarray | None = None, upper: np.ndarray | None = None):
    """Return (2, point) lengths of error bars: to the interval's ends where there is one, else 2 MCSE each way."""
    reach = TWO_MCSE * np.nan_to_num(mcse)
    down, up = reach.copy(), reach.copy()
    if lower is not None and upper is not None:
        known = np.isfinite(lower) & np.isfinite(upper)
        down[known] = np.maximum(values - lower, 0)[known]
        up[known] = np.maximum(upper - values, 0)[known]
    return np.vstack([down, up])


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


def clip_text(text: str, length: int) -> str:
    """Return the text, cut at a number of characters.

    >>> clip_text("a long label", 7)
    'a long…'
    """
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def _fit(names: Sequence[str], width: float) -> int:
    inches = [len(name) * INCHES_PER_LETTER + INCHES_PER_HANDLE for name in names]
    if sum(inches) <= width:
        return len(names)
    return max(1, min(len(names) - 1, int(width / max(inches))))
