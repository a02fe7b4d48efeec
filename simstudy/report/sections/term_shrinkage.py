"""Shrinkage of each term: how much of the variance among levels the estimates lose, and whether that pays."""

from __future__ import annotations

from typing import Any

import pandas as pd

from simstudy.report import figures
from simstudy.report.evidence import Evidence
from simstudy.report.reading.readings import average
from simstudy.report.reading.vocabulary import declared
from simstudy.report.reading.wording import enumerate_words, estimand_words, symbol
from simstudy.report.sections.by_scenario import Shown, measure_columns, measure_frame
from simstudy.report.sections.section import Picture, picture
from simstudy.report.tables import Table
from simstudy.report.words.sentences import quote
from simstudy.store.factors import with_neighbors

DRAWN = ("pooling_factor", "conditional_bias", "local_bias", "rank_correlation")
TABLED = (*DRAWN, "mse_ratio", "regret_of_parts")
MOST_SCENARIOS = 36
LAMBDA = "Pooling factor λ (Gelman & Pardoe 2006): 0 where estimates vary as the effects do, 1 where all are alike."
SAID = {
    "pooling_factor": LAMBDA,
    "conditional_bias": "Conditional bias: slope of the error on the effect, −1 for estimates that stay at 0.",
    "local_bias": "Local bias: slope of the error on what sets a level apart from its neighbors, −1 where none of it "
    "is found.",
    "rank_correlation": "Rank correlation: Spearman’s, of estimates and truth.",
}


def term_pictures(evidence: Evidence) -> list[Picture]:
    """Return a picture of the shrinkage of each kind of effects of each factor; none for a single grouping."""
    if len(evidence.labels) > MOST_SCENARIOS:
        return []
    return [p for name in _effects(evidence) for p in _picture(evidence, name)]


def term_tables(evidence: Evidence) -> list[Table]:
    """Return a table for the predictor of cells and for each kind of effects; none for a single grouping."""
    names = [e.name for e in declared().effects] if evidence.has_terms else []
    return [table for name in names if (table := _table(evidence, name)) is not None]


def pay_note(evidence: Evidence, frame: pd.DataFrame, *, estimand: str, best: str) -> str:
    """Return what MSE ratio and regret are taken against, where the table has them.

    Args:
        evidence: of the run.
        frame: of the table.
        estimand: whose effects they are.
        best: among what regret looks for the smallest error.
    """
    told = ["value ± MCSE."]
    references = average(evidence.performance, "mse_ratio", estimand=estimand)["reference"].dropna().unique()
    if "mse_ratio" in frame and len(references):
        against = enumerate_words([quote(str(name)) for name in references])
        told.append(f"MSE ratio: against {against}, on the same data.")
    if any(measure in frame for measure in ("regret", "regret_of_parts")):
        told.append(f"Regret: MSE less that of the best of {best}.")
    return " ".join(told)


def _effects(evidence: Evidence) -> list[str]:
    return [e.name for e in declared().effects if e.factor is not None] if evidence.has_terms else []


def _measures(evidence: Evidence, estimand: str, measures: tuple[str, ...]) -> list[str]:
    return [m for m in measures if average(evidence.performance, m, estimand=estimand)["value"].notna().any()]


def _picture(evidence: Evidence, estimand: str) -> list[Picture]:
    if not (measures := _measures(evidence, estimand, DRAWN)):
        return []
    tables = (evidence.performance, evidence.run.scenarios)
    draw: dict[str, Any] = {"estimand": estimand, "measures": measures, "marks": evidence.marks}
    words = [SAID[measure] for measure in measures]
    if missing := _missing(evidence, estimand):
        words.append(missing)
    title = f"Shrinkage of {estimand_words(estimand)}"
    caption = " ".join([*words, "Bars reach 2 MCSE each way."])
    return [picture(f"shrinkage-{estimand}", title, caption, lambda w: figures.recovery(*tables, **draw, width=w))]


def _missing(evidence: Evidence, estimand: str) -> str:
    """Return why measures of exchangeable levels are not shown, where they are not."""
    factor = declared()[estimand].factor
    if factor not in with_neighbors(evidence.run):
        return ""
    return f"Levels of {factor} have neighbors, so that the mean of all is no center, and ranks are not of interest."


def _table(evidence: Evidence, estimand: str) -> Table | None:
    shown = [Shown(measure=m, estimand=estimand) for m in _measures(evidence, estimand, TABLED)]
    if not shown or (frame := measure_frame(evidence, shown)).empty:
        return None
    best = "the methods of no, complete and partial pooling that have the estimand"
    note = pay_note(evidence, frame, estimand=estimand, best=best)
    title = f"Shrinkage of {symbol(estimand)} and what it pays"
    return Table(title=title, frame=frame, columns=measure_columns(frame, shown), note=note)
