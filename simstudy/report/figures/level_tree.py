"""A tree of levels: nested factors from the common mean to the innermost level, each branch at its estimate.

A line through all trees stands at the true common mean, where it is known.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from simstudy.report.figures.canvas import NARROW_BELOW, WIDE, called, drawing, panels
from simstudy.report.reading.palette import INK, MUTED, Mark

HEIGHT = {"wide": 3.4, "narrow": 2.3}
MARGIN = 0.35
TRUTH = "truth"


def level_tree(
    table: pd.DataFrame,
    *,
    columns: list[str],
    words: str = "effect",
    marks: Mapping[str, Mark] | None = None,
    labels: Mapping[str, str] | None = None,
    ax: Axes | None = None,
    width: float = WIDE,
) -> Figure:
    """Draw a tree for the truth and for each method: one column per factor, lines from a level to those within it.

    Args:
        table: ``method``, ``depth`` (0 for the common mean), ``value``, ``parent`` (the value that its branch starts
            from; NaN at depth 0). The rows of the truth are those of the method ``truth``.
        columns: what each depth is.
        words: what the values are.
        marks: method -> how it is drawn; the truth, and methods without one, in ink.
        labels: name -> what is written for it; their own names where left out.
        ax: axes to draw on, where there is one tree; a figure of its own where left out.
        width: of the figure, in inches; below 6 two trees stand in a row.
    """
    names = list(dict.fromkeys(table["method"].astype(str)))
    narrow = width < NARROW_BELOW
    n_columns = 2 if narrow else len(names)
    with drawing(ax=ax, labels=labels):
        figure, axes = panels(
            len(names),
            columns=n_columns,
            width=width,
            height=HEIGHT["narrow" if narrow else "wide"],
            sharex=True,
            sharey=True,
        )
        for i, (one, name) in enumerate(zip(axes, names, strict=True)):
            rows = table[table["method"] == name]
            color = marks[name].light if marks and name in marks else INK
            inner = rows.dropna(subset="parent")
            ends = inner[["depth", "parent", "value"]].to_numpy(float)
            branches = [[(d - 1, parent), (d, value)] for d, parent, value in ends]
            one.add_collection(LineCollection(branches, colors=color, linewidths=0.8, alpha=0.55))
            one.plot(rows["depth"], rows["value"], linestyle="", marker="o", markersize=3.5, color=color)
            one.set_title(called(name, length=20 if narrow else 30))
            one.set_xlim(-MARGIN, len(columns) - 1 + MARGIN)
            one.set_xticks(np.arange(len(columns)), [called(c, length=12) for c in columns])
            one.grid(visible=False, axis="x")
            one.tick_params(axis="x", length=0)
            if i % n_columns == 0:
                one.set_ylabel(words)
        for one in axes:
            for mean in table.loc[(table["depth"] == 0) & (table["method"] == TRUTH), "value"]:
                one.axhline(float(mean), color=MUTED, linewidth=0.5, zorder=0)
            one.autoscale_view(scalex=False)
    return figure
