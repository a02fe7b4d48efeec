"""Recovery by scenario and method: one row per scenario, one panel per measure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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
    stripes,
)
from simstudy.report.reading.design import read_design
from simstudy.report.reading.palette import MUTED, Mark, name_marks
from simstudy.report.reading.readings import average, require
from simstudy.report.reading.wording import measure_words

ROW_SPAN = 0.7
INCHES_PER_METHOD = 0.1
SMALLEST_ROW = 0.27
HEAD = 1.0
LABEL_LENGTH = 36
BOUNDARY = " (boundary)"
FROM_ZERO = ("rmse", "mse", "empirical_se", "width")
TARGET = {"bias": 0.0, "conditional_bias": 0.0, "relative_bias": 0.0}


def recovery(
    performance: pd.DataFrame,
    scenarios: pd.DataFrame,
    *,
    estimand: str = "theta",
    measures: Sequence[str] = ("rmse", "bias", "coverage"),
    marks: Mapping[str, Mark] | None = None,
    labels: Mapping[str, str] | None = None,
    ax: Axes | None = None,
    width: float = WIDE,
) -> Figure:
    """Draw measures of an estimand by scenario (rows) and method (color and marker).

    Bars reach 2 MCSE each way, or to the ends of the Wilson interval for coverage. Dashed lines stand where a measure
    should be: 0 for a bias, the nominal level for coverage. Scenarios whose truth is at the
    end of its range, as tau = 0, have no coverage (boundary).

    Args:
        performance: the performance table.
        scenarios: the run's scenarios, with a column per factor.
        estimand: an estimand of the table; averaged over groups where it has groups.
        measures: measures of the table; those it lacks for the estimand are left out.
        marks: method -> how it is drawn; by name where left out.
        labels: name -> what is written for it: of methods, scenarios (id, or label as ``τ = 0.5``), measures and
            estimands; their own names where left out.
        ax: axes to draw on, where there is one panel; a figure of its own where left out.
        width: of the figure, in inches; below 6 the panels stand below each other.

    Raises:
        TableError: the table has none of the measures for the estimand.
    """
    design = read_design(scenarios)
    tables = {m: t for m in measures if not (t := average(performance, m, estimand=estimand)).empty}
    require(pd.DataFrame(list(tables)), f"{' or '.join(measures)} of {estimand}")
    names = list(dict.fromkeys(name for table in tables.values() for name in table["method"]))
    marks = {name: mark for name, mark in (marks or name_marks(names)).items() if name in names}
    shown = set().union(*(table["scenario"] for table in tables.values()))
    rows = [scenario for scenario in design.labels if scenario in shown]
    at_end = design.boundary_of(estimand)
    with drawing(ax=ax, labels=labels):
        named = [called(s, design.labels[s], length=LABEL_LENGTH) + (BOUNDARY if s in at_end else "") for s in rows]
        figure, axes = _columns(len(tables), len(rows) * _row_height(len(marks)), width)
        for ax, (measure, table) in zip(axes, tables.items(), strict=True):
            _panel(ax, table, rows, marks)
            ax.set_title(_title(measure, table), loc="right" if width < NARROW_BELOW else "left")
            _target(ax, measure, table)
        for ax in axes if width < NARROW_BELOW else axes[:1]:
            ax.set_yticks(range(len(rows)), named)
        key(figure, marks, width=width)
    return figure


def _columns(n: int, height: float, width: float) -> tuple[Figure, list[Axes]]:
    stacked = width < NARROW_BELOW
    tall = HEAD + height * (n if stacked else 1) + 0.35 * n * stacked
    shape = (n, 1) if stacked else (1, n)
    figure, axes = grid(*shape, width=width, height=tall, sharey=not stacked)
    return figure, list(axes.flat)


def _row_height(n_methods: int) -> float:
    return max(SMALLEST_ROW, INCHES_PER_METHOD * n_methods)


def _panel(ax: Axes, table: pd.DataFrame, rows: list[str], marks: Mapping[str, Mark]) -> None:
    stripes(ax, len(rows))
    place = {scenario: i for i, scenario in enumerate(rows)}
    for i, (name, mark) in enumerate(marks.items()):
        here = table[table["method"] == name]
        shift = ROW_SPAN * ((i + 0.5) / len(marks) - 0.5)
        values = here["value"].to_numpy(float)
        ends = (here[end].to_numpy(float) for end in ("lower", "upper"))
        error = bars(values, here["mcse"].to_numpy(float), *ends)
        dots(ax, values, here["scenario"].map(place).to_numpy(float) + shift, mark=mark, xerr=error, label=name)
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.grid(visible=False, axis="y")
    ax.tick_params(axis="y", length=0)


def _title(measure: str, table: pd.DataFrame) -> str:
    levels = table["level"].dropna()
    return called(measure, measure_words(measure)) + (f" ({100 * levels.iloc[0]:g} % intervals)" if len(levels) else "")


def _target(ax: Axes, measure: str, table: pd.DataFrame) -> None:
    levels = table["level"].dropna().unique()
    target = TARGET.get(measure, levels[0] if measure == "coverage" and len(levels) else np.nan)
    if np.isfinite(target):
        ax.axvline(target, color=MUTED, linestyle="--", linewidth=1, zorder=1)
    if measure in FROM_ZERO:
        ax.set_xlim(left=0)
