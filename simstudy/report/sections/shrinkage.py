"""Shrinkage: how far estimates are pulled together, how far they should be, and whether it pays."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from simstudy.report import figures
from simstudy.report.evidence import Evidence
from simstudy.report.figures.regret import multiples
from simstudy.report.figures.weights import SIDE, WEIGHT
from simstudy.report.lesson import oracle, read_lesson
from simstudy.report.reading.palette import SPARE, Mark
from simstudy.report.reading.readings import average
from simstudy.report.reading.vocabulary import effects, with_role
from simstudy.report.reading.wording import letters, oracle_knows
from simstudy.report.sections.by_scenario import Shown, measure_columns, measure_frame
from simstudy.report.sections.section import Picture, Section, picture
from simstudy.report.sections.term_shrinkage import pay_note, term_pictures, term_tables
from simstudy.report.tables import Table
from simstudy.report.words import pooling

OF_WEIGHTS = ("shrinkage_weight",)
REGRETS = ("regret", "regret_of_parts")
KINDS = ["scenario", "method", "oracle"]
TABLE_MEASURES = ("shrinkage_weight", "shrinkage_slope", "pooling_factor", "mse_ratio", "regret", "rank_correlation")


def known_regret(performance: pd.DataFrame, estimand: str) -> str | None:
    """Return the first kind of regret that is known of an estimand, or None."""
    for measure in REGRETS:
        if (multiples(performance, estimand=estimand, measure=measure)["multiple"] > 1).any():
            return measure
    return None


def shrinkage_section(evidence: Evidence) -> Section | None:
    """Return the section, or None where nothing is shrunk."""
    pictures = [*_regret(evidence), *_lesson(evidence), *_arrows(evidence), *_weights(evidence)]
    pictures += term_pictures(evidence)
    tables = term_tables(evidence) or [table for table in [shrinkage_table(evidence)] if table]
    if not pictures and not tables:
        return None
    return Section(name="shrinkage", title="Shrinkage", pictures=pictures, tables=tables)


def oracle_table(estimates: pd.DataFrame | Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Return mean E[B | y] over replicates and the oracle's B, by scenario, method and kind of group.

    Groups of a scenario with the same oracle weight are of one kind; their weights are averaged within a replicate
    first, so that the MCSE is that of replicates.

    Args:
        estimates: rows with scenario, replicate, method, estimand, mean, truth, at once or in pieces that divide no
            fit.
    """
    pieces = [estimates] if isinstance(estimates, pd.DataFrame) else estimates
    by_replicate = pd.concat([_weights_by_replicate(piece) for piece in pieces])
    stats = by_replicate.groupby(KINDS, sort=False)["weight"].agg(["mean", "std", "count"]).reset_index()
    stats["mcse"] = stats["std"] / np.sqrt(stats["count"])
    return stats.rename(columns={"mean": "weight", "count": "n_used"})[[*KINDS, "weight", "mcse", "n_used"]]


def _weights_by_replicate(estimates: pd.DataFrame) -> pd.DataFrame:
    rows = with_role(estimates, "weight")
    rows = rows[rows["truth"].notna()]
    frame = pd.DataFrame(
        {
            "scenario": rows["scenario"].astype(str),
            "method": rows["method"].astype(str),
            "replicate": rows["replicate"],
            "oracle": rows["truth"].round(6),
            "weight": rows["mean"],
        }
    )
    return frame.groupby([*KINDS, "replicate"], sort=False)["weight"].mean().reset_index()


def slope_table(evidence: Evidence) -> pd.DataFrame:
    """Return the shrinkage slope of every method beside the oracle's weight, in balanced designs."""
    rows = evidence.weights(["scenario", "truth"]).dropna(subset=["truth"])
    oracle = rows.groupby(rows["scenario"].astype(str))["truth"].mean()
    table = average(evidence.performance, "shrinkage_slope", estimand=effects().name).dropna(subset=["value"])
    table = table.assign(oracle=table["scenario"].astype(str).map(oracle)).dropna(subset=["oracle"])
    names = {"value": "weight"}
    return table.rename(columns=names)[["scenario", "method", "oracle", "weight", "mcse", "n_used"]]


def shrinkage_table(evidence: Evidence) -> Table | None:
    """Return the measures of shrinkage, one row per scenario and method, or None where there are none."""
    shown = [Shown(measure=m, estimand=None if m in OF_WEIGHTS else effects().name) for m in TABLE_MEASURES]
    frame = measure_frame(evidence, shown)
    if frame.empty:
        return None
    columns = measure_columns(frame, shown)
    best = f"group means, grand mean and an oracle that knows {oracle_knows()}"
    return Table(
        title="Shrinkage and what it pays",
        frame=frame,
        columns=columns,
        note=pay_note(evidence, frame, estimand=effects().name, best=best),
    )


