"""Are ranks uniform? Their empirical distribution less the uniform one, one panel per estimand."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from simstudy.measures.ecdf import ecdf_difference
from simstudy.report.figures.canvas import (
    MIDDLE,
    NARROW_BELOW,
    WIDE,
    called,
    drawing,
    even_columns,
    key,
    panels,
    points,
)
from simstudy.report.reading.palette import GRID, MUTED, Mark, name_marks
from simstudy.report.reading.readings import require, require_one
from simstudy.report.reading.wording import symbol

ROW_HEIGHT = 1.75
CHANCE = 0.05
BAND, BAND_POINTS = "95 % simultaneous band", 7
MARK_EVERY = 0.2


def calibration(
    ranks: pd.DataFrame,
    *,
    marks: Mapping[str, Mark] | None = None,
    labels: Mapping[str, str] | None = None,
    ax: Axes | None = None,
    width: float = WIDE,
) -> Figure:
    """Draw the distribution of ranks minus the uniform one by estimand and method, with 95 % simultaneous bands.

    A line that leaves its band anywhere has a p-value below .05. A hill on the left: truths rank too low, estimates
    are too large; a wave: the posterior is too narrow (hill, then valley) or too wide.

    Args:
        ranks: one row per fit and estimand: ``method``, ``estimand``, ``rank`` and ``n_rank``, of one scenario and, of
            estimands with groups, of one group.
        marks: method -> how it is drawn; by name where left out.
        labels: name -> what is written for it: of methods, scenarios (id, or label as ``τ = 0.5``), measures and
            estimands; their own names where left out.
        ax: axes to draw on, where there is one panel; a figure of its own where left out.
        width: of the figure, in inches; below 6 it is laid out for a phone.

    Raises:
        TableError: there is no rank, or there are ranks of several scenarios, or of several groups of an estimand.
    """
    ranks = require_one(require(ranks.dropna(subset=["rank"]), "rank"), "scenario")
    for _, rows in ranks.groupby(["method", "estimand"], observed=True):
        require_one(rows, "group")
    estimands = list(dict.fromkeys(ranks["estimand"].astype(str)))
    names = list(dict.fromkeys(ranks["method"].astype(str)))
    marks = {name: mark for name, mark in (marks or name_marks(names)).items() if name in names}
    columns = 2 if width < NARROW_BELOW else even_columns(len(estimands), most=3 if width <= MIDDLE else 5)
    with drawing(ax=ax, labels=labels):
        figure, axes = panels(len(estimands), columns=columns, width=width, height=ROW_HEIGHT, sharex=True, sharey=True)
        for ax, estimand in zip(axes, estimands, strict=True):
            _panel(ax, ranks[ranks["estimand"] == estimand], marks)
            ax.set_title(called(estimand, symbol(estimand)))
        for ax in axes[-columns:]:
            ax.set_xlabel("rank of the truth", fontsize=points(8.5))
        band = Line2D([], [], color=GRID, linewidth=BAND_POINTS, label=BAND)
        key(figure, marks, width=width, line=True, more=[band])
    return figure


def _panel(ax: Axes, ranks: pd.DataFrame, marks: Mapping[str, Mark]) -> None:
    curves = {}
    for name in marks:
        mine = ranks[ranks["method"] == name]
        if len(mine):
            curves[name] = ecdf_difference(mine["rank"].to_numpy(int), int(mine["n_rank"].iloc[0]), alpha=CHANCE)
    # Bands differ between methods only where fits failed or draws were fewer; the widest one holds all others.
    if curves:
        widest = max(curves.values(), key=lambda curve: (curve["upper"] - curve["lower"]).max())
        ax.fill_between(widest["point"], widest["lower"], widest["upper"], color=GRID, linewidth=0)
    ax.axhline(0, color=MUTED, linestyle="--", linewidth=0.8, zorder=1)
    for i, (name, curve) in enumerate(curves.items()):
        mark = marks[name]
        sns.lineplot(
            x=curve["point"].to_numpy(),
            y=curve["difference"].to_numpy(),
            color=mark.light,
            linestyle=mark.dash,
            linewidth=1.3,
            marker=mark.marker,
            markersize=4.5,
            markeredgewidth=0,
            markevery=(MARK_EVERY * (i + 0.5) / len(curves), MARK_EVERY),
            label=name,
            legend=False,
            errorbar=None,
            ax=ax,
        )
    ax.set_xlim(0, 1)
    ax.set_xticks([0, 0.5, 1], ["0", "½", "1"])
    ax.grid(visible=False, axis="x")
