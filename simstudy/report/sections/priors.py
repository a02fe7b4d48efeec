"""Prior sensitivity: how far the results move with one prior, all else being the same."""

from __future__ import annotations

from typing import Any

import pandas as pd

from simstudy.report import figures
from simstudy.report.evidence import Evidence
from simstudy.report.figures.priors import MOST_SETTINGS
from simstudy.report.reading.prior_families import Family
from simstudy.report.reading.vocabulary import declared, effects, with_role
from simstudy.report.reading.wording import estimand_words, oracle_knows, symbol
from simstudy.report.sections.by_scenario import Shown, measure_columns, measure_frame
from simstudy.report.sections.section import Picture, Section, picture
from simstudy.report.tables import Column, Table
from simstudy.report.words.sensitivity import sensitivity_sentences


def prior_section(evidence: Evidence) -> Section | None:
    """Return the section, or None where no two methods differ in one prior alone."""
    families = [family for family in evidence.families if _estimated(evidence, family)]
    if not families:
        return None
    pictures = [_picture(evidence, family, i) for i, family in enumerate(families)]
    tables = [_table(evidence, family, i) for i, family in enumerate(families)]
    return Section(
        name="priors",
        title="Prior sensitivity",
        paragraphs=prior_findings(evidence),
        pictures=pictures,
        tables=tables,
    )


def prior_findings(evidence: Evidence) -> list[str]:
    """Return how far each family's widest prior moves the results, for the first screen."""
    return [
        sentence
        for family in evidence.families
        if _estimated(evidence, family)
        for sentence in _sentences(evidence, family)
    ]


def _sentences(evidence: Evidence, family: Family) -> list[str]:
    narrow, *_, wide = family.priors
    columns = ["scenario", "replicate", "method", "mean"]
    estimates = evidence.estimates_of(family.parameter, columns, method={narrow, wide})
    return sensitivity_sentences(estimates, evidence.performance, evidence.labels, family)


def oracle_weights(estimates: pd.DataFrame) -> dict[str, float]:
    """Return by scenario the mean of the oracle's shrinkage weights, where it is known.

    Args:
        estimates: of the run; the oracle's weight is the truth of the weights.
    """
    rows = with_role(estimates, "weight").dropna(subset="truth")
    means = rows.groupby("scenario", observed=True)["truth"].mean()
    return {str(scenario): float(value) for scenario, value in means.items()}


def _estimated(evidence: Evidence, family: Family) -> bool:
    rows = evidence.performance
    known = rows[(rows["estimand"] == family.parameter) & (rows["measure"] == "mean_estimate")]["method"]
    return set(family.priors) <= set(known)


def _picture(evidence: Evidence, family: Family, place: int) -> Picture:
    letter = symbol(family.parameter)
    oracle = oracle_weights(evidence.weights(["scenario", "truth"]))
    caption = (
        f"One line per prior of {letter}, the same data and otherwise the same method; the order of the colors is that "
        "of the priors. Where the lines lie together the data speak and the prior does not matter; where they part, "
        "most with few groups, the answer is the prior’s. "
    )
    if family.parameter in declared().spreads:
        caption += f"A prior that lets {letter} be large shrinks less: above the truth, weights below the oracle’s. "
    caption += (
        f"Dashed: the truth, the weight of an oracle that knows {oracle_knows()}, the nominal level. Bars reach 2 "
        "MCSE, those of a coverage to the ends of its Wilson interval; of lines on each other the first is the widest."
    )
    if evidence.design.others(evidence.design.axis).nunique() > MOST_SETTINGS:
        caption += f" Of the other factors {MOST_SETTINGS} settings are drawn; the table has all."
    tables = (evidence.performance, evidence.run.scenarios)
    about: dict[str, Any] = {"parameter": family.parameter, "oracle": oracle, "marks": evidence.marks}
    return picture(
        f"priors-{family.parameter}-{place}",
        f"What the prior of {letter} moves{_of(evidence, family)}",
        caption,
        lambda w: figures.priors(*tables, texts=family.priors, **about, width=w),
    )


def _table(evidence: Evidence, family: Family, place: int) -> Table:
    shown = [
        Shown(measure="mean_estimate", estimand=family.parameter),
        Shown(measure="bias", estimand=family.parameter),
        Shown(measure="shrinkage_weight"),
        Shown(measure="coverage", estimand=effects().name, percent=True),
    ]
    frame = measure_frame(evidence, shown)
    frame = frame[frame["method"].isin(family.priors)].reset_index(drop=True)
    frame.insert(3, "prior", frame["method"].map(family.priors))
    columns = measure_columns(frame, shown)
    columns.insert(2, Column(head=f"prior of {symbol(family.parameter)}", source="prior"))
    title = f"Prior sensitivity of {symbol(family.parameter)}{f' ({place + 1})' if place else ''}"
    of = estimand_words(effects().name)
    note = f"value ± MCSE; mean estimate and bias of the parameter itself, coverage of {of}"
    return Table(title=title, frame=frame, columns=columns, note=note)


def _of(evidence: Evidence, family: Family) -> str:
    """Return whose prior it is, where there are several families of one parameter."""
    twins = [other for other in evidence.families if other.parameter == family.parameter]
    return f": “{next(iter(family.priors))}” and its like" if len(twins) > 1 else ""
