"""What a draw costs: effective draws of (mu, tau) per leapfrog step, by scenario and method."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from simstudy.report.figures.canvas import WIDE, bars, called, dots, drawing, grid, key, plain_log, stripes
from simstudy.report.reading.design import read_design
from simstudy.report.reading.palette import MUTED, PAPER, Mark, name_marks
from simstudy.report.reading.readings import average, efficiencies, require
from simstudy.report.reading.wording import symbol

ROW_INCHES, HEAD = 0.29, 1.15
DODGE = 0.15
TRUSTED_RATE = 0.01
LABEL_LENGTH = 30
HOLLOW = "over 1 % divergent"


def efficiency(
    performance: pd.DataFrame,
    scenarios: pd.DataFrame,
    *,
    marks: Mapping[str, Mark] | None = None,
    labels: Mapping[str, str] | None = None,
    ax: Axes | None = None,
    width: float = WIDE,
) -> Figure:
    """Draw effective draws of (mu, tau) per leapfrog by scenario and method on a logarithmic axis.

    Hollow gray marks: more than 1 % of the draws diverged, and ESS flatters a sampler that misses part of the
    posterior. Bars reach 2 MCSE each way.

    Args:
        performance: the performance table with ``ess_per_leapfrog`` and ``divergence_rate``.
        scenarios: the run's scenarios, with a column per factor.
        marks: method -> how it is drawn; by name where left out.
        labels: name -> what is written for it: of methods, scenarios (id, or label as ``τ = 0.5``), measures and
            estimands; their own names where left out.
        ax: axes to draw on, where there is one panel; a figure of its own where left out.
        width: of the figure, in inches.

    Raises:
        TableError: the table has no ESS per leapfrog.
    """
    design = read_design(scenarios)
    table = require(trusted(performance), "ess_per_leapfrog")
    names = list(dict.fromkeys(table["method"].astype(str)))
    marks = {name: mark for name, mark in (marks or name_marks(names)).items() if name in names}
    symbols = ", ".join(symbol(name) for name in str(table["estimand"].iloc[0]).split(", ")) if len(table) else ""
    rows = [scenario for scenario in design.labels if scenario in set(table["scenario"])]
    with drawing(ax=ax, labels=labels):
        figure, axes = grid(1, 1, width=width, height=HEAD + ROW_INCHES * len(rows))
        ax = axes[0, 0]
        stripes(ax, len(rows))
        for i, (name, mark) in enumerate(marks.items()):
            _method(ax, table[table["method"] == name], rows, DODGE * (i - (len(marks) - 1) / 2), mark)
        ax.set_xscale("log")
        plain_log(ax.xaxis)
        ax.set_xlabel(called("ess_per_leapfrog", f"ESS of ({symbols}) per leapfrog"))
        ax.set_yticks(range(len(rows)), [called(s, design.labels[s], length=LABEL_LENGTH) for s in rows])
        ax.set_ylim(len(rows) - 0.5, -0.5)
        ax.grid(visible=False, axis="y")
        ax.tick_params(axis="y", length=0)
        hollow = Line2D([], [], color=MUTED, marker="o", markerfacecolor=PAPER, linestyle="", label=HOLLOW)
        key(figure, marks, width=width, more=[] if table["trusted"].all() else [hollow])
    return figure


def trusted(performance: pd.DataFrame) -> pd.DataFrame:
    """Return ESS per leapfrog with ``trusted``: at most 1 % of the draws of the scenario and method diverged."""
    table = efficiencies(performance).dropna(subset=["value"])
    keys = ["scenario", "method"]
    rates = average(performance, "divergence_rate")[[*keys, "value"]].rename(columns={"value": "rate"})
    table = table[table["scenario"].notna()].merge(rates, on=keys, how="left")
    return table.assign(trusted=~(table["rate"] > TRUSTED_RATE))


def _method(ax: Axes, table: pd.DataFrame, rows: list[str], shift: float, mark: Mark) -> None:
    place = {scenario: i for i, scenario in enumerate(rows)}
    for hollow, part in ((False, table[table["trusted"]]), (True, table[~table["trusted"]])):
        values = part["value"].to_numpy(float)
        error = np.minimum(bars(values, part["mcse"].to_numpy(float)), np.abs(values) * 0.99)
        at = part["scenario"].map(place).to_numpy(float) + shift
        dots(ax, values, at, mark=mark, xerr=error, hollow=hollow)
