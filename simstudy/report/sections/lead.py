"""The lead of a page: at most three sentences, on what the methods of the study differ in.

Methods that failed come first, then fits that did not converge. Methods of one posterior differ in how they are
sampled; others in how near they come to the truth, or in the measure that the study names as its primary one.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from simstudy.measures.registry import MEASURES
from simstudy.report.evidence import Evidence
from simstudy.report.reading.readings import average
from simstudy.report.reading.standings import Cell, cells_of_squares, cells_of_values
from simstudy.report.reading.vocabulary import hyperparameters
from simstudy.report.reading.wording import enumerate_words, share, symbol
from simstudy.report.sections.calibration import verdicts
from simstudy.report.sections.error_split import shown_split
from simstudy.report.sections.posterior import data_sentences
from simstudy.report.words.alone import alone_sentences
from simstudy.report.words.convergence import MOST_SHORT, convergence_sentence
from simstudy.report.words.costs import divergence_sentence, efficiency_sentence, sampler_sentence
from simstudy.report.words.losses import lost_methods_sentence
from simstudy.report.words.sentences import quote
from simstudy.report.words.standings import ERRORS, standing_sentence

MOST = 3
FEW, FEW_OF_CONTRADICTED = 0.5, 0.9
"""Coverage as a share of its level, below which under every method none is called accurate."""
NONE_USABLE = "Not one fit can be used, so that nothing can be said."


def lead(evidence: Evidence) -> list[str]:
    """Return what the study found, in at most three sentences."""
    if not (evidence.run.fits["status"] == "ok").any():
        return [NONE_USABLE, lost_methods_sentence(evidence.run.fits)]
    told = [lost_methods_sentence(evidence.run.fits), _convergence(evidence)]
    if evidence.is_calibration:
        return _some([*told, *verdicts(evidence)])
    if len(evidence.marks) == 1:
        return _some([*told, *alone(evidence)])
    if is_about_costs(evidence):
        return _some([*told, *_costs(evidence)])
    answer = _uncovered(evidence) or standing(evidence)
    told += [_conflict(evidence), answer, _without(evidence, answer), *data_sentences(evidence)]
    return _some([*told, divergence_sentence(evidence.performance, evidence.labels) if evidence.is_dataset else ""])


def _contradicted(evidence: Evidence) -> list[str]:
    """Return the methods of which the data or the truth contradict a prior."""
    methods = evidence.run.methods
    return (
        [] if "prior_conflict" not in methods else list(methods.dropna(subset="prior_conflict")["method"].astype(str))
    )


def _conflict(evidence: Evidence) -> str:
    """Return whose priors the data or the truth contradict, as a sentence; empty where there are none."""
    if not (names := [quote(name) for name in _contradicted(evidence)]):
        return ""
    who, whom = (
        "The data contradict" if evidence.is_dataset else "The truth contradicts",
        "it" if len(names) == 1 else "them",
    )
    return f"{who} priors of {enumerate_words(names)}: what is said of {whom} here is said of these priors."


def _uncovered(evidence: Evidence) -> str:
    """Return how few intervals hold the truth, where that is less than half of what they promise under every method.

    The least error is then one of wrong answers, and none is called accurate. Where the truth contradicts priors of all
    methods, that is so below nine tenths of what the intervals promise.
    """
    measure, estimand = primary_measure(evidence)
    rows = average(evidence.performance, "coverage", estimand=estimand)
    rows = rows[rows["scenario"].notna() & rows["value"].notna()]
    if evidence.is_dataset or estimand is None or measure not in ERRORS or rows.empty:
        return ""
    most, level = float(rows["value"].max()), float(rows["level"].iloc[0])
    are_all = set(_contradicted(evidence)) >= set(map(str, evidence.marks))
    if most >= level * (FEW_OF_CONTRADICTED if are_all else FEW):
        return ""
    return (
        f"Of {level:.0%} intervals for {symbol(estimand)} at most {most:.0%} hold the truth, whatever the method and "
        "the scenario, so that no method is called accurate."
    ).replace("%", " %")


def is_about_costs(evidence: Evidence) -> bool:
    """Whether the methods differ in how they are sampled alone, and the study names no other measure."""
    return evidence.shares_posterior and evidence.primary is None and not evidence.is_calibration


def primary_measure(evidence: Evidence) -> tuple[str, str | None]:
    """Return the measure and the estimand of the answer on accuracy."""
    if evidence.primary is not None:
        return evidence.primary.measure, evidence.primary.estimand
    return "rmse", evidence.headline


def pairs(evidence: Evidence) -> list[tuple[str, str]]:
    """Return the methods whose errors are told apart: partial pooling and its rivals, or the first and the others."""
    if evidence.headline is None:
        return []
    if evidence.roles.partial and evidence.roles.rivals:
        return [(evidence.roles.partial, rival) for rival in evidence.roles.rivals]
    first, *others = evidence.marks
    return [(first, other) for other in others]


def alone(evidence: Evidence) -> list[str]:
    """Return what there is to say of a method without a rival; a calibration study judges it by its ranks."""
    if len(evidence.marks) > 1 or evidence.headline is None or evidence.is_calibration or evidence.is_dataset:
        return []
    boundary = evidence.design.boundary_of(evidence.headline)
    about: dict[str, Any] = {"method": next(iter(evidence.marks)), "estimand": evidence.headline, "boundary": boundary}
    return alone_sentences(evidence.performance, evidence.labels, **about)


def _some(told: list[str]) -> list[str]:
    return [sentence for sentence in told if sentence][:MOST]


def _costs(evidence: Evidence) -> list[str]:
    return [
        sampler_sentence(shown_split(evidence), evidence.doubtful, list(dict.fromkeys(evidence.exact_of.values()))),
        divergence_sentence(evidence.performance, evidence.labels),
        efficiency_sentence(evidence.performance, evidence.labels, short=_short_cells(evidence)),
        _of_converged(evidence) if evidence.short else standing(evidence),
    ]


def _short_cells(evidence: Evidence) -> set[tuple[str, str]]:
    """Return the (scenario, method) in which so many fits did not converge that effective draws flatter it."""
    fits = evidence.run.fits
    used = (fits["status"] == "ok").to_numpy()
    short = pd.Series((evidence.flags["max_rhat"] | evidence.flags["min_ess"]).to_numpy()[used])
    keys = [fits[key].astype(str).to_numpy()[used] for key in ("scenario", "method")]
    share = short.groupby(keys).mean()
    return {(str(scenario), str(method)) for scenario, method in share.index[share > MOST_SHORT]}


def standing(evidence: Evidence) -> str:
    """Return how the methods stand by the measure of the answer; empty where there is nothing to compare."""
    measure, estimand = primary_measure(evidence)
    if estimand is None and measure in ERRORS:
        return ""
    names, cells = _cells(evidence, measure, estimand)
    about: dict[str, Any] = {"measure": measure, "estimand": estimand, "levels": evidence.design.levels}
    return standing_sentence(names, cells, evidence.labels, **about)


def _cells(evidence: Evidence, measure: str, estimand: str | None) -> tuple[list[str], list[Cell]]:
    """Return the cells of the measure: of errors on the same data, of others as the performance table has it."""
    if measure in ERRORS:
        return cells_of_squares(evidence.squares)
    chosen = estimand or (", ".join(hyperparameters()) if measure.startswith("ess_per") else None)
    rows = average(evidence.performance, measure, estimand=chosen)
    return cells_of_values(rows[rows["scenario"].notna()], MEASURES[measure].better or "smaller")


def _convergence(evidence: Evidence) -> str:
    """Return which methods did not converge, and of which nothing is left without such fits."""
    told = convergence_sentence(evidence.convergence, evidence.study.get("diagnostics", {}))
    gone = [quote(name) for name in _gone(evidence)]
    return f"{told[:-1]}; without these fits nothing is left of {enumerate_words(gone)}." if gone else told


def _gone(evidence: Evidence) -> list[str]:
    """Return the methods of which not one fit converged."""
    table = evidence.convergence.loc[evidence.short]
    return [str(name) for name in table.index[table["short"] == table["fits"]]]


def _without(evidence: Evidence, answer: str) -> str:
    """Return what the answer becomes without the fits that did not converge; empty where hardly any did not."""
    others = _of_converged(evidence)
    if not evidence.short or not others:
        return ""
    return "Without these fits the answer is the same." if others == answer else others


def _of_converged(evidence: Evidence) -> str:
    """Return the standing over the fits that converged; empty where too few are left."""
    if evidence.converged is None or not (told := standing(evidence.converged)):
        return ""
    if told == standing(evidence):
        return told
    n, left = len(evidence.labels), len(_cells(evidence.converged, *primary_measure(evidence))[1])
    few = f" {share(left, n)} scenarios are left:" if left < n else ","
    return f"Without these fits{few} {told[:1].lower()}{told[1:]}"
