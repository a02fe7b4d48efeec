"""The questions of a study with their answers in sentences, and the one picture of the first screen."""

from __future__ import annotations

from typing import Any

import pandas as pd

from simstudy.measures.registry import MEASURES
from simstudy.report import figures
from simstudy.report.evidence import Evidence
from simstudy.report.figures.canvas import AT_LEVEL, MIDDLE
from simstudy.report.figures.efficiency import trusted
from simstudy.report.levels import level_figures
from simstudy.report.reading.readings import average
from simstudy.report.reading.replicate import drawn_replicate
from simstudy.report.reading.vocabulary import effects
from simstudy.report.reading.wording import estimand_words, measure_words
from simstudy.report.sections.calibration import rank_pictures, verdicts
from simstudy.report.sections.error_split import split_findings
from simstudy.report.sections.failures import lost_sentence
from simstudy.report.sections.lead import alone, is_about_costs, pairs, primary_measure
from simstudy.report.sections.posterior import data_sentences, forest_picture
from simstudy.report.sections.priors import prior_findings
from simstudy.report.sections.section import Picture, picture
from simstudy.report.sections.speed import efficiency_picture
from simstudy.report.sections.terms import level_picture
from simstudy.report.words import sentences
from simstudy.report.words.primary import primary_sentences
from simstudy.report.words.standings import ERRORS

MAX_PROFILE_PANELS = 12
GOOD = {
    "smaller": "The lower, the better.",
    "larger": "The higher, the better.",
    "nominal": "The nearer to nominal, the better.",
}


def answers(evidence: Evidence) -> dict[str, list[str]]:
    """Return what the study found, by question, each sentence made from the tables."""
    found = {
        "What is missing": evidence.extent.sentences,
        f"Which priors the {'data contradict' if evidence.is_dataset else 'truth contradicts'}": _conflicts(evidence),
        "Which methods are calibrated": verdicts(evidence),
        "What the study is about": _primary(evidence),
        "Which method is nearest to the truth": _error(evidence),
        "How near the estimates are to the truth": alone(evidence),
        "What the data say": data_sentences(evidence),
        "Where the sampler is in trouble": _trouble(evidence),
        "How much of the error is the sampler’s": split_findings(evidence),
        "How much the prior matters": prior_findings(evidence),
        "What shrinkage costs": _price(evidence),
        "How well the spread of the groups is known": _spread(evidence),
        "What a draw costs": _efficiency(evidence),
        "What was lost": [lost_sentence(evidence)],
    }
    return {question: told for question, told in found.items() if told}


def _conflicts(evidence: Evidence) -> list[str]:
    """Return the priors that data or truth contradict, as the table of methods has them, a sentence a method."""
    methods = evidence.run.methods
    if "prior_conflict" not in methods:
        return []
    told = methods.dropna(subset="prior_conflict")
    return [
        f"{sentences.quote(str(name))}: {text}."
        for name, text in zip(told["method"], told["prior_conflict"], strict=True)
    ]


def _primary(evidence: Evidence) -> list[str]:
    """Return the numbers of the study's primary measure, where that is no error."""
    if evidence.primary is None or evidence.primary.measure in ERRORS:
        return []
    about: dict[str, Any] = {"measure": evidence.primary.measure, "estimand": evidence.primary.estimand}
    rows = average(evidence.performance, about["measure"], estimand=about["estimand"])
    return primary_sentences(rows[rows["scenario"].notna()], evidence.labels, **about)


def _error(evidence: Evidence) -> list[str]:
    if _primary(evidence):
        return []
    about: dict[str, Any] = {"labels": evidence.labels, "estimand": str(evidence.headline)}
    tables = [evidence.error_differences(method, rival) for method, rival in pairs(evidence)]
    told = [told for table in tables for told in sentences.error_sentences(table, **about)]
    if told and evidence.is_dataset:
        rmse = average(evidence.performance, "rmse", estimand=evidence.headline)
        told.append(sentences.sum_sentence(rmse, int(evidence.run.scenarios["groups"].iloc[0])))
    return told


def _price(evidence: Evidence) -> list[str]:
    if not (method := evidence.roles.partial):
        return []
    return sentences.price_sentences(evidence.performance, evidence.labels, method=method, peers=evidence.roles.peers)


