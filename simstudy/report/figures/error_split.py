"""What a sampler adds to the error of its model: in percent of the exact posterior's MSE, by scenario and method."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from simstudy.report.figures.canvas import (
    NARROW_BELOW,
    WIDE,
    bars,
    called,
    dots,
    drawing,
    grid,
    key,
    points,
    stripes,
)
from simstudy.report.figures.style import asked_axes
from simstudy.report.reading.design import read_design
from simstudy.report.reading.palette import MUTED, Mark, name_marks
from simstudy.report.reading.readings import require
from simstudy.report.reading.wording import symbol

ROW_SPAN, ROW_INCHES, INCHES_PER_METHOD, HEAD = 0.66, 0.27, 0.12, 1.0
BETWEEN = 0.55
MAX_ROWS = 36
LABEL_LENGTH = 36
AXIS = "sampler’s part, % of the exact MSE"


def error_split(
    table: pd.DataFrame,
    scenarios: pd.DataFrame,
    *,
    marks: Mapping[str, Mark] | None = None,
    labels: Mapping[str, str] | None = None,
    ax: Axes | None = None,
    width: float = WIDE,
) -> Figure:
    """Draw the sampler's part of the MSE by scenario (rows), estimand (panels) and method, bars of 2 MCSE each way.

    At the dashed line the sampler adds nothing and all of the error is the model's and its priors'. Of a design with
    more than 36 scenarios those in which a sampler adds or takes the most are drawn.

    Args:
        table: one row per scenario, method and estimand: ``scenario``, ``method``, ``estimand``, ``percent`` (of the
            MSE of the exact posterior mean) and ``percent_mcse``.
        scenarios: the run's scenarios, with a column per factor.
        marks: method -> how it is drawn; by name where left out.
        labels: name -> what is written for it: of methods, scenarios (id, or label as ``τ = 0.5``), measures and
            estimands; their own names where left out.
        ax: axes to draw on, where there is one panel; a figure of its own where left out.
        width: of the figure, in inches; below 6 the panels stand below each other.

    Raises:
        TableError: no part is known.
    """
    table = require(table.dropna(subset=["percent"]), "sampler's part of an error")
    named = read_design(scenarios).labels
    rows = _rows(table, list(named))
    estimands = list(dict.fromkeys(table["estimand"]))
    names = list(dict.fromkeys(table["method"].astype(str)))
    marks = {name: mark for name, mark in (marks or name_marks(names)).items() if name in names}
    stacked = width < NARROW_BELOW
    height = len(rows) * max(ROW_INCHES, INCHES_PER_METHOD * len(marks))
    with drawing(ax=ax, labels=labels):
        shape = (len(estimands), 1) if stacked else (1, len(estimands))
        tall = HEAD + height + (height + BETWEEN) * (shape[0] - 1)
        figure, drawn = grid(*shape, width=width, height=tall, sharey=True)
        axes = list(drawn.flat)
        for ax, estimand in zip(axes, estimands, strict=True):
            _panel(ax, table[table["estimand"] == estimand], rows, marks)
            ax.set_title(called(estimand, symbol(estimand)))
        axes[0].set_yticks(range(len(rows)), [called(s, named[s], length=LABEL_LENGTH) for s in rows])
        (axes[-1].set_xlabel if stacked or (len(axes) == 1 and asked_axes()) else figure.supxlabel)(
            AXIS, fontsize=points(9)
        )
        key(figure, marks, width=width)
    return figure


def _rows(table: pd.DataFrame, scenarios: list[str]) -> list[str]:
    most = table["percent"].abs().groupby(table["scenario"]).max().nlargest(MAX_ROWS)
    return [scenario for scenario in scenarios if scenario in most.index]


def _panel(ax: Axes, table: pd.DataFrame, rows: list[str], marks: Mapping[str, Mark]) -> None:
    stripes(ax, len(rows))
    ax.axvline(0, color=MUTED, linestyle="--", linewidth=1, zorder=1)
    place = {scenario: i for i, scenario in enumerate(rows)}
    for i, (name, mark) in enumerate(marks.items()):
        here = table[(table["method"] == name) & table["scenario"].isin(rows)]
        values = here["percent"].to_numpy(float)
        shift = ROW_SPAN * ((i + 0.5) / len(marks) - 0.5)
        at = here["scenario"].map(place).to_numpy(float) + shift
        dots(ax, values, at, mark=mark, xerr=bars(values, here["percent_mcse"].to_numpy(float)), label=name)
    reach = np.abs(table["percent"]).max()
    ax.set_xlim(*(np.array([-1, 1]) if reach == 0 else ax.get_xlim()))
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.grid(visible=False, axis="y")
    ax.tick_params(axis="y", length=0)
