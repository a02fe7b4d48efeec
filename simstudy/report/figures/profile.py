"""A measure along the main factor of the design, one panel per setting of the other factors."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import fill

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from simstudy.report.figures.canvas import (
    INCHES_PER_LETTER,
    MIDDLE,
    NARROW_BELOW,
    WIDE,
    bars,
    called,
    dots,
    drawing,
    error_scale,
    even_columns,
    key,
    panels,
    points,
)
from simstudy.report.reading.design import Design, order, read_design
from simstudy.report.reading.palette import Mark, name_marks
from simstudy.report.reading.readings import average, require
from simstudy.report.reading.wording import measure_words, symbol

ROW_HEIGHT, LOW_ROW_HEIGHT = 2.3, 2.0
SHORT_TITLE = 18
DODGE = 0.13
LABEL_SHARE = 0.75
"""Of a panel's height, that a line of the label of its axis may take."""


def profile(
    performance: pd.DataFrame,
    scenarios: pd.DataFrame,
    *,
    measure: str = "rmse",
    estimand: str = "theta",
    marks: Mapping[str, Mark] | None = None,
    labels: Mapping[str, str] | None = None,
    ax: Axes | None = None,
    width: float = WIDE,
) -> Figure:
    """Draw a measure along the design's main factor, methods side by side, bars of 2 MCSE each way.

    An error that differs more than sixfold is drawn on a logarithmic axis. The levels of the factor stand at equal
    distances and the methods are moved apart, so that none hides another; panels share the vertical axis, so that they
    can be compared.

    Args:
        performance: the performance table.
        scenarios: the run's scenarios, with a column per factor.
        measure: a measure of the table.
        estimand: an estimand of the table; averaged over groups where it has groups.
        marks: method -> how it is drawn; by name where left out.
        labels: name -> what is written for it: of methods, scenarios (id, or label as ``τ = 0.5``), measures and
            estimands; their own names where left out.
        ax: axes to draw on, where there is one panel; a figure of its own where left out.
        width: of the figure, in inches; below 6 it is laid out for a phone.

    Raises:
        TableError: the table has no such measure of the estimand.
    """
    design = read_design(scenarios)
    table = require(average(performance, measure, estimand=estimand), f"{measure} of {estimand}")
    names = list(dict.fromkeys(table["method"]))
    marks = {name: mark for name, mark in (marks or name_marks(names)).items() if name in names}
    titles = design.others(design.axis)
    n_panels = titles.nunique()
    most = 4 if titles.str.len().max() <= SHORT_TITLE else 3
    columns = 2 if width < NARROW_BELOW else even_columns(n_panels, most=most)
    height = LOW_ROW_HEIGHT if width <= MIDDLE else ROW_HEIGHT
    with drawing(ax=ax, labels=labels):
        figure, axes = panels(n_panels, columns=columns, width=width, height=height, sharey=True)
        for ax, title in zip(axes, titles.unique(), strict=True):
            _panel(ax, table, design, list(titles.index[titles == title]), marks)
            ax.set_title(called(title))
        for ax in axes[-columns:]:
            ax.set_xlabel(called(design.axis or ""))
        for ax in axes[::columns]:
            words = f"{called(measure, measure_words(measure))} of {called(estimand, symbol(estimand))}"
            ax.set_ylabel(fill(words, int(LABEL_SHARE * height / (INCHES_PER_LETTER * points(1.0)))))
        error_scale(axes[0], measure, table["value"].to_numpy(float))
        key(figure, marks, width=width, line=True)
    return figure


def _panel(ax: Axes, table: pd.DataFrame, design: Design, scenarios: list[str], marks: Mapping[str, Mark]) -> None:
    axis = design.axis
    levels = levels_of(design)
    here = table[table["scenario"].isin(scenarios)]
    for i, (name, mark) in enumerate(marks.items()):
        rows = here[here["method"] == name]
        at = rows["scenario"].map(design.levels[axis]) if axis else pd.Series("", index=rows.index)
        rows = rows.assign(at=[levels.index(level) for level in at]).sort_values("at")
        shift = DODGE * (i - (len(marks) - 1) / 2)
        values = rows["value"].to_numpy(float)
        error = bars(values, rows["mcse"].to_numpy(float))
        dots(ax, rows["at"].to_numpy() + shift, values, mark=mark, yerr=error, line=True, label=name)
    ax.set_xticks(range(len(levels)), levels)
    ax.set_xlim(-0.5, len(levels) - 0.5)
    ax.grid(visible=False, axis="x")


def levels_of(design: Design) -> list[str]:
    """Return the levels of the design's axis as text, in ascending order; one empty text without an axis."""
    if design.axis is None:
        return [""]
    values = np.unique(design.numbers[design.axis].to_numpy(float))
    return order(design.levels[design.axis].unique().tolist(), [f"{value:g}" for value in values])