def _spread(evidence: Evidence) -> list[str]:
    if not (method := evidence.roles.partial) or not (spread := effects().spread):
        return []
    about: dict[str, Any] = {"estimand": spread, "method": method, "peers": evidence.roles.peers}
    boundary = evidence.design.boundary_of(spread)
    return sentences.bias_sentences(evidence.performance, evidence.labels, **about, boundary=boundary)


def _trouble(evidence: Evidence) -> list[str]:
    told = sentences.divergence_sentences(evidence.performance, evidence.labels)
    return told + [
        sentence
        for pair in _parameterizations(evidence)
        for sentence in sentences.contrast_sentences(evidence.performance, evidence.labels, **pair)
    ]


def _efficiency(evidence: Evidence) -> list[str]:
    return [
        sentence
        for pair in _parameterizations(evidence)
        for sentence in sentences.efficiency_sentences(evidence.performance, evidence.labels, **pair)
    ]


def _parameterizations(evidence: Evidence) -> list[dict[str, str]]:
    roles = evidence.roles
    both = roles.centered and roles.noncentered
    return [{"method": str(roles.centered), "rival": str(roles.noncentered)}] if both else []


def key_picture(evidence: Evidence) -> Picture | None:
    """Return the one picture of the first screen."""
    if evidence.is_dataset and (drawn := drawn_replicate(evidence)) and (shown := level_figures(drawn)):
        return level_picture(shown[0], name="key", width=MIDDLE)
    if evidence.is_dataset:
        return forest_picture(evidence)
    if evidence.is_calibration:
        return next(iter(rank_pictures(evidence, width=MIDDLE, name="key")), None)
    if is_about_costs(evidence) and len(set(trusted(evidence.performance)["method"])) > 1:
        return efficiency_picture(evidence, name="key", width=MIDDLE)[0]
    measure, estimand = primary_measure(evidence)
    if estimand is None and (evidence.primary is None or average(evidence.performance, measure).empty):
        return None
    design = evidence.design
    about: dict[str, Any] = {"measure": measure, "estimand": estimand, "marks": evidence.marks}
    tables = (evidence.performance, evidence.run.scenarios)
    words = measure_words(measure)
    of = f" of {estimand_words(estimand)}" if estimand else ""
    title = f"{words[0].upper()}{words[1:]}{of}, by scenario and method"
    good = GOOD[MEASURES[measure].better or "smaller"]
    n_panels = design.others(design.axis).nunique()
    if design.axis and n_panels <= MAX_PROFILE_PANELS:
        each = " Each panel is one setting of the design." if n_panels > 1 else ""
        lines = "lines of methods that agree lie on each other, the first the widest."
        caption = f"{good}{each} {_reach(measure)}; {lines}"
        return picture(
            "key",
            title,
            caption,
            lambda w: figures.profile(*tables, **about, width=w),
            width=MIDDLE,
        )
    if measure == "rmse" and len(evidence.labels) > MAX_PROFILE_PANELS and (compared := pairs(evidence)):
        return _gains(evidence, compared)
    caption = f"{good} {_reach(measure)}."
    draw: dict[str, Any] = {"estimand": estimand, "measures": (measure,), "marks": evidence.marks}
    return picture("key", title, caption, lambda w: figures.recovery(*tables, **draw, width=w), width=MIDDLE)


def _reach(measure: str) -> str:
    """Return what bars show, and for a coverage the line."""
    if measure not in AT_LEVEL:
        return "Bars reach 2 MCSE each way"
    return "Dashed: the nominal level. Bars are Wilson intervals"


def _gains(evidence: Evidence, compared: list[tuple[str, str]]) -> Picture:
    differences = pd.concat([evidence.error_differences(*pair) for pair in compared], ignore_index=True)
    method, estimand = compared[0][0], estimand_words(str(evidence.headline))
    caption = (
        f"Each cell is one of {len(evidence.labels)} scenarios. Blue: “{method}” has the smaller error; red: "
        "the larger. White: the difference is below 2 MCSE, on the same data."
    )
    scenarios = evidence.run.scenarios
    title = f"Where “{method}” pays: RMSE of {estimand}"
    return picture("key", title, caption, lambda w: figures.gains(differences, scenarios, width=w), width=MIDDLE)
