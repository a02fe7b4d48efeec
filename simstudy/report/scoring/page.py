"""The page of estimates made elsewhere: the answer in sentences, pictures, tables, and how they were scored."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from simstudy.measures import robust
from simstudy.measures.measure import Measure
from simstudy.measures.registry import MEASURES
from simstudy.measures.score import Estimates
from simstudy.report.document import lay_out, write_page
from simstudy.report.parts import Part
from simstudy.report.reading.vocabulary import speaking
from simstudy.report.reading.wording import counted, measure_words
from simstudy.report.scoring.pictures import figures_of, key_picture, ridges, zips
from simstudy.report.scoring.scored import Scored
from simstudy.report.scoring.sentences import MOST_ESTIMANDS, answers
from simstudy.report.sections.by_scenario import Shown, measure_columns, measure_frame
from simstudy.report.sections.section import Picture, Section
from simstudy.report.tables import Column, Table

SHARES = ("coverage", "bias_eliminated_coverage", "rejection", "prob_best")
TABLES = {
    "Error": ("bias", "median_bias", "rmse", "trimmed_mse", "winsorized_mse", "mse_ratio"),
    "Spread": ("empirical_se", "model_se", "relative_error", "relative_precision"),
    "Intervals and tests": ("coverage", "bias_eliminated_coverage", "width", "interval_score", "rejection"),
    "Ranking of groups": ("rank_correlation", "prob_best"),
}
FOLDED = 24
KEYS = ("label", "method")
MCSE_WORDS = {
    "influence": "by influence functions, which hold for errors of any distribution",
    "normal": "by the forms of Morris et al. 2019, which hold for normal errors",
    "bootstrap": "by resampling the replicates of each method and scenario",
}


def write_scoring(
    estimates: Estimates, performance: pd.DataFrame, path: str | os.PathLike[str], *, title: str = "Estimates"
) -> Path:
    """Write the page of estimates as one HTML file that needs no other file and no network; return its path.

    Args:
        estimates: as ``read_estimates`` returns them.
        performance: as ``score_estimates`` returns it.
        path: the file to write; it is whole or not there.
        title: of the page.
    """
    return write_page(render(estimates, performance, title=title), path)


def render(estimates: Estimates, performance: pd.DataFrame, *, title: str = "Estimates") -> str:
    """Return the page as HTML."""
    return lay_out([scoring_part(estimates, performance, title=title)])


def scoring_part(estimates: Estimates, performance: pd.DataFrame, *, title: str) -> Part:
    """Return what a page says of estimates, in the names that their table has."""
    scored = Scored(estimates=estimates, table=performance)
    with speaking(scored.vocabulary):
        return _part(scored, title)


def _part(scored: Scored, title: str) -> Part:
    sections = [
        _pictures_section(scored, "measures", "Measures", figures_of),
        _pictures_section(scored, "errors", "Errors", ridges if len(scored.labels) * len(scored.marks) > 1 else _none),
        _pictures_section(scored, "intervals", "Intervals", zips),
        Section(name="numbers", title="Numbers", tables=_tables(scored)),
        _how_section(scored),
    ]
    return Part(
        kind="Scored estimates",
        title=title,
        aim="",
        facts=_facts(scored),
        answers=answers(scored),
        remark=_remark(scored),
        picture=key_picture(scored, scored.estimands[0]),
        sections=[section for section in sections if section.pictures or section.tables or section.terms],
        marks=scored.marks,
        origin="estimates",
    )


def _facts(scored: Scored) -> list[str]:
    keys = scored.estimates.keys
    replicates = scored.rows.groupby(["scenario", "method", "estimand"], sort=False)["replicate"].nunique()
    few, many = int(replicates.min()), int(replicates.max())
    between = counted(many, "replicate") if few == many else f"{few:,} to {many:,} replicates"
    each = " each" if len(scored.labels) > 1 or keys.method else ""
    return [
        counted(len(scored.labels), "scenario"),
        counted(len(scored.marks), "method"),
        *([counted(len(scored.estimands), "estimand")] if len(scored.estimands) > 1 else []),
        between + each,
        counted(len(scored.rows), "estimate"),
    ]


def _remark(scored: Scored) -> str:
    paired = (
        "Errors of methods are compared on the replicates that both have."
        if scored.estimates.keys.replicate
        else "Methods are compared as unpaired, since no column names the replicate."
    )
    remark = (
        "± is the Monte Carlo standard error (MCSE) over replicates. No sentence is made on a difference below 2 MCSE."
    )
    left_out = len(scored.estimands) - MOST_ESTIMANDS
    more = (
        f" Sentences and pictures are of the first {MOST_ESTIMANDS} estimands; tables have all." if left_out > 0 else ""
    )
    return f"{remark} {paired}{more}" if len(scored.marks) > 1 else remark + more


def _pictures_section(scored: Scored, name: str, title: str, draw: Callable[[Scored, str], list[Picture]]) -> Section:
    pictures: list[Picture] = []
    for estimand in scored.estimands[:MOST_ESTIMANDS]:
        pictures += draw(scored, estimand)
    return Section(name=name, title=title, pictures=pictures)


def _none(scored: Scored, estimand: str) -> list[Picture]:
    """Return no picture: of a single cell the first screen has it."""
    return []


def _tables(scored: Scored) -> list[Table]:
    several = len(scored.estimands) > 1
    found = []
    for estimand in scored.estimands:
        for title, measures in TABLES.items():
            if table := _table(scored, f"{title} of {estimand}" if several else title, estimand, measures):
                found.append(table)
    every = Table(
        title="All numbers",
        frame=scored.table,
        columns=(
            *(
                Column(head=name, source=name)
                for name in ("scenario", "method", "estimand")
                if len(scored.table[name].unique()) > 1
            ),
            Column(head="measure", source="measure"),
            Column(head="value", source="value", mcse="mcse"),
            Column(head="used", source="n_used"),
            Column(head="left out", source="n_excluded"),
        ),
        open_up_to=0,
        note="As the CSV of simstudy score has them.",
    )
    return [*found, every]


def _table(scored: Scored, title: str, estimand: str, measures: tuple[str, ...]) -> Table | None:
    """Return some measures side by side, one row per scenario and method, MCSE beside each."""
    shown = [
        Shown(measure=measure, estimand=estimand, percent=measure in SHARES)
        for measure in measures
        if len(scored.of(measure, estimand))
    ]
    if not shown:
        return None
    counts = scored.of("bias", estimand)[["scenario", "method", "n_used", "n_excluded"]]
    frame = measure_frame(scored, shown)
    frame = counts.astype({"scenario": str, "method": str}).merge(frame, on=["scenario", "method"], how="left")
    ranks = {name: i for i, name in enumerate([*scored.labels, *scored.marks])}
    frame = frame.sort_values(["scenario", "method"], key=lambda names: names.map(ranks), ignore_index=True)
    frame["label"] = frame["scenario"].map(scored.labels)
    columns = [c for c in measure_columns(frame, shown) if c.source not in KEYS or len(set(frame[c.source])) > 1]
    columns += [Column(head="used", source="n_used"), Column(head="left out", source="n_excluded")]
    return Table(title=title, frame=frame, columns=columns, note="value ± MCSE", open_up_to=FOLDED)


def _how_section(scored: Scored) -> Section:
    estimates = scored.estimates
    named, keys = estimates.named, estimates.keys
    terms: list[tuple[str, list[str]]] = [
        ("columns", _columns(estimates)),
        ("intervals", [_intervals(estimates)]) if scored.has_intervals else ("intervals", ["none are given"]),
    ]
    if named.p_value or scored.has_intervals:
        test = f"p-values of {named.p_value}" if named.p_value else f"the interval does not hold {estimates.null:g}"
        rule = f"{test} below {1 - estimates.level:.3g}" if named.p_value else test
        terms.append(("rejection", [rule]))
    which = "those of replicates in which every method has one" if estimates.pairs == "complete" else "all usable ones"
    terms.append(("estimates that count", [which]))
    forms = [form for form in MCSE_WORDS if (scored.table["mcse_method"] == form).any()]
    if forms:
        form = next((f for f in ("bootstrap", "normal") if f in forms), "influence")
        terms.append(("MCSE" if form == "bootstrap" else "MCSE of measures of spread", [MCSE_WORDS[form]]))
    if keys.group:
        terms.append(("groups", [f"{keys.group}; those of a replicate are reduced to one number first"]))
    if estimates.notes:
        terms.append(("notes", list(estimates.notes)))
    terms.append(("measures", [_definition(measure, estimates) for measure in _known(scored)]))
    return Section(name="how", title="How they were scored", terms=terms)


def _columns(estimates: Estimates) -> list[str]:
    named, keys = estimates.named, estimates.keys
    roles = {
        "estimate": named.estimate,
        "truth": named.truth,
        "standard error": named.se,
        "degrees of freedom": named.df,
        "interval": f"{named.lower} to {named.upper}" if named.lower else None,
        "p-value": named.p_value,
        "scenario": ", ".join(keys.by) or None,
        "method": keys.method,
        "replicate": keys.replicate,
        "group": keys.group,
        "reference": estimates.ref,
    }
    return [f"{role}: {name}" for role, name in roles.items() if name is not None]


def _intervals(estimates: Estimates) -> str:
    named, level = estimates.named, f"{100 * estimates.level:g} %"
    if named.lower is not None:
        return f"{level}, as given"
    if named.df is not None:
        return f"{level}, estimate ∓ quantile of t with the degrees of freedom of the row × standard error"
    return f"{level}, estimate ∓ quantile of the normal distribution × standard error"


def _known(scored: Scored) -> list[Measure]:
    names = list(dict.fromkeys(scored.table["measure"]))
    every = {**MEASURES, **{measure.name: measure for measure in robust.MEASURES}}
    return [every[name] for name in names]


def _definition(measure: Measure, estimates: Estimates) -> str:
    words = measure.definition.removesuffix(" (score)").replace("posterior variance", "squared standard error")
    words = words.replace("5 %, or another share,", f"{100 * estimates.trim:g} %")
    return f"{measure_words(measure.name)}: {words}"
