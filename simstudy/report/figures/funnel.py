"""The funnel: draws of tau, or of another scale, against draws of a group effect, divergent draws marked."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from simstudy.report.figures.canvas import MIDDLE, NARROW_BELOW, called, drawing, key, panels, plain_log
from simstudy.report.reading.palette import INK, MUTED, Mark, name_marks
from simstudy.report.reading.readings import require, require_one
from simstudy.report.reading.wording import number

HEIGHT, MOST_COLUMNS = 3.2, 3
MOST_DRAWS = 800
KINDS_OF_DRAWS = ("divergent draw", "other draw")


def funnel(
    draws: pd.DataFrame,
    *,
    effect: str = "θ",
    spread: str = "τ",
    marks: Mapping[str, Mark] | None = None,
    labels: Mapping[str, str] | None = None,
    ax: Axes | None = None,
    width: float = MIDDLE,
) -> Figure:
    """Draw tau on a logarithmic axis against a group effect, one panel per method, divergent draws marked.

    The posterior of both is a funnel where little is known about the group (Neal 2003; Betancourt & Girolami 2015).
    A sampler that cannot enter its neck diverges at the entrance and has no draws below. Panels share their axes; of
    more than 800 draws that did not diverge an even selection is drawn, of divergent draws all.

    Args:
        draws: one row per draw: ``method``, ``effect``, ``tau`` (positive), ``diverging`` (bool), of one
            scenario.
        effect: the name of the group effect on its axis.
        spread: that of tau.
        marks: method -> how it is drawn; by name where left out.
        labels: name -> what is written for it: of methods, scenarios (id, or label as ``τ = 0.5``), measures and
            estimands; their own names where left out.
        ax: axes to draw on, where there is one panel; a figure of its own where left out.
        width: of the figure, in inches; below 6 two panels stand in a row.

    Raises:
        TableError: there is no draw, or there are draws of several scenarios.

    >>> draws = {"method": "centered", "effect": [0.1, -0.3], "tau": [0.2, 1.1], "diverging": [True, False]}
    >>> funnel(pd.DataFrame(draws)).axes[0].get_yscale()
    'log'
    """
    draws = require_one(require(draws[draws["tau"] > 0], "draw of tau"), "scenario")
    names = list(dict.fromkeys(draws["method"].astype(str)))
    marks = {name: mark for name, mark in (marks or name_marks(names)).items() if name in names}
    columns = min(len(names), 2 if width < NARROW_BELOW else MOST_COLUMNS)
    with drawing(ax=ax, labels=labels):
        figure, axes = panels(len(names), columns=columns, width=width, height=HEIGHT, sharex=True, sharey=True)
        for i, (ax, (name, mark)) in enumerate(zip(axes, marks.items(), strict=True)):
            rows = draws[draws["method"] == name]
            _panel(ax, rows, mark)
            share = number(100 * rows["diverging"].mean(), digits=2)
            ax.set_title(f"{called(name, length=20 if width < NARROW_BELOW else 34)}\n{share} % divergent")
            ax.set_ylabel(spread if i % columns == 0 else "")
            ax.set_xlabel(effect if i >= len(axes) - columns else "")
        axes[0].set_yscale("log")
        plain_log(axes[0].yaxis)
        # Of draws that did not diverge some are left out, so that the eye must not count.
        most = draws.loc[~draws["diverging"].astype(bool), "method"].value_counts().max()
        words = ("all divergent draws", f"{MOST_DRAWS:,} of the others") if most > MOST_DRAWS else KINDS_OF_DRAWS
        cross = Line2D([], [], color=INK, marker="x", linestyle="", markersize=5, label=words[0])
        dot = Line2D([], [], color=MUTED, marker="o", linestyle="", markersize=4, label=words[1])
        key(figure, {}, width=width, more=[dot, cross])
    return figure


def _panel(ax: Axes, rows: pd.DataFrame, mark: Mark) -> None:
    diverging = rows["diverging"].to_numpy(bool)
    quiet = rows[~diverging]
    quiet = quiet.iloc[np.linspace(0, len(quiet) - 1, min(len(quiet), MOST_DRAWS)).round().astype(int)]
    ax.plot(quiet["effect"], quiet["tau"], "o", color=mark.light, markersize=2.6, alpha=0.5, markeredgewidth=0)
    ax.plot(rows["effect"][diverging], rows["tau"][diverging], "x", color=INK, markersize=4.5, markeredgewidth=1.1)
