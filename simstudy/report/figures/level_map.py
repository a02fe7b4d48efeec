"""Effects of levels that lie on a map or a graph: the truth, each method's estimate, and its error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from simstudy.report.figures.canvas import NARROW_BELOW, WIDE, called, drawing, grid
from simstudy.report.figures.maps import DIVERGING, SEQUENTIAL
from simstudy.report.reading.palette import MUTED, Mark

TRUTH = "truth"
SIDE = {"wide": 2.5, "narrow": 1.5}
MARKERS = (3.0, 22.0)  # width of a marker in points
ROOM = 0.6  # steps around the outermost levels of a lattice
MARGIN = 0.12  # around those of others, of the larger side
ASPECTS = (0.35, 1.3)  # of a panel: height over width


def level_map(
    table: pd.DataFrame,
    places: pd.DataFrame,
    *,
    edges: np.ndarray | None = None,
    truth: pd.Series | None = None,
    words: str = "effect",
    is_lattice: bool = False,
    marks: Mapping[str, Mark] | None = None,
    labels: Mapping[str, str] | None = None,
    ax: Axes | None = None,
    width: float = WIDE,
) -> Figure:
    """Draw effects as color at the places of their levels: truth and estimates on one scale, errors on another.

    Args:
        table: ``method``, ``level``, ``mean``; one row per method and level.
        places: ``x`` and ``y`` by level, the index.
        edges: (edge, 2) pairs of neighboring levels, drawn as lines; none for points and lattices.
        truth: level -> true value; without it there are no errors.
        words: what is estimated.
        is_lattice: whether the places fill the rows and columns of a lattice, drawn as cells that touch.
        marks: not used; every figure of methods has it.
        labels: name -> what is written for it; their own names where left out.
        ax: axes to draw on, where there is one panel; a figure of its own where left out.
        width: of the figure, in inches; below 6 each method has a row of its own.
    """
    names = list(dict.fromkeys(table["method"].astype(str)))
    estimates = {name: table[table["method"] == name].set_index("level")["mean"] for name in names}
    errors = {} if truth is None else {name: values - truth for name, values in estimates.items()}
    narrow = width < NARROW_BELOW
    shown: list[list[tuple[str, pd.Series | None, bool]]]
    if narrow:
        first = [] if truth is None else [[(TRUTH, truth, False), ("", None, False)]]
        shown = [*first, *([(n, estimates[n], False), (f"error, {n}", errors.get(n), True)] for n in names)]
        shown = shown if errors else [row[:1] for row in shown]
    else:
        head: list[tuple[str, pd.Series | None, bool]] = [] if truth is None else [(TRUTH, truth, False)]
        blank: list[tuple[str, pd.Series | None, bool]] = [("", None, False)] * len(head)
        shown = [[*head, *((n, estimates[n], False) for n in names)]]
        shown += [[*blank, *((f"error, {n}", errors[n], True) for n in names)]] if errors else []
    colors = _colors([*estimates.values(), *([] if truth is None else [truth])], list(errors.values()))
    n_rows, n_columns = len(shown), len(shown[0])
    aspect = float(np.clip((np.ptp(places["y"]) + 1) / (np.ptp(places["x"]) + 1), *ASPECTS))
    tall = min(SIDE["narrow" if narrow else "wide"] * 1.4, width / n_columns * aspect) + 0.35
    with drawing(ax=ax, labels=labels):
        figure, axes = grid(n_rows, n_columns, width=width, height=n_rows * tall + 0.3)
        drawn: dict[bool, Any] = {}
        for row, line in zip(axes, shown, strict=True):
            for one, (title, values, is_error) in zip(row, line, strict=True):
                if values is None:
                    one.set_axis_off()
                    continue
                look: dict[str, Any] = {"edges": edges, "is_lattice": is_lattice, "inches": width / n_columns}
                drawn[is_error] = _panel(one, places, values, colors[is_error], **look)
                one.set_title(called(title, length=20 if narrow else 30))
        for is_error, label in ((False, words), (True, "error")):
            if is_error in drawn:
                place: dict[str, Any] = (
                    {"location": "bottom", "aspect": 30} if narrow else {"location": "right", "aspect": 18}
                )
                panels_of = list(axes.flat) if narrow else list(axes[int(is_error)])
                bar = figure.colorbar(drawn[is_error], ax=panels_of, label=label, shrink=0.85, pad=0.02, **place)
                bar.outline.set_visible(False)
    return figure


def _panel(
    ax: Axes,
    places: pd.DataFrame,
    values: pd.Series,
    colors: Mapping[str, Any],
    *,
    edges: np.ndarray | None,
    is_lattice: bool,
    inches: float,
) -> Any:
    """Draw one map, and return what its colors stand for."""
    at = places.loc[values.index]
    if is_lattice:
        cells = pd.Series(values.to_numpy(float), index=pd.MultiIndex.from_frame(at[["y", "x"]])).unstack()  # noqa: PD010
        drawn: Any = ax.pcolormesh(cells.columns, cells.index, cells.to_numpy(float), linewidth=0, **colors)
    else:
        if edges is not None and len(edges):
            lines = places[["x", "y"]].to_numpy(float)[edges]
            ax.add_collection(LineCollection(list(lines), colors=MUTED, linewidths=0.5, alpha=0.6, zorder=1))
        look: dict[str, Any] = {"s": _size(places, inches) ** 2, "edgecolors": MUTED, "linewidths": 0.4, "zorder": 2}
        drawn = ax.scatter(at["x"], at["y"], c=values.to_numpy(float), **look, **colors)
    for axis, set_ends in (("x", ax.set_xlim), ("y", ax.set_ylim)):
        low, high = float(places[axis].min()), float(places[axis].max())
        room = ROOM * _step(places[axis]) if is_lattice else MARGIN * float(np.ptp(places[["x", "y"]], axis=0).max())
        set_ends(low - room, high + room)
    ax.set_aspect("equal", adjustable="box")
    ax.grid(visible=False)
    ax.set_xticks([])
    ax.set_yticks([])
    ax.spines[:].set_visible(False)
    return drawn


def _step(coordinates: pd.Series) -> float:
    """Return the mean distance of neighboring columns or rows of a lattice, 1 where there is a single one."""
    known = np.unique(coordinates)
    return float(np.diff(known).mean()) if len(known) > 1 else 1.0


def _size(places: pd.DataFrame, inches: float) -> float:
    """Return the width of a marker in points: about half of the room that a level has."""
    step = 72 * inches * 0.8 / np.sqrt(len(places))
    return float(np.clip(0.45 * step, *MARKERS))


def _colors(values: list[pd.Series], errors: list[pd.Series]) -> dict[bool, dict[str, Any]]:
    """Return the scale of truth and estimates, and that of errors, white at 0."""
    every = np.concatenate([v.to_numpy(float) for v in values])
    reach = max((float(np.nanmax(np.abs(e.to_numpy(float)))) for e in errors), default=1.0) or 1.0
    low, high = float(np.nanmin(every)), float(np.nanmax(every))
    return {
        False: {"cmap": SEQUENTIAL, "norm": Normalize(low, max(high, low + 1e-9))},
        True: {"cmap": DIVERGING, "norm": Normalize(-reach, reach)},
    }
