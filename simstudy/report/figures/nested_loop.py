"""The nested-loop plot: a measure over all scenarios of a large design in one picture, with the factors below."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from simstudy.report.figures.canvas import (
    NARROW_BELOW,
    WIDE,
    bars,
    called,
    drawing,
    error_scale,
    key,
    nominal_key,
    nominal_line,
    points,
    sheet,
)
from simstudy.report.reading.design import Design, read_design
from simstudy.report.reading.palette import INK, Mark, name_marks
from simstudy.report.reading.readings import average, require
from simstudy.report.reading.wording import measure_words, symbol

HEIGHT, TRACK = 2.9, 0.3
LEVELS_SHOWN = 26


def nested_loop(
    performance: pd.DataFrame,
    scenarios: pd.DataFrame,
    *,
    measure: str = "rmse",
    estimand: str = "theta",
    marks: Mapping[str, Mark] | None = None,
    labels: Mapping[str, str] | None = None,
    width: float = WIDE,
) -> Figure:
    """Draw a measure along all scenarios as steps, one line per method, with a band of 2 MCSE each way.

    The band of a share is its Wilson interval, and a coverage has a line at its nominal level.

    Scenarios stand in the order of the crossed factors, the one that varies slowest first; the tracks below show the
    level of each factor (Rücker & Schwarzer 2014, BMC Medical Research Methodology 14:129). The tracks are axes of
    their own, so that it makes its own figure.

    Args:
        performance: the performance table.
        scenarios: the run's scenarios, with a column per factor.
        measure: a measure of the table.
        estimand: an estimand of the table; averaged over groups where it has groups.
        marks: method -> how it is drawn; by name where left out.
        labels: name -> what is written for it: of methods, scenarios (id, or label as ``τ = 0.5``), measures and
            estimands; their own names where left out.
        width: of the figure, in inches.

    Raises:
        TableError: the table has no such measure of the estimand.
    """
    design = read_design(scenarios)
    table = require(average(performance, measure, estimand=estimand), f"{measure} of {estimand}")
    names = list(dict.fromkeys(table["method"].astype(str)))
    marks = {name: mark for name, mark in (marks or name_marks(names)).items() if name in names}
    ranks = factor_ranks(design)
    with drawing(labels=labels):
        figure = sheet(width, HEIGHT + TRACK * max(1, ranks.shape[1]))
        tall = [HEIGHT, *[TRACK] * ranks.shape[1]]
        grid = figure.subplots(len(tall), 1, squeeze=False, sharex=True, gridspec_kw={"height_ratios": tall})
        axes = list(grid.flat)
        for name, mark in marks.items():
            rows = table[table["method"] == name].drop_duplicates("scenario").set_index("scenario")
            _steps(axes[0], rows.reindex(ranks.index), mark)
        nominal_line(axes[0], measure, table)
        error_scale(axes[0], measure, table["value"].to_numpy(float))
        axes[0].set_ylabel(f"{called(measure, measure_words(measure))} of {called(estimand, symbol(estimand))}")
        axes[0].grid(visible=False, axis="x")
        for ax, factor in zip(axes[1:], ranks.columns, strict=True):
            _track(ax, design, ranks, factor, width)
        axes[-1].set_xlabel(f"{len(ranks)} scenarios")
        axes[-1].xaxis.set_major_locator(MaxNLocator(integer=True))
        key(
            figure,
            {name: Mark(**{**vars(m), "marker": ""}) for name, m in marks.items()},
            width=width,
            line=True,
            more=nominal_key(measure, table),
        )
    return figure


def factor_ranks(design: Design) -> pd.DataFrame:
    """Return the rank of each factor's level by scenario, in the order of the loops; the design's axis varies fastest.

    Returns:
        One row per scenario (the index), one column per factor, ranks from 0.
    """
    factors = [f for f in design.factors if f != design.axis] + ([design.axis] if design.axis else [])
    ranks = pd.DataFrame({f: _ranks(design.numbers[f]) for f in factors}, index=design.numbers.index)
    return ranks.sort_values(factors, kind="stable") if factors else ranks


def _ranks(values: pd.Series) -> np.ndarray:
    if pd.api.types.is_numeric_dtype(values):
        return values.rank(method="dense").to_numpy() - 1
    return pd.factorize(values.map(str))[0].astype(float)


def _steps(ax: Axes, rows: pd.DataFrame, mark: Mark) -> None:
    edges = np.arange(len(rows) + 1)
    value, *spread = (rows[column].to_numpy(float) for column in ("value", "mcse", "lower", "upper"))
    down, up = bars(value, *spread)
    ends = [np.append(v, v[-1:]) for v in (value, value - down, value + up)]
    ax.fill_between(edges, ends[1], ends[2], step="post", color=mark.light, alpha=0.25, linewidth=0)
    ax.step(edges, ends[0], where="post", color=mark.light, linestyle=mark.dash, linewidth=1.3)
    ax.set_xlim(0, len(rows))


def _track(ax: Axes, design: Design, ranks: pd.DataFrame, factor: str, width: float) -> None:
    rank = ranks[factor].to_numpy(float)
    ax.step(np.arange(len(rank) + 1), np.append(rank, rank[-1:]), where="post", color=INK, linewidth=1.0)
    ax.set_ylim(-0.4, max(rank.max(), 1) + 0.4)
    levels = design.levels.loc[ranks.index, factor].groupby(rank).first()
    words = f"{factor} = {', '.join(levels)}"
    if len(words) > LEVELS_SHOWN or width < NARROW_BELOW:
        words = f"{factor} = {levels.iloc[0]} … {levels.iloc[-1]}"
    ax.set_ylabel(words if width >= NARROW_BELOW else factor, rotation=0, ha="right", va="center", fontsize=points(8))
    ax.set_yticks([])
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    ax.grid(visible=False)
