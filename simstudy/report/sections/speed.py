"""Speed: what a draw costs in leapfrog steps, and what a fit costs on the clock of this machine."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from simstudy.report import figures
from simstudy.report.evidence import Evidence
from simstudy.report.figures.canvas import WIDE
from simstudy.report.figures.efficiency import trusted
from simstudy.report.reading.vocabulary import effects
from simstudy.report.sections.section import Picture, Section, picture
from simstudy.report.tables import Column, Table

MAX_ROWS = 36
WALL_CLOCK = "all workers, wall clock"


def speed_section(evidence: Evidence) -> Section | None:
    """Return the section, or None where nothing was timed."""
    table = speed_table(evidence)
    efficiency = trusted(evidence.performance)
    pictures = [*efficiency_picture(evidence), *_speed_picture(evidence, table)]
    tables = [*_efficiency_table(evidence, efficiency), *([_shown(table)] if len(table) else [])]
    if not tables:
        return None
    return Section(
        name="speed", title="Efficiency and speed", paragraphs=_lead(evidence), pictures=pictures, tables=tables
    )


def speed_table(evidence: Evidence) -> pd.DataFrame:
    """Return one row per method that was sampled: fits, seconds compiling and running, fits and ESS per second."""
    timings = evidence.run.timings
    timings = timings[timings["run_seconds"] > 0]
    if timings.empty:
        return pd.DataFrame()
    timings = timings.assign(method=timings["method"].astype(str))
    rows = timings.groupby("method", sort=False).agg(
        n_fits=("n_fits", "sum"),
        programs=("program", "nunique"),
        compile_seconds=("compile_seconds", "sum"),
        run_seconds=("run_seconds", "sum"),
        n_leapfrog=("n_leapfrog", "sum"),
    )
    rows["fits_per_second"] = rows["n_fits"] / rows["run_seconds"]
    rows["ess_per_second"] = _ess_per_second(evidence, timings)
    rows["leapfrogs_per_second"] = rows["n_leapfrog"] / rows["run_seconds"]
    return rows.reindex([name for name in evidence.marks if name in rows.index]).reset_index()


def _ess_per_second(evidence: Evidence, timings: pd.DataFrame) -> pd.Series:
    """Return each method's ESS per second: its programs' speeds weighted by the seconds that they ran."""
    rows = evidence.performance[evidence.performance["measure"] == "ess_per_second"]
    rows = rows[rows["scenario"].isna() & (rows["estimand"] == effects().name)]
    seconds = timings.groupby("program")["run_seconds"].sum()
    ran = rows["bin"].map(seconds).astype(float)
    effective = (rows["value"] * ran).groupby(rows["method"]).sum(min_count=1)
    return effective / ran.groupby(rows["method"]).sum()


def _lead(evidence: Evidence) -> list[str]:
    rows = evidence.performance
    clock = rows[(rows["bin"] == WALL_CLOCK) & (rows["measure"] == "fits_per_second")]["value"]
    lead = (
        "Leapfrog steps and effective draws per step are the same on every machine; seconds hold for the machine named "
        "under provenance. Fits run in batches, so the time of a single fit does not exist."
    )
    if clock.empty or not np.isfinite(clock.iloc[0]):
        return [lead]
    together = f"All workers together made {clock.iloc[0]:.3g} fits per second on the wall clock, compilation included."
    return [f"{lead} {together}"]


def efficiency_picture(evidence: Evidence, *, name: str = "efficiency", width: float = WIDE) -> list[Picture]:
    """Return the picture of what an effective draw costs, or none."""
    efficiency = trusted(evidence.performance)
    if efficiency.empty:
        return []
    size: dict[str, Any] = {"width": width}
    tables = (evidence.performance, evidence.run.scenarios)
    title = "Effective draws per leapfrog step"
    if efficiency["scenario"].nunique() > MAX_ROWS:
        caption = "Each cell is one scenario, each map one method, on one color scale: light cells are cheap draws."
        about: dict[str, Any] = {"measure": "ess_per_leapfrog", "estimand": str(efficiency["estimand"].iloc[0])}
        return [picture(name, title, caption, lambda w: figures.design_map(*tables, **about, width=w), **size)]
    caption = "The further right, the cheaper a draw; the axis is logarithmic and bars reach 2 MCSE each way."
    if not efficiency["trusted"].all():
        caption += (
            " Hollow gray marks: more than 1 % of the draws diverged, and ESS flatters a sampler that misses part of "
            "the posterior."
        )
    draw: dict[str, Any] = {"marks": evidence.marks}
    return [picture(name, title, caption, lambda w: figures.efficiency(*tables, **draw, width=w), **size)]


def _speed_picture(evidence: Evidence, table: pd.DataFrame) -> list[Picture]:
    if table.empty:
        return []
    caption = (
        "Left: fits per second of sampling, compilation apart. Right: where the seconds went, summed over workers. "
        "Compilation is paid once per program and machine, then comes from the cache."
    )
    return [picture("speed", "Speed by method", caption, lambda w: figures.speed(table, marks=evidence.marks, width=w))]


def _efficiency_table(evidence: Evidence, efficiency: pd.DataFrame) -> list[Table]:
    if efficiency.empty:
        return []
    frame = efficiency[["scenario", "method", "value", "mcse", "rate", "n_used"]].copy()
    frame.insert(1, "label", frame["scenario"].map(evidence.labels))
    frame["note"] = np.where(efficiency["trusted"], "", "over 1 % divergent")
    columns = [
        Column(head="scenario", source="label"),
        Column(head="method", source="method"),
        Column(head="ESS per leapfrog", source="value", mcse="mcse"),
        Column(head="divergent draws", source="rate", percent=True),
        Column(head="note", source="note"),
    ]
    return [Table(title="Effective draws per leapfrog", frame=frame, columns=columns, note="value ± MCSE")]


def _shown(table: pd.DataFrame) -> Table:
    heads = {
        "method": "method",
        "n_fits": "fits",
        "programs": "programs",
        "compile_seconds": "seconds compiling",
        "run_seconds": "seconds running",
        "fits_per_second": "fits per second",
        "ess_per_second": "ESS per second",
        "leapfrogs_per_second": "leapfrogs per second",
    }
    columns = [Column(head=head, source=source) for source, head in heads.items()]
    return Table(title="Speed by method", frame=table, columns=columns).without_empty()
