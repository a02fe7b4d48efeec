"""What shrinkage does to groups far from the mean: bias and coverage by |theta - mu| / tau."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from simstudy.report.figures.arrows import choose_scenarios
from simstudy.report.figures.canvas import NARROW_BELOW, WIDE, bars, called, dots, drawing, grid, key
from simstudy.report.reading.design import Design, read_design
from simstudy.report.reading.palette import MUTED, Mark, name_marks
from simstudy.report.reading.readings import binned, require
from simstudy.report.reading.vocabulary import declared
from simstudy.report.reading.wording import measure_words, symbol

ROW_HEIGHT = 2.0
MAX_SCENARIOS, MAX_NARROW = 4, 2
FEWEST_REPLICATES = 10
TITLE_WIDTH, NARROW_TITLE = 36, 19
FLAT_LABELS, FLAT_LABELS_NARROW = 6, 3


def conditional(
    performance: pd.DataFrame,
    scenarios: pd.DataFrame,
    *,
    estimand: str = "theta",
    measures: Sequence[str] = ("conditional_bias", "coverage"),
    chosen: Sequence[str] | None = None,
    marks: Mapping[str, Mark] | None = None,
    labels: Mapping[str, str] | None = None,
    ax: Axes | None = None,
    width: float = WIDE,
) -> Figure:
    """Draw measures by bin of |theta - mu| / tau: one row per measure, one column per scenario.

    Bins that fewer than 10 replicates fell into are left out. Dashed lines: no bias, nominal coverage. Coverage falls
    with the distance by construction, since an interval that shrinks toward the mean cannot cover all outlying groups:
    it is the price of the smaller error, not a defect.

    Args:
        performance: the performance table, with binned rows of the measures.
        scenarios: the run's scenarios, with a column per factor.
        estimand: effects of groups.
        measures: binned measures of the table.
        chosen: the scenarios to draw; a spread of the design, at most 4, where left out; two on a phone.
        marks: method -> how it is drawn; by name where left out.
        labels: name -> what is written for it: of methods, scenarios (id, or label as ``τ = 0.5``), measures and
            estimands; their own names where left out.
        ax: axes to draw on, where there is one panel; a figure of its own where left out.
        width: of the figure, in inches.

    Raises:
        TableError: the table has no such bins.
    """
    design = read_design(scenarios)
    tables = {m: t for m in measures if not (t := well_seen(binned(performance, m, estimand=estimand))).empty}
    require(pd.DataFrame(list(tables)), f"{' or '.join(measures)} of {estimand} by distance")
    present = set.intersection(*(set(table["scenario"]) for table in tables.values()))
    chosen = [s for s in chosen or _spread(design, present) if s in present][:MAX_SCENARIOS]
    names = list(dict.fromkeys(name for table in tables.values() for name in table["method"]))
    marks = {name: mark for name, mark in (marks or name_marks(names)).items() if name in names}
    last = max(table["place"].max() for table in tables.values())
    is_narrow = width < NARROW_BELOW
    most = FLAT_LABELS_NARROW if is_narrow else FLAT_LABELS
    chosen = [chosen[0], chosen[-1]] if is_narrow and len(chosen) > MAX_NARROW else chosen
    with drawing(ax=ax, labels=labels):
        height = ROW_HEIGHT * len(tables) + 0.4 + 0.5 * is_narrow
        figure, drawn = grid(len(tables), len(chosen), width=width, height=height, sharex="col", sharey="row")
        for axes, (measure, table) in zip(drawn, tables.items(), strict=True):
            for ax, scenario in zip(axes, chosen, strict=True):
                _panel(ax, table[table["scenario"] == scenario], measure, marks, last=last, most=most)
        for ax, scenario in zip(drawn[0], chosen, strict=True):
            ax.set_title(called(scenario, design.labels[scenario], length=NARROW_TITLE if is_narrow else TITLE_WIDTH))
        _name_axes(drawn, list(tables), estimand)
        key(figure, marks, width=width, line=True)
    return figure


def well_seen(table: pd.DataFrame) -> pd.DataFrame:
    """Return the bins that enough replicates fell into."""
    return table[table["n_used"] >= FEWEST_REPLICATES]


def _spread(design: Design, present: set[str]) -> list[str]:
    chosen = [s for s in choose_scenarios(design, most=2 * MAX_SCENARIOS) if s in present]
    return (chosen + [s for s in design.labels if s in present and s not in chosen])[:MAX_SCENARIOS]


def _panel(ax: Axes, table: pd.DataFrame, measure: str, marks: Mapping[str, Mark], *, last: float, most: int) -> None:
    for i, (name, mark) in enumerate(marks.items()):
        rows = table[table["method"] == name]
        values = rows["value"].to_numpy(float)
        ends = (rows[end].to_numpy(float) for end in ("lower", "upper"))
        error = bars(values, rows["mcse"].to_numpy(float), *ends)
        at, layer = rows["place"].to_numpy(float), (i, len(marks))
        dots(ax, at, values, mark=mark, yerr=error, line=True, label=name, layer=layer)
    names = table.drop_duplicates("place").sort_values("place")
    ax.set_xlim(-0.5, last + 0.5)
    ax.set_xticks(names["place"], [_short(name) for name in names["bin"]], rotation=90 if len(names) > most else 0)
    ax.grid(visible=False, axis="x")
    levels = table["level"].dropna().unique()
    target = levels[0] if measure == "coverage" and len(levels) else 0.0 if "bias" in measure else np.nan
    if np.isfinite(target):
        ax.axhline(target, color=MUTED, linestyle="--", linewidth=1, zorder=1)


def _short(name: str) -> str:
    return str(name).split("=")[-1].strip().replace("-", "–")


def _name_axes(grid: np.ndarray, measures: list[str], estimand: str) -> None:
    effects = declared()[estimand]
    distance = (
        f"|{called(estimand, symbol(estimand))} − {symbol(effects.center or '')}| / {symbol(effects.spread or '')}"
    )
    for ax in grid.flat:
        ax.set_xlabel(distance if ax.get_subplotspec().is_last_row() else "")
    for row, measure in zip(grid, measures, strict=True):
        for ax in row:
            if ax.get_subplotspec().is_first_col() or ax.get_subplotspec().colspan.start == 1 < len(row):
                ax.set_ylabel("")
        row[0].set_ylabel(called(measure, measure_words(measure).replace(" (", "\n(")))
