"""The posteriors of one data set: every group's interval under every method, beside the data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator, ScalarFormatter

from simstudy.errors import TableError
from simstudy.report.figures.canvas import (
    NARROW_BELOW,
    WIDE,
    called,
    clip_text,
    dots,
    drawing,
    grid,
    key,
    sheet,
    stripes,
)
from simstudy.report.figures.style import asked_axes
from simstudy.report.reading.palette import INK, Mark, name_marks
from simstudy.report.reading.wording import MINUS

ROW_INCHES, HEAD = 0.11, 0.95
SMALLEST_ROW, BETWEEN = 0.3, 0.6
ROW_SPAN = 0.66
APART, FAR, FEW_TICKS, LONG = 1, 50, 4, (1e-3, 1e5)
"""Spreads of the effects from 0 beyond which a mean stands with them, and beyond which their numbers are long; ticks of
an axis with long numbers; sizes outside which numbers are long."""
DATA: dict[str, Any] = {"marker": "|", "markersize": 15, "markeredgewidth": 1.4, "label": "data"}
TRUTH: dict[str, Any] = {"marker": "x", "markersize": 6, "markeredgewidth": 1.6, "label": "truth"}


def posterior(
    table: pd.DataFrame,
    *,
    data: pd.Series | None = None,
    truth: pd.Series | None = None,
    labels: Mapping[str, str] | None = None,
    marks: Mapping[str, Mark] | None = None,
    ax: Axes | None = None,
    width: float = WIDE,
) -> Figure:
    """Draw posterior means and intervals: the group effects on the left, all other estimands on the right.

    Where the effects lie far from 0, a mean among the others would hide all that is small: it stands with the effects.

    Args:
        table: one row per method, estimand and group: ``method``, ``name`` (as ``theta[0]``), ``mean``, ``lower``,
            ``upper``.
        data: name -> the group's observed mean, drawn as an upright stroke.
        truth: name -> the true value, drawn as a cross.
        labels: name -> what stands on the axis, of methods what stands in the key; the name itself where left out.
        marks: method -> how it is drawn; by name where left out.
        ax: axes to draw on, where there is one panel; a figure of its own where left out.
        width: of the figure, in inches; below 6 the panels stand below each other.

    Raises:
        TableError: a method has several rows of a name, as of several scenarios.
    """
    names = list(dict.fromkeys(table["method"].astype(str)))
    marks = {name: mark for name, mark in (marks or name_marks(names)).items() if name in names}
    if table.duplicated(["method", "name"]).any():
        raise TableError("posterior: expected one row per method and name, got several; give those of one data set")
    effects = table["name"].str.startswith(("theta[", "p["))
    effects |= _beside(table, effects)
    parts = [part for part in (table[effects], table[~effects]) if len(part)]
    rows = [list(dict.fromkeys(part["name"])) for part in parts]
    with drawing(ax=ax, labels=labels):
        figure, axes = _axes([len(r) for r in rows], max(SMALLEST_ROW, ROW_INCHES * len(marks)), width)
        for ax, part, named in zip(axes, parts, rows, strict=True):
            _panel(ax, part, named, marks)
            _ticks_apart(ax)
            ax.set_yticks(range(len(named)), [clip_text(called(name), 24) for name in named])
            for values, look in ((data, DATA), (truth, TRUTH)):
                _points(ax, named, values, look)
        shown = [look for values, look in ((data, DATA), (truth, TRUTH)) if values is not None]
        key(figure, marks, width=width, more=[Line2D([], [], color=INK, linestyle="", **look) for look in shown])
    return figure


def _beside(table: pd.DataFrame, effects: pd.Series) -> pd.Series:
    """Return which of the other rows lie among effects that are far from 0 against their spread, all of a name."""
    low, high = (pick(table.loc[effects, "mean"]) for pick in (np.min, np.max)) if effects.any() else (0.0, 0.0)
    if low * high <= 0 or min(abs(low), abs(high)) < APART * (high - low):
        return pd.Series(data=False, index=table.index)
    among = table["mean"].between(low - (high - low), high + (high - low))
    return among.groupby(table["name"]).transform("all")


def _ticks_apart(ax: Axes) -> None:
    """Write few ticks where numbers are long: far from 0 as differences from a number that stands beside the axis."""
    low, high = ax.get_xlim()
    size = max(abs(low), abs(high))
    if size > FAR * (high - low):
        ax.xaxis.set_major_formatter(ScalarFormatter(useOffset=True))
    elif not LONG[0] < size < LONG[1]:
        # The power of ten beside the axis would need more room than a row has.
        ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}".replace("-", MINUS)))
    else:
        return
    ax.xaxis.set_major_locator(MaxNLocator(FEW_TICKS))


def _axes(n_rows: list[int], row: float, width: float) -> tuple[Figure, list[Axes]]:
    """Return axes below or beside each other, with rows of one height in all."""
    if width < NARROW_BELOW or asked_axes():
        tall = HEAD + row * sum(n_rows) + BETWEEN
        figure, axes = grid(len(n_rows), 1, width=width, height=tall, gridspec_kw={"height_ratios": n_rows})
        return figure, list(axes.flat)
    most = max(n_rows)
    figure = sheet(width, HEAD + row * most)
    columns = [[str(column) if place < n else "." for place in range(most)] for column, n in enumerate(n_rows)]
    mosaic = figure.subplot_mosaic([list(line) for line in zip(*columns, strict=True)])
    return figure, [mosaic[str(column)] for column in range(len(n_rows))]


def _panel(ax: Axes, table: pd.DataFrame, named: list[str], marks: Mapping[str, Mark]) -> None:
    stripes(ax, len(named))
    place = {name: i for i, name in enumerate(named)}
    for i, (method, mark) in enumerate(marks.items()):
        rows = table[table["method"] == method]
        mean = rows["mean"].to_numpy(float)
        reach = np.abs(rows[["lower", "upper"]].to_numpy(float).T - mean)
        shift = ROW_SPAN * ((i + 0.5) / len(marks) - 0.5)
        dots(ax, mean, rows["name"].map(place).to_numpy(float) + shift, mark=mark, xerr=reach, label=method)
    ax.set_ylim(len(named) - 0.5, -0.5)
    ax.grid(visible=False, axis="y")
    ax.tick_params(axis="y", length=0)


def _points(ax: Axes, named: list[str], values: pd.Series | None, look: Mapping[str, Any]) -> None:
    known = pd.Series(dtype=float) if values is None else values[values.index.isin(named)].dropna()
    at = [named.index(str(name)) for name in known.index]
    ax.plot(known.to_numpy(float), at, linestyle="", color=INK, zorder=1 if look is DATA else 4, **look)
