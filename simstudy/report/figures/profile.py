"""A measure along the main factor of the design, one panel per setting of the other factors."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import fill

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
    nominal_key,
    nominal_line,
    panels,
    points,
)
from simstudy.report.figures.factor_axis import FactorAxis
from simstudy.report.reading.design import read_design
from simstudy.report.reading.palette import Mark, name_marks
from simstudy.report.reading.readings import average, require
from simstudy.report.reading.wording import measure_words, symbol

ROW_HEIGHT, LOW_ROW_HEIGHT = 2.3, 2.0
SHORT_TITLE = 18
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
    """Draw a measure along the design's main factor, one line per method, bars of 2 MCSE each way.

    Bars of a share reach to the ends of its Wilson interval, and a coverage has a line at its nominal level.

    An error that differs more than sixfold is drawn on a logarithmic axis, and so is a factor that spans more than a
    power of ten. Nothing is moved: methods that agree lie on each other, the first the widest, so that none hides
    another. Panels share the vertical axis, so that they can be compared.

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
    axis = FactorAxis.of(design)
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
            _panel(ax, table, axis, list(titles.index[titles == title]), marks)
            nominal_line(ax, measure, table)
            ax.set_title(called(title))
        for ax in axes[-columns:]:
            ax.set_xlabel(axis.label())
        for ax in axes[::columns]:
            words = f"{called(measure, measure_words(measure))} of {called(estimand, symbol(estimand))}"
            ax.set_ylabel(fill(words, int(LABEL_SHARE * height / (INCHES_PER_LETTER * points(1.0)))))
        error_scale(axes[0], measure, table["value"].to_numpy(float))
        key(figure, marks, width=width, line=True, more=nominal_key(measure, table))
    return figure


def _panel(ax: Axes, table: pd.DataFrame, axis: FactorAxis, scenarios: list[str], marks: Mapping[str, Mark]) -> None:
    here = table[table["scenario"].isin(scenarios)]
    for i, (name, mark) in enumerate(marks.items()):
        rows = here[here["method"] == name]
        rows = rows.assign(at=rows["scenario"].map(axis.place)).sort_values("at")
        values = rows["value"].to_numpy(float)
        error = bars(values, *(rows[name].to_numpy(float) for name in ("mcse", "lower", "upper")))
        at = rows["at"].to_numpy(float)
        dots(ax, at, values, mark=mark, yerr=error, line=True, label=name, layer=(i, len(marks)))
    axis.show(ax)
