"""Lollipops: each measure as a stem from where it should be to where it is, by scenario and method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.path import Path

from simstudy.report.figures.canvas import (
    AT_LEVEL,
    NARROW_BELOW,
    WIDE,
    bars,
    called,
    clip_text,
    drawing,
    grid,
    key,
    points,
    stripes,
)
from simstudy.report.reading.design import read_design
from simstudy.report.reading.palette import INK, MUTED, Mark, name_marks
from simstudy.report.reading.readings import average, require
from simstudy.report.reading.wording import measure_words

ROW_SPAN, INCHES_PER_METHOD, SMALLEST_ROW, HEAD = 0.72, 0.14, 0.28, 0.95
LABEL_LENGTH, NARROW_LABEL_LENGTH = 36, 24
SHARES = (*AT_LEVEL, "rejection")
NO_VALUE = "no value"
PARENTHESES = (Path.arc(120, 240), Path.arc(-60, 60))


def lollipop(
    performance: pd.DataFrame,
    scenarios: pd.DataFrame,
    *,
    estimand: str,
    measures: Sequence[str] = ("bias", "rmse", "coverage"),
    marks: Mapping[str, Mark] | None = None,
    labels: Mapping[str, str] | None = None,
    ax: Axes | None = None,
    width: float = WIDE,
) -> Figure:
    """Draw measures as stems from 0, or the nominal level of a coverage, by scenario (rows) and method (color).

    A parenthesis stands 2 MCSE either side of each value, or at the ends of the Wilson interval of a share
    (Gasparini 2018, JOSS 3:739). A cell without a usable estimate says so.

    Args:
        performance: the performance table.
        scenarios: the scenarios, with a column per factor.
        estimand: an estimand of the table; averaged over groups where it has groups.
        measures: measures of the table; those it lacks for the estimand are left out.
        marks: method -> how it is drawn; by name where left out.
        labels: name -> what is written for it: of methods, scenarios (id, or label), measures and estimands; their own
            names where left out.
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
    length = NARROW_LABEL_LENGTH if width < NARROW_BELOW else LABEL_LENGTH
    with drawing(ax=ax, labels=labels):
        figure, axes = _panels(len(tables), len(rows) * max(SMALLEST_ROW, INCHES_PER_METHOD * len(marks)), width)
        for ax, (measure, table) in zip(axes, tables.items(), strict=True):
            _panel(ax, table, rows, marks, target=target_of(measure, table))
            _name(ax, measure, table)
        for ax in axes if width < NARROW_BELOW else axes[:1]:
            ax.set_yticks(range(len(rows)), apart([called(s, design.labels[s]) for s in rows], length))
        key(figure, marks, width=width)
    return figure


def apart(names: Sequence[str], length: int) -> list[str]:
    """Return names cut at a length, so that different ones stay so: at their end, else at their beginning.

    >>> apart(["a long name", "a long nose"], 8), apart(["xxx a xxx xxx", "xxx b xxx xxx"], 5)
    (['…ng name', '…ng nose'], ['1 xx…', '2 xx…'])
    """
    for cut in (clip_text, _clip_start):
        texts = [cut(name, length) for name in names]
        if len(set(texts)) == len(set(names)):
            return texts
    return [clip_text(f"{i} {name}", length) for i, name in enumerate(names, start=1)]


def _clip_start(text: str, length: int) -> str:
    return text if len(text) <= length else "…" + text[1 - length :]


def target_of(measure: str, table: pd.DataFrame) -> float:
    """Return where the stems of a measure begin: the nominal level of a coverage, else 0."""
    levels = table["level"].dropna()
    return float(levels.iloc[0]) if measure in AT_LEVEL and len(levels) else 0.0


def _panels(n: int, height: float, width: float) -> tuple[Figure, list[Axes]]:
    stacked = width < NARROW_BELOW
    tall = HEAD + height * (n if stacked else 1) + 0.35 * n * stacked
    figure, axes = grid(*((n, 1) if stacked else (1, n)), width=width, height=tall, sharey=not stacked)
    return figure, list(axes.flat)


def _panel(ax: Axes, table: pd.DataFrame, rows: list[str], marks: Mapping[str, Mark], *, target: float) -> None:
    stripes(ax, len(rows))
    ax.axvline(target, color=MUTED, linewidth=1, zorder=1)
    place = {scenario: i for i, scenario in enumerate(rows)}
    for i, (name, mark) in enumerate(marks.items()):
        here = table[table["method"] == name]
        y = here["scenario"].map(place).to_numpy(float) + ROW_SPAN * ((i + 0.5) / len(marks) - 0.5)
        value = here["value"].to_numpy(float)
        known = np.isfinite(value)
        ax.hlines(y[known], target, value[known], color=mark.light, linewidth=1.6)
        ax.plot(value[known], y[known], color=mark.light, marker=mark.marker, linestyle="none", label=name)
        _parentheses(ax, here[known], y[known], mark)
        for at in y[~known]:
            place_at: dict[str, Any] = {"transform": ax.get_yaxis_transform(), "va": "center", "fontsize": points(7)}
            ax.text(0.01, at, _absence(here, ~known), color=MUTED, **place_at)
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.grid(visible=False, axis="y")
    ax.tick_params(axis="y", length=0)


def _absence(rows: pd.DataFrame, is_missing: np.ndarray) -> str:
    return "∞" if np.isinf(rows["value"].to_numpy(float)[is_missing]).any() else NO_VALUE


def _parentheses(ax: Axes, rows: pd.DataFrame, y: np.ndarray, mark: Mark) -> None:
    value, mcse, lower, upper = (rows[name].to_numpy(float) for name in ("value", "mcse", "lower", "upper"))
    down, up = bars(value, mcse, lower, upper)
    has_reach = down + up > 0
    for x, arc in zip((value - down, value + up), PARENTHESES, strict=True):
        look: dict[str, Any] = {"markersize": points(7), "markeredgewidth": 1.1, "markerfacecolor": "none"}
        ax.plot(x[has_reach], y[has_reach], color=mark.light, marker=arc, linestyle="none", **look)


def _name(ax: Axes, measure: str, table: pd.DataFrame) -> None:
    levels = table["level"].dropna()
    level = f" ({100 * levels.iloc[0]:g} %)" if len(levels) else ""
    ax.set_title(called(measure, measure_words(measure)) + level, loc="left", color=INK)
