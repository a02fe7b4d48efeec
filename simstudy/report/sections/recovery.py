"""Recovery: how near the estimates come to the truth, by scenario and method."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from simstudy.report import figures
from simstudy.report.evidence import Evidence
from simstudy.report.figures.conditional import FEWEST_REPLICATES, well_seen
from simstudy.report.reading.readings import average, binned, headline_level, largest
from simstudy.report.reading.shown import shown_estimands
from simstudy.report.reading.vocabulary import declared, effects
from simstudy.report.reading.wording import estimand_words, measure_words, symbol
from simstudy.report.sections.by_scenario import Shown, measure_columns, measure_frame
from simstudy.report.sections.section import Picture, Section, picture
from simstudy.report.tables import Column, Table
from simstudy.report.words import pooling
from simstudy.report.words.sentences import price_sentences
from simstudy.store.schema import interval_columns

MOST_SHOWN = 5
MAX_ROWS = 36
DEFAULT = ("rmse", "bias", "coverage")
TABLE_MEASURES = (
    "rmse",
    "bias",
    "conditional_bias",
    "coverage",
    "width",
    "upper_limit",
    "relative_error",
    "interval_score",
)
ROOM = {"rmse": None, "bias": 0.0, "conditional_bias": 0.0}


def recovery_section(evidence: Evidence) -> Section | None:
    """Return the section, or None where no truth is known."""
    known = evidence.performance.loc[evidence.performance["measure"] == "rmse", "estimand"].dropna().unique()
    names = shown_estimands(known) or list(known[:MOST_SHOWN])
    if not len(names):
        return None
    pictures = [replace(p, is_folded=name != evidence.headline) for name in names for p in _pictures(evidence, name)]
    further = [replace(p, is_folded=True) for p in [*_intervals(evidence, names), *_by_distance(evidence)]]
    return Section(
        name="recovery",
        title="Recovery of the truth",
        paragraphs=[_lead(evidence)],
        pictures=[*_loop(evidence), *pictures, *further],
        tables=[recovery_table(evidence, name) for name in names],
    )


def recovery_table(evidence: Evidence, estimand: str) -> Table:
    """Return the measures of one estimand, one row per scenario and method, MCSE beside each."""
    shown = [Shown(measure=m, estimand=estimand, percent=m == "coverage") for m in TABLE_MEASURES]
    frame = measure_frame(evidence, shown)
    used = average(evidence.performance, "rmse", estimand=estimand)
    frame = frame.merge(used[["scenario", "method", "n_used", "n_excluded"]], on=["scenario", "method"], how="left")
    columns = measure_columns(frame, shown)
    if boundary := evidence.design.boundary_of(estimand):
        frame["note"] = np.where(frame["scenario"].isin(boundary), "boundary", "")
        columns.append(Column(head="note", source="note"))
    columns += [Column(head="replicates used", source="n_used"), Column(head="left out", source="n_excluded")]
    return Table(title=f"Recovery of {symbol(estimand)}", frame=frame, columns=columns, note="value ± MCSE")


def _lead(evidence: Evidence) -> str:
    over = "of the sampler, over its seeds" if evidence.is_dataset else "over replicates"
    text = f"Every number stands with its Monte Carlo standard error (MCSE) {over}."
    for name in evidence.design.boundaries:
        text += (
            f" In scenarios marked “boundary” {symbol(name)} is {declared()[name].lower:g}: an interval with equal "
            f"tails cannot contain it, so coverage and relative bias of {symbol(name)} are not shown there."
        )
    return text


def _pictures(evidence: Evidence, estimand: str) -> list[Picture]:
    measures = [m for m in _measures(evidence, estimand) if len(average(evidence.performance, m, estimand=estimand))]
    tables = (evidence.performance, evidence.run.scenarios)
    draw: dict[str, Any] = {"estimand": estimand, "measures": measures, "marks": evidence.marks}
    if len(evidence.labels) <= MAX_ROWS:
        return [
            picture(
                f"recovery-{estimand}",
                f"Recovery of {estimand_words(estimand)}",
                _caption(estimand, measures),
                lambda w: figures.recovery(*tables, **draw, width=w),
            )
        ]
    mapped = measures if estimand == evidence.headline else [m for m in measures if m != "rmse"]
    return [_map(evidence, estimand, measure) for measure in mapped]


def _measures(evidence: Evidence, estimand: str) -> tuple[str, ...]:
    has_slope = len(average(evidence.performance, "conditional_bias", estimand=estimand)) > 0
    return ("rmse", "conditional_bias", "coverage") if has_slope else DEFAULT


def _caption(estimand: str, measures: list[str]) -> str:
    parts = ["RMSE: the further left, the better."] if "rmse" in measures else []
    if "conditional_bias" in measures:
        center = declared()[estimand].center
        on = f"{symbol(estimand)} − {symbol(center)}" if center else symbol(estimand)
        parts.append(
            f"Conditional bias: the slope of the error on {on}, 0 for estimates that are not pulled to "
            f"{'the mean' if center else '0'}, −1 for those that are pulled all the way."
        )
    elif "bias" in measures:
        parts.append("Bias: marks should lie on the dashed line at 0.")
    if "coverage" in measures:
        parts.append("Coverage: marks should lie on the dashed line of the nominal level; bars are Wilson intervals.")
    bars = "Other bars" if "coverage" in measures else "Bars"
    return " ".join([*parts, f"{bars} reach 2 MCSE each way."])


def _map(evidence: Evidence, estimand: str, measure: str) -> Picture:
    table = average(evidence.performance, measure, estimand=estimand)
    level = table["level"].dropna()
    center = float(level.iloc[0]) if len(level) else ROOM.get(measure)
    words = measure_words(measure)
    caption = f"Each cell is one of {len(evidence.labels)} scenarios, each map one method, all on one color scale. " + (
        "Dark is small, which is good." if center is None else f"White is {center:g}, where it should be."
    )
    tables = (evidence.performance, evidence.run.scenarios)
    draw: dict[str, Any] = {"measure": measure, "estimand": estimand, "center": center}
    return picture(
        f"map-{measure}-{estimand}",
        f"{words[0].upper() + words[1:]} of {estimand_words(estimand)} over the design",
        caption,
        lambda w: figures.design_map(*tables, **draw, width=w),
    )


def _loop(evidence: Evidence) -> list[Picture]:
    """Return the headline error over all scenarios in one picture, for designs too large for rows of dots."""
    if len(evidence.labels) <= MAX_ROWS or evidence.headline is None:
        return []
    caption = (
        "Every scenario in the order of the crossed factors, whose levels the tracks below show; lower is better. "
        "Bands reach 2 MCSE each way."
    )
    tables = (evidence.performance, evidence.run.scenarios)
    draw: dict[str, Any] = {"estimand": evidence.headline, "marks": evidence.marks}
    title = f"RMSE of {estimand_words(evidence.headline)} along the design"
    return [picture("nested-loop", title, caption, lambda w: figures.nested_loop(*tables, **draw, width=w))]


def _intervals(evidence: Evidence, names: list[str]) -> list[Picture]:
    """Return the zip plot of the center of the effects, or of the first estimand without groups.

    Drawn is the scenario where coverage is farthest from nominal.
    """
    first = [name for name in declared().centers if name in names]
    single = [name for name in (*first, *names) if not evidence.is_grouped(name)]
    levels = evidence.study["summary"]["levels"]
    if not single or not levels:
        return []
    estimand, level = single[0], headline_level(pd.Series(levels))
    table = average(evidence.performance, "coverage", estimand=estimand, level=level).dropna(subset=["value"])
    if table.empty:
        return []
    scenario = str(largest(table.assign(off=table["value"] - level), "off")["scenario"])
    columns = ["method", "mean", "sd", "truth", *interval_columns(level)]
    rows = evidence.estimates_of(estimand, columns, scenario={scenario})
    where = f" at {evidence.labels[scenario]}" if len(evidence.labels) > 1 else ""
    caption = (
        f"Each stroke is one replicate’s {100 * level:g} % interval, the worst on top; dark strokes miss the truth. "
        "They should begin at the dashed line: lower down, too many intervals miss; all on one side, estimates are "
        "biased."
    )
    if where:
        caption += f" Drawn is the scenario of {len(evidence.labels)} in which coverage is farthest from nominal."
    return [
        picture(
            f"zip-{estimand}",
            f"Intervals for {estimand_words(estimand)}{where}",
            caption,
            lambda w: figures.zip_plot(rows, level=level, marks=evidence.marks, width=w),
        )
    ]


def _by_distance(evidence: Evidence) -> list[Picture]:
    measures = [m for m in ("rmse", "conditional_bias", "coverage") if len(well_seen(binned(evidence.performance, m)))]
    if not measures:
        return []
    told = pooling.of_distance(well_seen(binned(evidence.performance, "rmse")), evidence.roles)
    price = price_sentences(evidence.performance, evidence.labels, method=str(evidence.roles.partial))
    caption = " ".join([*told, *price, f"Bins that fewer than {FEWEST_REPLICATES} replicates fell into are left out."])
    tables = (evidence.performance, evidence.run.scenarios)
    draw: dict[str, Any] = {"estimand": effects().name, "measures": measures, "marks": evidence.marks}
    return [
        picture(
            "by-distance",
            "Error, conditional bias and coverage by the distance of a group from the mean",
            caption,
            lambda w: figures.conditional(*tables, **draw, width=w),
        )
    ]
