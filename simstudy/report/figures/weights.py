"""How far partial pooling shrinks, against how far it should: E[B | y] and the oracle weight B."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from simstudy.report.figures.canvas import NARROW_BELOW, drawing, key, sheet
from simstudy.report.palette import MUTED, Mark, name_marks

SIDE = 4.6
MAX_POINTS = 600


def weights(
    table: pd.DataFrame,
    *,
    marks: Mapping[str, Mark] | None = None,
    width: float = SIDE,
) -> Figure:
    """Draw the mean shrinkage weight over replicates against the oracle's, bars of 2 MCSE each way.

    On the dashed line the data shrink as one who knew tau and sigma would. With few groups tau is poorly known and
    the points leave the line, most where the oracle pools completely (B = 1).

    Args:
        table: one row per method, scenario and group (or kind of group): ``method``, ``oracle``, ``weight``, ``mcse``.
        marks: method -> how it is drawn; by name where left out.
        width: of the figure, in inches.
    """
    names = list(dict.fromkeys(table["method"].astype(str)))
    marks = {name: mark for name, mark in (marks or name_marks(names)).items() if name in names}
    shown = table if len(table) <= MAX_POINTS else table.iloc[:: -(-len(table) // MAX_POINTS)]
    with drawing():
        figure = sheet(width, min(width, SIDE))
        ax = figure.subplots()
        ax.plot([0, 1], [0, 1], color=MUTED, linestyle="--", linewidth=1, zorder=1)
        for name, mark in marks.items():
            rows = shown[shown["method"] == name]
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
        ax.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), xlabel="oracle weight B", ylabel="mean of E[B | y]")
        ax.set_aspect("equal")
        key(figure, marks, width=width if width > NARROW_BELOW else width - 0.3)
    return figure
