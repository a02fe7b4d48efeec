"""The part of the report on samplers that other ways of running NUTS have: what ``benchmarks/peers.py`` measured.

``python benchmarks/peers.py --json reports/samplers/side_by_side.json`` measures anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from simstudy.report.figures.canvas import MIDDLE, clip_text, drawing, plain_log, sheet
from simstudy.report.parts import Part
from simstudy.report.reading.palette import MUTED, NONCENTERED
from simstudy.report.reading.wording import number
from simstudy.report.sections.provenance import lines
from simstudy.report.sections.section import Section, picture
from simstudy.report.tables import Column, Table

FILE = "side_by_side.json"
OURS = "ours"
KINDS = {  # how the names of a kind of contestant begin -> what it is called
    "vmap over": "NumPyro’s NUTS under vmap",
    "jitted once": "NumPyro’s NUTS compiled once",
    "new MCMC": "a new MCMC per data set",
    "nutpie": "nutpie",
    "BlackJAX": "BlackJAX",
}
STRUCTURES = {"none": "No", "complete": "Complete", "partial": "Partial"}
CAPTION = (
    "Each bar is one way to fit the same data sets; the axis is logarithmic. Models marked sufficient get means and "
    "sums of squares of the groups, those marked raw every observation."
)
ROW_INCHES, HEAD = 0.34, 0.8
ROOM = 4.0
LABEL_LENGTH = 46

Values = Mapping[str, Any]


def side_by_side_part(values: Values) -> Part:
    """Return the part of a page that shows the measurements.

    Args:
        values: what ``benchmarks/peers.py --json`` wrote.
    """
    table = contest(values)
    return Part(
        kind="Benchmark",
        title="Side by side",
        aim="How many fits per second do other ways of running NUTS make of the same posteriors?",
        facts=["8 groups of 10", "partial pooling, non-centered", "4 chains of 500 + 500 draws"],
        answers={"How fast": list(_sentences(table)), "What a leapfrog costs": list(_floor_sentences(values))},
        remark=(
            "Rates hold for the machine named under provenance; all were measured there, warm, and held to the exact "
            "posterior means first. A rate of simstudy counts simulation, summaries and storage, those of others "
            "sampling alone."
        ),
        picture=picture("rates", "Fits per second", CAPTION, lambda w: draw(table, w), width=MIDDLE),
        sections=[
            Section(name="contest", title="All contestants", tables=[_contest_table(table)]),
            Section(name="leapfrogs", title="Leapfrogs and gradients", tables=[_floor_table(values)]),
            Section(name="made", title="Provenance", terms=_provenance(values)),
        ],
        marks={},
        origin="the benchmark",
    )


def contest(values: Values) -> pd.DataFrame:
    """Return a row per contestant, the fastest first: its outcome, its rates, and ``times`` that it is slower."""
    alone = [values[name]["outcome"] for name in (OURS, "one_worker") if name in values]
    others = [one for value in values.values() for one in value.get("outcomes", ())]
    table = pd.DataFrame([*alone, *others])
    table["fits_per_second"] = table["n_fits"] / table["seconds"]
    table["ess_per_second"] = table["ess"] / table["seconds"]
    table["times"] = table["fits_per_second"].iloc[0] / table["fits_per_second"]
    return table.sort_values("fits_per_second", ascending=False, ignore_index=True)


def draw(table: pd.DataFrame, width: float) -> Figure:
    """Draw fits per second, a bar per contestant."""
    with drawing():
        figure = sheet(width, HEAD + ROW_INCHES * len(table))
        ax = figure.subplots()
        rates = table["fits_per_second"].to_numpy(float)
        ours = table["name"].str.startswith("simstudy")
        ax.barh(range(len(table)), rates, height=0.55, color=[NONCENTERED.light if own else MUTED for own in ours])
        for row, rate in enumerate(rates):
            ax.text(rate, row, f" {number(rate)}", va="center", ha="left", fontsize=8.5)
        ax.set_xscale("log")
        plain_log(ax.xaxis)
        ax.set_xlim(rates.min() / 2, rates.max() * ROOM)
        ax.set_yticks(range(len(table)), [clip_text(name, LABEL_LENGTH) for name in table["name"]])
        ax.set_ylim(len(table) - 0.4, -0.6)
        ax.set_xlabel("fits per second")
        ax.grid(visible=False, axis="y")
        ax.tick_params(axis="y", length=0)
    return figure


def _sentences(table: pd.DataFrame) -> Iterator[str]:
    rate = number(table["fits_per_second"].iloc[0])
    times = [(name, number(rows["times"].min(), digits=2)) for name, rows in _kinds(table)]
    first, *others = [f"{ratio} times as many as {name}" for name, ratio in times[:1]] + [
        f"{ratio} times {name}" for name, ratio in times[1:]
    ]
    told = f"{', '.join([first, *others[:-1]])} and {others[-1]}" if others else first
    yield f"simstudy made {rate} fits per second, simulation and storage included: {told}."


def _kinds(table: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield the contestants of each kind, the kind with the fastest first."""
    kinds = table["name"].map(lambda name: next((kind for kind in KINDS if name.startswith(kind)), None))
    for kind, rows in table.groupby(kinds, sort=False):
        yield KINDS[str(kind)], rows


def _floor_sentences(values: Values) -> Iterator[str]:
    for one in _floor(values):
        ratio = one["ns_per_leapfrog"] / one["ns_per_gradient"]
        yield (
            f"{STRUCTURES[one['structure']]} pooling of {one['groups']} groups: {number(one['ns_per_leapfrog'])} "
            f"nanoseconds a useful leapfrog on one core, {number(ratio, digits=2)} times a batched gradient alone."
        )


def _floor(values: Values) -> Sequence[Values]:
    return values.get("gradient", {}).get("floor", ())


def _contest_table(table: pd.DataFrame) -> Table:
    columns = [
        Column(head="contestant", source="name"),
        Column(head="fits per second", source="fits_per_second"),
        Column(head="times slower", source="times"),
        Column(head="ESS per second", source="ess_per_second"),
        Column(head="seconds compiling", source="compile_seconds"),
        Column(head="peak memory, MB", source="peak_memory_mb"),
        Column(head="z rms", source="z_rms"),
        Column(head="how", source="how"),
    ]
    note = "z rms: errors of the posterior means in units of their MCSE, about 1 where a sampler is right"
    return Table(title="Contestants", frame=table, columns=columns, note=note, open_up_to=len(table))


def _floor_table(values: Values) -> Table:
    measured = [values.get(name, {}).get("floor", ()) for name in ("gradient", "groups", "observations")]
    frame = pd.DataFrame([one for each in measured for one in each])
    columns = [
        Column(head="structure", source="structure"),
        Column(head="groups", source="groups"),
        Column(head="observations", source="observations"),
        Column(head="lanes", source="lanes"),
        Column(head="ns per leapfrog", source="ns_per_leapfrog"),
        Column(head="ns per gradient", source="ns_per_gradient"),
        Column(head="slots used", source="slots_used", percent=True),
    ]
    note = "processor time of one pinned thread in steady state"
    return Table(title="Leapfrogs and gradients", frame=frame, columns=columns, note=note, open_up_to=len(frame))


def _provenance(values: Values) -> list[tuple[str, list[str]]]:
    return [(name.replace("_", " "), lines(value)) for name, value in values.get("provenance", {}).items()]