def _regret(evidence: Evidence) -> list[Picture]:
    estimand = effects().name
    measure = known_regret(evidence.performance, estimand)
    if measure is None or len(evidence.labels) < 2:
        return []
    best = {
        "regret": f"that group means, grand mean or an oracle that knows {oracle_knows()} reach",
        "regret_of_parts": "of the methods that pool not at all, completely and partially",
    }
    caption = (
        f"Squared error of each method as a multiple of the smallest {best[measure]}. 1, the lightest color: nothing "
        "is lost that can be told from 0 (2 MCSE). The darker, the more is lost."
    )
    tables = (evidence.performance, evidence.run.scenarios)
    about: dict[str, Any] = {"estimand": estimand, "measure": measure}
    title = "Where pooling pays: squared error against the best"
    return [picture("regret", title, caption, lambda w: figures.regret(*tables, **about, width=w))]


def _lesson(evidence: Evidence) -> list[Picture]:
    lesson = read_lesson(evidence)
    if lesson is None:
        return []
    marks = marks_with(evidence, lesson.exact)
    where = f": {evidence.labels[lesson.scenario]}" if len(evidence.labels) > 1 else ""
    told = pooling.of_lesson(lesson.table, lesson.data, evidence.roles, level=lesson.level)
    caption = f"Posterior means and {100 * lesson.level:g} % intervals from the same observations. {told}"
    if lesson.exact == oracle():
        caption += f" “{oracle()}” is the closed form for one who knows both, which partial pooling can only approach."
    elif lesson.exact:
        caption += f" “{lesson.exact}” is the posterior without sampling error, which the sampler should meet."
    return [
        picture(
            "lesson",
            f"One data set{where}",
            caption,
            lambda w: figures.posterior(
                lesson.table, data=lesson.data, truth=lesson.truth, labels=lesson.labels, marks=marks, width=w
            ),
        )
    ]


def marks_with(evidence: Evidence, exact: str | None) -> dict[str, Mark]:
    """Return the marks of the methods, and one for the exact answer where it is no method of the run."""
    return evidence.marks if exact is None or exact in evidence.marks else {**evidence.marks, exact: SPARE[2]}


def _arrows(evidence: Evidence) -> list[Picture]:
    roles = evidence.roles
    if not (roles.separate and roles.partial) or (evidence.has_terms and effects().spread is None):
        return []
    scenarios = evidence.run.scenarios
    names: dict[str, Any] = {"separate": roles.separate, "partial": roles.partial, "complete": roles.complete}
    theta = shrunk(evidence)
    if theta.empty:
        return []
    what = (
        "the data set, in the mean over the sampler’s seeds"
        if evidence.is_dataset
        else "one replicate of each scenario"
    )
    caption = (
        f"For {what}, every group's estimate without pooling (top) and with partial pooling, from the same data. "
        f"{pooling.of_arrows(theta, roles.separate, roles.partial)}, the more the less is known about a group and the "
        f"smaller {letters()[2]} is."
    )
    if not evidence.is_dataset:
        caption += " The lowest row holds the true effects."
    if roles.complete:
        caption += (
            f" The dashed line is complete pooling; partial pooling draws groups to its own {letters()[1]}, which can "
            "lie beside it."
        )
    return [
        picture(
            "arrows",
            "The shrinkage picture",
            caption,
            lambda w: figures.arrows(
                theta, scenarios, **names, groups=evidence.group_names, marks=evidence.marks, width=w
            ),
        )
    ]


def shrunk(evidence: Evidence) -> pd.DataFrame:
    """Return the posterior means of the effects that strokes join: of the first replicate that both methods fitted.

    Of a data set that is given they are means over the sampler's seeds, as in tables.
    """
    first = evidence.first_replicates([str(evidence.roles.separate), str(evidence.roles.partial)])
    columns, estimand = ["method", "estimand", "group", "mean", "truth"], effects().name
    if not evidence.is_dataset:
        return evidence.estimates_at(first, columns, estimand={estimand})
    rows = evidence.estimates_of(estimand, ["scenario", "replicate", *columns[:1], *columns[2:]])
    keys = ["scenario", "method", "group"]
    means = rows.groupby(keys, observed=True, sort=False)[["mean", "truth"]].mean().reset_index()
    return means.assign(replicate=0, estimand=estimand)


def _weights(evidence: Evidence) -> list[Picture]:
    columns = ["scenario", "replicate", "method", "estimand", "mean", "truth"]
    weights = evidence.run.parts("estimates", columns, where={"estimand": set(evidence.with_role("weight"))})
    parts = {WEIGHT: oracle_table(weights), "shrinkage slope": slope_table(evidence)}
    parts = {words: part for words, part in parts.items() if len(part)}
    if not parts:
        return []
    slopes = pooling.of_slopes(slope_table(evidence), evidence.roles.separate)
    table = pd.concat([part.assign(of=words) for words, part in parts.items()], ignore_index=True)
    caption = (
        "Each mark is one scenario and size of group. On the dashed line the data are shrunk as one who knew "
        f"{oracle_knows()} would shrink them; below it, less. The slope is what happened to the estimates themselves, "
        f"in balanced designs: {slopes}. Where {letters()[2]} is 0 the oracle pools "
        "completely (right edge), which no fit with few groups can know."
    )
    return [
        picture(
            "weights",
            "Shrinkage weight against the oracle's",
            caption,
            lambda w: figures.weights(table, marks=evidence.marks, width=w),
            width=SIDE * len(parts),
        )
    ]
