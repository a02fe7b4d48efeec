"""Shrinkage: how far estimates are pulled together, how far they should be, and whether it pays."""

from __future__ import annotations

import numpy as np
import pandas as pd

from simstudy.report import figures
from simstudy.report.evidence import Evidence
from simstudy.report.figures.weights import SIDE
from simstudy.report.readings import average
from simstudy.report.sections.section import Picture, Section, picture
from simstudy.report.tables import Column, Table
from simstudy.report.wording import measure_words

TABLE_MEASURES = ("shrinkage_weight", "shrinkage_slope", "pooling_factor", "mse_ratio", "regret", "rank_correlation")


def shrinkage_section(evidence: Evidence) -> Section | None:
    """Return the section, or None where nothing is shrunk."""
    pictures = [*_arrows(evidence), *_weights(evidence)]
    table = shrinkage_table(evidence)
    if not pictures and table is None:
        return None
    return Section(name="shrinkage", title="Shrinkage", pictures=pictures, tables=[table] if table else [])


def oracle_table(estimates: pd.DataFrame) -> pd.DataFrame:
    """Return mean E[B | y] over replicates and the oracle's B, by scenario, method and kind of group.

    Groups of a scenario with the same oracle weight are of one kind; their weights are averaged within a replicate
    first, so that the MCSE is that of replicates.

    Args:
        estimates: rows with scenario, replicate, method, estimand, mean, truth.
    """
    rows = estimates[(estimates["estimand"] == "shrinkage_weight") & estimates["truth"].notna()]
    frame = pd.DataFrame(
        {
            "scenario": rows["scenario"].astype(str),
            "method": rows["method"].astype(str),
            "replicate": rows["replicate"],
            "oracle": rows["truth"].round(6),
            "weight": rows["mean"],
        }
    )
    kinds = ["scenario", "method", "oracle"]
    by_replicate = frame.groupby([*kinds, "replicate"], sort=False)["weight"].mean()
    stats = by_replicate.groupby(level=kinds, sort=False).agg(["mean", "std", "count"]).reset_index()
    stats["mcse"] = stats["std"] / np.sqrt(stats["count"])
    return stats.rename(columns={"mean": "weight", "count": "n_used"})[[*kinds, "weight", "mcse", "n_used"]]


def shrinkage_table(evidence: Evidence) -> Table | None:
    """Return the measures of shrinkage, one row per scenario and method."""
    parts = []
    for measure in TABLE_MEASURES:
        table = average(evidence.performance, measure).dropna(subset=["value"])
        if measure in ("mse_ratio", "regret"):
            table = average(evidence.performance, measure, estimand="theta").dropna(subset=["value"])
        if len(table):
            names = {"value": measure, "mcse": f"{measure}_mcse"}
            parts.append(table.set_index(["scenario", "method"])[["value", "mcse"]].rename(columns=names))
    if not parts:
        return None
    frame = pd.concat(parts, axis=1).reset_index()
    place = {scenario: i for i, scenario in enumerate(evidence.labels)}
    frame = frame.sort_values("scenario", key=lambda c: c.map(place), kind="stable", ignore_index=True)
    frame.insert(1, "label", frame["scenario"].map(evidence.labels))
    shown = [m for m in TABLE_MEASURES if m in frame]
    columns = [Column(head="scenario", source="label"), Column(head="method", source="method")]
    columns += [Column(head=measure_words(m), source=m, mcse=f"{m}_mcse") for m in shown]
    note = (
        "value ± MCSE. MSE ratio: against no pooling, on the same data. Regret: MSE less that of the best of group "
        "means, grand mean and an oracle that knows τ and σ."
    )
    return Table(title="Shrinkage and what it pays", frame=frame, columns=columns, note=note)


def _arrows(evidence: Evidence) -> list[Picture]:
    roles = evidence.roles
    if not (roles.separate and roles.partial):
        return []
    estimates, scenarios = evidence.run.estimates, evidence.run.scenarios
    names = {"separate": roles.separate, "partial": roles.partial, "complete": roles.complete}
    theta = estimates[estimates["estimand"] == "theta"]
    if theta.empty:
        return []
    what = "the data set" if evidence.is_dataset else "one replicate of each scenario"
    caption = (
        f"For {what}, every group's estimate without pooling (top) and with partial pooling, from the same data. "
        "Strokes that lean inward are groups pulled toward the mean, the more the less is known about a group and the "
        "smaller τ is."
    )
    if not evidence.is_dataset:
        caption += " The lowest row holds the true effects."
    if roles.complete:
        caption += " The dashed line is complete pooling."
    return [
        picture(
            "arrows",
            "The shrinkage picture",
            caption,
            lambda w: figures.arrows(theta, scenarios, **names, marks=evidence.marks, width=w),
        )
    ]


def _weights(evidence: Evidence) -> list[Picture]:
    table = oracle_table(evidence.run.estimates)
    if table.empty:
        return []
    caption = (
        "Each mark is one scenario and size of group. On the dashed line the data are shrunk as one who knew τ and σ "
        "would shrink them; below it, less. Where τ is 0 the oracle pools completely (right edge), which no fit with "
        "few groups can know."
    )
    return [
        picture(
            "weights",
            "Shrinkage weight against the oracle's",
            caption,
            lambda w: figures.weights(table, marks=evidence.marks, width=w),
            width=SIDE,
        )
    ]
