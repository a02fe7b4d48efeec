"""The report on structures: the squared error of knowing how levels lie over that of taking them as exchangeable.

Three families, each with its own study: a random walk in time, a map, and correlated slopes. A ratio below 1 says that
the structure pays; its MCSE is over replicates, in which both methods see the same data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from simstudy.measures import performance
from simstudy.report.evidence import Evidence
from simstudy.report.figures.canvas import MIDDLE, clip_text, drawing, sheet
from simstudy.report.parts import Part
from simstudy.report.reading.palette import COMPLETE, MUTED, NONE
from simstudy.report.reading.readings import quick_to_read
from simstudy.report.reading.wording import counted, with_mcse
from simstudy.report.sections.section import Section, picture
from simstudy.report.tables import Column, Table
from simstudy.store import Run

CAPTION = (
    "Each mark is a scenario: the mean squared error of the cells’ predictors under the structure over that under "
    "exchangeable levels, on the same data. Bars reach 2 MCSE each way."
)
REMARK = "± is the Monte Carlo standard error (MCSE) over replicates. A ratio within 2 MCSE of 1 is not told apart."
TITLE = "Squared error of the structure over exchangeable levels"
TOLD_APART = 2.0
"""MCSE from 1 at which a ratio is told apart from it."""
LOOKS = {"smaller": COMPLETE.light, "larger": NONE.light, "not told apart": MUTED}
ROW_INCHES, HEAD, GAP, ROOM, INSET = 0.26, 0.8, 1.0, 0.25, 0.01
LABEL_LENGTH = 46


@dataclass(frozen=True, kw_only=True)
class Family:
    """A study of a structure beside exchangeable levels.

    Args:
        study: name of its built-in study.
        structure: the method with the structure.
        exchangeable: the method that takes levels as exchangeable.
    """

    study: str
    structure: str
    exchangeable: str


FAMILIES = (
    Family(study="random_walk", structure="random walk", exchangeable="exchangeable months"),
    Family(study="map", structure="bym2", exchangeable="ignores the map"),
    Family(study="slopes", structure="correlated slopes", exchangeable="intercepts only"),
)


def structure_part(runs: Mapping[str, Run]) -> Part:
    """Return the part of a page that shows the ratios of all families.

    Args:
        runs: study -> its run.
    """
    table = pd.concat([ratios(family, runs[family.study]) for family in FAMILIES], ignore_index=True)
    n_fits = sum(len(run.fits) for run in runs.values())
    return Part(
        kind="Report",
        title="structure",
        aim="Where does it pay to know how levels lie, in time, on a map, along a covariate?",
        facts=[f"{len(FAMILIES)} studies", f"{len(table)} scenarios", f"{n_fits:,} fits"],
        lead=[sentence(rows) for _, rows in table.groupby("study", sort=False)],
        answers={},
        remark=REMARK,
        picture=picture("ratios", TITLE, CAPTION, lambda w: draw(table, w), width=MIDDLE),
        sections=[Section(name="ratios", title="Every scenario", tables=[_table(table)])],
        marks={},
        origin="three runs",
    )


def ratios(family: Family, run: Run) -> pd.DataFrame:
    """Return a row for each scenario: the ratio of the squared errors of theta, its MCSE, and what both say."""
    table = performance(run, reference=family.exchangeable)
    evidence = Evidence(run=run, performance=quick_to_read(table))
    rows = table[
        (table["measure"] == "mse_ratio")
        & (table["method"] == family.structure)
        & (table["estimand"] == "theta")
        & (table["group"] == "average")
        & table["bin"].isna()
    ]
    labels = evidence.design.labels
    made = pd.DataFrame(
        {
            "study": family.study,
            "structure": family.structure,
            "exchangeable": family.exchangeable,
            "scenario": [labels[scenario] for scenario in rows["scenario"].astype(str)],
            "ratio": rows["value"].to_numpy(float),
            "mcse": rows["mcse"].to_numpy(float),
        }
    )
    far = (made["ratio"] - 1).abs() > TOLD_APART * made["mcse"]
    side = np.where(made["ratio"] < 1, "smaller", "larger")
    return made.assign(said=np.where(far, side, "not told apart"))


def draw(table: pd.DataFrame, width: float) -> Figure:
    """Draw a mark for each scenario, families below each other, the axis logarithmic."""
    place, names, heads = 0.0, [], []
    at = np.zeros(len(table))
    for _, rows in table.groupby("study", sort=False):
        first = rows.iloc[0]
        heads.append((place, f"{first['structure']} against {first['exchangeable']}"))
        for index in rows.index:
            place += 1
            at[index] = place
            names.append(clip_text(table["scenario"][index], LABEL_LENGTH))
        place += 1 + GAP
    with drawing():
        figure = sheet(width, HEAD + ROW_INCHES * place)
        ax = figure.subplots()
        ax.axvline(1, color=MUTED, linewidth=0.8)
        for look, color in LOOKS.items():
            rows = table[table["said"] == look]
            ax.errorbar(rows["ratio"], at[rows.index], xerr=TOLD_APART * rows["mcse"], fmt="o", color=color, label=look)
        for y, head in heads:
            ax.text(INSET, y, head, transform=ax.get_yaxis_transform(), va="center", ha="left", fontweight="bold")
        ax.set_yticks(at, names)
        ax.set_ylim(place - GAP, -ROOM - 0.5)
        _ratio_axis(ax, table)
        ax.set_xlabel("squared error over that of exchangeable levels")
        ax.grid(visible=False, axis="y")
        ax.tick_params(axis="y", length=0)
    return figure


def _ratio_axis(ax: Axes, table: pd.DataFrame) -> None:
    """Make the axis logarithmic, with plain numbers at halves and doubles."""
    low, high = (table["ratio"] - TOLD_APART * table["mcse"]).min(), (table["ratio"] + TOLD_APART * table["mcse"]).max()
    ax.set_xscale("log")
    first, last = np.floor(np.log2(max(low, table["ratio"].min() / 2))), np.ceil(np.log2(high))
    ticks = 2.0 ** np.arange(min(first, -1), max(last, 1) + 1)
    ax.set_xlim(ticks[0], ticks[-1])
    ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.xaxis.set_minor_locator(NullLocator())


def sentence(rows: pd.DataFrame) -> str:
    """Return where a structure has a smaller squared error than exchangeable levels, and where a larger one."""
    first = rows.iloc[0]
    smaller, larger = (_where(rows[rows["said"] == side]) for side in ("smaller", "larger"))
    n, *most = smaller
    smaller_in = ", ".join([f"{n} of {counted(len(rows), 'scenario')}", *most])
    return (
        f"“{first['structure']}” has a smaller squared error than “{first['exchangeable']}” in {smaller_in}, and a "
        f"larger one in {', '.join(larger)}."
    )


def _where(rows: pd.DataFrame) -> list[str]:
    """Return in how many scenarios an error is smaller or larger and, where it is in any, by how much at most."""
    if rows.empty:
        return ["none"]
    one = rows.loc[(rows["ratio"] - 1).abs().idxmax()]
    percent = f"{with_mcse(100 * abs(one['ratio'] - 1), 100 * one['mcse'])} %"
    return [str(len(rows)), f"{'by' if len(rows) == 1 else 'by up to'} {percent} at {one['scenario']}"]


def _table(table: pd.DataFrame) -> Table:
    columns = [
        Column(head="structure", source="structure"),
        Column(head="against", source="exchangeable"),
        Column(head="scenario", source="scenario"),
        Column(head="ratio", source="ratio"),
        Column(head="MCSE", source="mcse"),
        Column(head="squared error", source="said"),
    ]
    return Table(title="Ratios", frame=table, columns=columns, first=len(table), open_up_to=len(table))
