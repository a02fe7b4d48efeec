"""The first screen: the answer in sentences, and one picture."""

from __future__ import annotations

from simstudy.report import figures, sentences
from simstudy.report.evidence import Evidence
from simstudy.report.sections.posterior import forest_picture
from simstudy.report.sections.section import Picture, picture
from simstudy.report.wording import estimand_words, symbol

MAX_PROFILE_PANELS = 12


def answer_sentences(evidence: Evidence) -> list[str]:
    """Return what the study found, each sentence made from the tables."""
    performance, labels, roles = evidence.performance, evidence.labels, evidence.roles
    found: list[str] = []
    for method, rival in _pairs(evidence):
        found += sentences.error_sentences(
            evidence.error_differences(method, rival), labels, estimand=str(evidence.headline)
        )
    if roles.partial:
        found += sentences.price_sentences(performance, labels, method=roles.partial)
        found += sentences.bias_sentences(performance, labels, estimand="tau", method=roles.partial)
    found += sentences.divergence_sentences(performance, labels)
    if roles.centered and roles.noncentered:
        pair = {"method": roles.centered, "rival": roles.noncentered}
        found += sentences.contrast_sentences(performance, labels, **pair)
        found += sentences.efficiency_sentences(performance, labels, **pair)
    found.append(sentences.failure_sentence(evidence.run.fits, evidence.n_flagged))
    return found


def key_picture(evidence: Evidence) -> Picture | None:
    """Return the one picture of the first screen."""
    if evidence.is_dataset:
        return forest_picture(evidence)
    if evidence.headline is None:
        return None
    design, estimand = evidence.design, evidence.headline
    about = {"measure": "rmse", "estimand": estimand}
    tables = (evidence.performance, evidence.run.scenarios)
    title = f"RMSE of {estimand_words(estimand)}, by scenario and method"
    if design.axis and design.others(design.axis).nunique() <= MAX_PROFILE_PANELS:
        caption = (
            f"The lower, the better. Each panel is one setting of the design, {design.axis} grows to the right; bars "
            f"reach 2 MCSE each way, so marks whose bars overlap widely are not told apart."
        )
        return picture(
            "key", title, caption, lambda w: figures.profile(*tables, **about, marks=evidence.marks, width=w)
        )
    if len(labels := evidence.labels) > MAX_PROFILE_PANELS:
        caption = (
            f"Each map is one method, each cell one of {len(labels)} scenarios, all on one color scale: dark cells are "
            f"scenarios in which {symbol(estimand)} is estimated well."
        )
        return picture("key", title, caption, lambda w: figures.design_map(*tables, **about, width=w))
    caption = "The lower, the better; bars reach 2 MCSE each way."
    draw = {"estimand": estimand, "measures": ("rmse",), "marks": evidence.marks}
    return picture("key", title, caption, lambda w: figures.recovery(*tables, **draw, width=w), width=6.5)


def _pairs(evidence: Evidence) -> list[tuple[str, str]]:
    if evidence.headline is None:
        return []
    if evidence.roles.partial and evidence.roles.rivals:
        return [(evidence.roles.partial, rival) for rival in evidence.roles.rivals]
    first, *others = list(evidence.marks)
    return [(first, other) for other in others]
