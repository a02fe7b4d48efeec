"""What a prior moves: the estimate of its parameter, the shrinkage weights and the coverage, over the design."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from simstudy.report.figures.canvas import NARROW_BELOW, WIDE, bars, called, dots, drawing, grid, key
from simstudy.report.figures.factor_axis import FactorAxis
from simstudy.report.reading.design import Design, read_design
from simstudy.report.reading.palette import MUTED, Mark, ramp_marks
from simstudy.report.reading.readings import average, require
from simstudy.report.reading.vocabulary import effects
from simstudy.report.reading.wording import symbol

ROW_HEIGHT, HEAD = 1.75, 0.6
MOST_SETTINGS, MOST_ON_A_PHONE = 4, 2
TITLE_LENGTH = 30
TARGET = "truth, oracle, nominal level"


@dataclass(frozen=True, kw_only=True)
class _Row:
    """One row of panels: the numbers, and by scenario where they should be (NaN where nobody can say)."""

    title: str
    table: pd.DataFrame
    target: pd.Series


def priors(
    performance: pd.DataFrame,
    scenarios: pd.DataFrame,
    *,
    texts: Mapping[str, str],
    parameter: str = "tau",
    oracle: Mapping[str, float] | None = None,
    marks: Mapping[str, Mark] | None = None,
    labels: Mapping[str, str] | None = None,
    ax: Axes | None = None,
    width: float = WIDE,
) -> Figure:
    """Draw how an estimate, the shrinkage weights and the coverage of effects move with a prior; bars of 2 MCSE.

    One line per prior, by default from green for the first to violet for the last; along the axis the design's main
    factor, or the priors where there is one scenario; one column per setting of the other factors, at most four, two
    on a phone. Dashed: the parameter's truth, the oracle's weight, the nominal coverage.

    Args:
        performance: the performance table.
        scenarios: the run's scenarios, with a column per factor.
        texts: method -> its prior as text, in the order of the colors.
        parameter: whose prior it is.
        oracle: scenario -> the mean weight of one who knows tau and sigma, where known.
        marks: method -> how it is drawn; a ramp of colors where left out.
        labels: name -> what is written for it: of methods, scenarios (id, or label as ``τ = 0.5``), measures and
            estimands; their own names where left out.
        ax: axes to draw on, where there is one panel; a figure of its own where left out.
        width: of the figure, in inches.

    Raises:
        TableError: the table has nothing of these methods to draw.
    """
    design = read_design(scenarios)
    performance = performance[performance["method"].isin(texts)]
    rows = [row for row in _rows(performance, scenarios, parameter, oracle or {}) if len(row.table)]
    require(pd.DataFrame([row.title for row in rows]), f"estimate of {parameter}")
    settings = shown_settings(design, most=MOST_ON_A_PHONE if width < NARROW_BELOW else MOST_SETTINGS)
    axis = FactorAxis.of(design)
    marks = {name: (marks or ramp_marks(list(texts)))[name] for name in texts}
    with drawing(ax=ax, labels=labels):
        height = HEAD + ROW_HEIGHT * len(rows)
        is_one = len(scenarios) == 1
        figure, drawn = grid(len(rows), len(settings), width=width, height=height, sharex=True, sharey="row")
        for axes, row in zip(drawn, rows, strict=True):
            for ax, (title, chosen) in zip(axes, settings.items(), strict=True):
                _panel(ax, row, axis, chosen, marks, is_one=is_one)
                if is_one:
                    ax.set_xticks(range(len(marks)), [texts[name] for name in marks])
                    ax.set_xlim(-0.6, len(marks) - 0.4)
                    continue
                ax.set_title(called(title, length=TITLE_LENGTH) if row is rows[0] else "")
                ax.set_xlabel(axis.label() if row is rows[-1] else "")
            axes[0].set_ylabel(called(row.title))
        named = {f"{symbol(parameter)} ~ {text}": marks[method] for method, text in texts.items()}
        is_known = any(row.target.notna().any() for row in rows)
        dashed = Line2D([], [], color=MUTED, linestyle="--", linewidth=1, label=TARGET)
        key(figure, named, width=width, line=True, more=[dashed] if is_known else [])
    return figure


def shown_settings(design: Design, *, most: int) -> dict[str, list[str]]:
    """Return the settings of all factors but the axis, evenly spread where there are too many, with their scenarios."""
    titles = design.others(design.axis)
    names = list(titles.unique())
    chosen = np.unique(np.linspace(0, len(names) - 1, min(most, len(names))).round().astype(int))
    return {names[i]: list(titles.index[titles == names[i]]) for i in chosen}


def _rows(
    performance: pd.DataFrame, scenarios: pd.DataFrame, parameter: str, oracle: Mapping[str, float]
) -> list[_Row]:
    ids = scenarios["scenario"].astype(str)
    nowhere = pd.Series(np.nan, index=ids)
    truth = pd.to_numeric(scenarios.get(parameter, nowhere), errors="coerce")
    coverage = average(performance, "coverage", estimand=effects().name)
    level = coverage["level"].dropna()
    nominal = float(level.iloc[0]) if len(level) else np.nan
    return [
        _Row(
            title=f"mean estimate of {symbol(parameter)}",
            table=average(performance, "mean_estimate", estimand=parameter),
            target=pd.Series(truth.to_numpy(float), index=ids),
        ),
        _Row(
            title="shrinkage weight B",
            table=average(performance, "shrinkage_weight"),
            target=pd.Series({s: oracle.get(s, np.nan) for s in ids}, dtype=float),
        ),
        _Row(title=f"coverage of {symbol(effects().name)}", table=coverage, target=pd.Series(nominal, index=ids)),
    ]


def _panel(
    ax: Axes, row: _Row, axis: FactorAxis, chosen: list[str], marks: Mapping[str, Mark], *, is_one: bool
) -> None:
    in_order = sorted(chosen, key=lambda s: axis.place[s])
    target = row.target[in_order].to_numpy(float)
    at = np.array([axis.place[s] for s in in_order], dtype=float)
    if len(at) == 1:
        reach = len(marks) - 0.6 if is_one else 0.4
        at, target = at + np.array([-0.4, reach]), np.repeat(target, 2)
    ax.plot(at, target, color=MUTED, linestyle="--", linewidth=1, zorder=1)
    for i, (name, mark) in enumerate(marks.items()):
        rows = row.table[(row.table["method"] == name) & row.table["scenario"].isin(chosen)]
        rows = rows.assign(at=rows["scenario"].map(axis.place)).sort_values("at")
        values = rows["value"].to_numpy(float)
        ends = (rows[end].to_numpy(float) for end in ("lower", "upper"))
        error = bars(values, rows["mcse"].to_numpy(float), *ends)
        at = rows["at"].to_numpy(float) + (i if is_one else 0)
        dots(ax, at, values, mark=mark, yerr=error, line=True, label=name, layer=(i, len(marks)))
    if not is_one:
        axis.show(ax)
