"""How far methods shrink, against how far they should: E[B | y] or the shrinkage slope, and the oracle weight B."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from simstudy.report.figures.canvas import NARROW_BELOW, called, drawing, key, panels
from simstudy.report.reading.palette import MUTED, Mark, name_marks

SIDE = 4.6
MAX_POINTS = 600
WEIGHT = "mean of E[B | y]"


def weights(
    table: pd.DataFrame,
    *,
    marks: Mapping[str, Mark] | None = None,
    labels: Mapping[str, str] | None = None,
    ax: Axes | None = None,
    width: float = SIDE,
) -> Figure:
    """Draw the mean shrinkage over replicates against the oracle's weight, bars of 2 MCSE each way.

    On the dashed line the data shrink as one who knew tau and sigma would. With few groups tau is poorly known and
    the points leave the line, most where the oracle pools completely (B = 1).

    Args:
        table: one row per method, scenario and group (or kind of group): ``method``, ``oracle``, ``weight``, ``mcse``;
            with a column ``of``, the name of the axis, one panel for each of its values.
        marks: method -> how it is drawn; by name where left out.
        labels: name -> what is written for it: of methods, scenarios (id, or label as ``τ = 0.5``), measures and
            estimands; their own names where left out.
        ax: axes to draw on, where there is one panel; a figure of its own where left out.
        width: of the figure, in inches.
    """
    names = list(dict.fromkeys(table["method"].astype(str)))
    marks = {name: mark for name, mark in (marks or name_marks(names)).items() if name in names}
    shown = table if len(table) <= MAX_POINTS else table.iloc[:: -(-len(table) // MAX_POINTS)]
    kinds = dict(tuple(shown.groupby("of", sort=False))) if "of" in shown else {WEIGHT: shown}
    columns = 1 if width < NARROW_BELOW else len(kinds)
    height = min(width / columns, SIDE)
    with drawing(ax=ax, labels=labels):
        figure, axes = panels(len(kinds), columns=columns, width=width, height=height, sharex=True)
        for ax, (words, rows) in zip(axes, kinds.items(), strict=True):
            _panel(ax, rows, marks)
            ax.set_ylabel(called(str(words)))
        for ax in axes[-columns:]:
            ax.set_xlabel("oracle weight B")
        key(figure, marks, width=width if width > NARROW_BELOW else width - 0.3)
    return figure


def _panel(ax: Axes, table: pd.DataFrame, marks: Mapping[str, Mark]) -> None:
    ax.plot([0, 1], [0, 1], color=MUTED, linestyle="--", linewidth=1, zorder=1)
    for name, mark in marks.items():
        rows = table[table["method"] == name]
        reach = 2 * np.nan_to_num(rows["mcse"].to_numpy(float))
        ax.errorbar(rows["oracle"], rows["weight"], yerr=reach, fmt="none", ecolor=mark.light, elinewidth=0.9)
        sns.scatterplot(
            x=rows["oracle"].to_numpy(float),
            y=rows["weight"].to_numpy(float),
            color=mark.light,
            marker=mark.marker,
            s=30,
            linewidth=0,
            alpha=0.85,
            ax=ax,
        )
    ax.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03))
    ax.set_aspect("equal")
