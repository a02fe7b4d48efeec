"""The page of an answer: three sentences, every group by name, and the evidence behind each sentence."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from simstudy.choosing import figures as own_figures
from simstudy.choosing.findings import LEVEL, Findings
from simstudy.choosing.question import PARTIAL, STRUCTURES, plural
from simstudy.choosing.sampler_section import sampler_section
from simstudy.choosing.sentences import answers, plain
from simstudy.models.estimands import THETA
from simstudy.report import figures
from simstudy.report.document import lay_out, write_page
from simstudy.report.figures.canvas import MIDDLE
from simstudy.report.parts import Part, with_anchors
from simstudy.report.reading.palette import Mark
from simstudy.report.reading.wording import counted, number, symbol
from simstudy.report.sections.section import Picture, Section, picture
from simstudy.report.tables import Column, Table

MOST_DRAWN = 30
PULLED = {
    "normal": "B = σ² / (σ² + n τ²)",
    "normal_known_se": "B = se² / (se² + τ²)",
    "binomial": "B = 1 / (1 + n p (1 − p) τ²) with p at μ, approximate and on the scale of log odds",
    "poisson": "B = 1 / (1 + E exp(μ) τ²) of an exposure of E, approximate and on the scale of log rates",
}
MARKS: dict[str, Mark] = own_figures.MARKS


def write_choices(found: Sequence[Findings], path: str | Path) -> Path:
    """Write the page of one answer, or of several factors, as one HTML file that needs no other; return its path."""
    parts = [choice_part(each) for each in found]
    if len(parts) > 1:
        parts = with_anchors(parts, [each.question.noun for each in found])
    return write_page(lay_out(parts, title="Which pooling?" if len(parts) > 1 else ""), path)


def choice_part(found: Findings) -> Part:
    """Return what the page says."""
    question = found.question
    data = question.dataset.replicate.data
    likelihood = question.dataset.likelihood
    return Part(
        kind="Which pooling?",
        title=question.dataset.name,
        aim=f"Which pooling fits the {question.groups}, how much does it help, and how is it sampled?",
        facts=[
            question.groups,
            counted(int(data.n_obs.sum()), "trial" if likelihood.kind == "binomial" else "observation"),
            likelihood.words,
        ],
        answers=answers(found),
        remark=(
            "± is the Monte Carlo standard error (MCSE) over simulated data sets. No sentence is made on a difference "
            "below 2 MCSE."
        ),
        picture=_groups_picture(found),
        sections=[_groups(found), _errors(found), sampler_section(found), _sensitivity(found), _priors(found)],
        marks=MARKS,
        origin="this answer",
    )


def _groups_picture(found: Findings) -> Picture:
    shown = drawn(found.groups)
    names = [f"theta[{i}]" for i in range(len(shown))]
    rows = [
        {"method": method, "name": name, "mean": row[method]}
        | {"lower": row[f"{method} lower"], "upper": row[f"{method} upper"]}
        for method in STRUCTURES
        for name, row in zip(names, shown.to_dict("records"), strict=True)
    ]
    labels = dict(zip(names, shown["label"].astype(str), strict=True))
    data = pd.Series(shown["own"].to_numpy(float), index=names)
    what = found.question.effect_noun
    some = "" if len(shown) == len(found.groups) else f" The {len(shown)} that partial pooling moves most are drawn."
    caption = (
        f"Posterior means and {100 * LEVEL:g} % intervals of each {found.question.noun}’s own {what} under the three "
        f"poolings, from the lowest of the data to the highest; strokes are the data.{some}"
    )
    table = pd.DataFrame(rows)
    return picture(
        "groups",
        f"What each pooling says of each {found.question.noun}",
        caption,
        lambda width: figures.posterior(table, data=data, labels=labels, marks=MARKS, width=width),
    )


def drawn(groups: pd.DataFrame) -> pd.DataFrame:
    """Return the groups that are drawn, from the lowest mean to the highest: all, or those that are moved most."""
    moved = (groups[PARTIAL] - groups["own"]).abs()
    return groups.loc[moved.nlargest(MOST_DRAWN).index].sort_values("own", kind="stable")


def _groups(found: Findings) -> Section:
    decimals = _decimals(found)
    columns = [
        Column(head=found.question.noun, source="label"),
        Column(head="n", source="n") if "n" in found.groups else Column(head="se", source="se"),
        Column(head="data", source="own", decimals=decimals),
        *(
            Column(head=method, source=method, ends=(f"{method} lower", f"{method} upper"), decimals=decimals)
            for method in STRUCTURES
        ),
        Column(head="pulled", source="pull", percent=True),
    ]
    question = found.question
    note = (
        f"Posterior means with {100 * LEVEL:g} % intervals. Pulled: the posterior mean of the weight of the common "
        f"mean in the {question.noun}’s {question.effect_noun} under partial pooling, "
        f"{PULLED[question.dataset.likelihood.kind]}."
    )
    table = Table(title="Every group", frame=found.groups, columns=columns, note=note, open_up_to=MOST_DRAWN)
    return Section(name="each-group", title="Every group by name", tables=[table])


def _decimals(found: Findings) -> int | None:
    digits = plain(float(found.groups["own"].iloc[0]), found.groups).partition(".")[2]
    return len(digits) if digits.isdecimal() or not digits else None


def _errors(found: Findings) -> Section:
    n, question = int(found.errors["n"].min()), found.question
    caption = (
        f"Root mean squared error of the {plural(question.noun)}’ {plural(question.effect_noun)} and coverage of their "
        "intervals, bars of 2 MCSE. Dashed: the stated coverage."
    )
    of_log_odds = "" if question.effect == THETA.name else " on the scale of log odds"
    paragraphs = [
        f"{n:,} data sets were simulated at the sizes of these data: the hyperparameters of each are one draw of the "
        f"posterior of partial pooling, so that what the data do not say of τ counts; the {plural(question.noun)} are "
        f"new ones, drawn{of_log_odds} from a normal distribution around μ as partial pooling takes them to be: a "
        f"{question.noun} that is unlike the others by more than that has no part in this comparison. The three "
        "poolings were fitted to each with the priors below."
    ]
    ratios = pd.DataFrame(
        [
            {"method": method, "reference": reference, "ratio": ratio, "mcse": mcse}
            for (method, reference), (ratio, mcse) in found.ratios.items()
        ]
    )
    tables = [
        Table(
            title="Errors on data like these",
            frame=found.errors,
            columns=[
                Column(head="pooling", source="method"),
                Column(head="RMSE", source="rmse", mcse="rmse_mcse"),
                Column(head="coverage", source="coverage", mcse="coverage_mcse", percent=True),
                Column(head="data sets", source="n"),
            ],
        ),
        Table(
            title="Ratios of mean squared errors",
            frame=ratios,
            columns=[
                Column(head="pooling", source="method"),
                Column(head="against", source="reference"),
                Column(head="MSE ratio", source="ratio", mcse="mcse"),
            ],
            note="Paired: both were fitted to the same data sets.",
        ),
    ]
    drawn_errors = picture(
        "errors",
        "How near each pooling comes on data like these",
        caption,
        lambda width: own_figures.errors(found.errors, width=width),
        width=MIDDLE,
    )
    return Section(
        name="errors",
        title="How much does pooling help?",
        paragraphs=paragraphs,
        pictures=[drawn_errors],
        tables=tables,
    )


def _sensitivity(found: Findings) -> Section:
    known = found.sensitivity
    told = zip(known.table["name"], known.table["is_group"], strict=True)
    frame = known.table.assign(words=[name if is_group else symbol(name) for name, is_group in told])
    table = Table(
        title="Other priors of τ",
        frame=frame,
        columns=[
            Column(head="estimand", source="words"),
            Column(head="posterior mean", source="mean"),
            Column(head="prior halved", source="halved"),
            Column(head="prior doubled", source="doubled"),
            Column(head="largest change, posterior sds", source="shift"),
            Column(head="sensitivity to the prior", source="of_prior"),
            Column(head="to the likelihood", source="of_likelihood"),
        ],
        note=(
            "Sensitivity: change of the marginal posterior per doubling of the weight (Kallioinen et al. 2024); above "
            "0.05 it is called sensitive. The likelihood is that of the data given the effects: it moves τ little "
            "where each group is known well."
        ),
    )
    caption = (
        f"The posterior of τ with the prior {known.prior} (dashed) at several scales, by weighting the exact draws "
        f"(Pareto k {', '.join(map(number, known.k.values()))})."
    )
    tau = found.tau
    drawing = picture(
        "tau", "τ under other priors", caption, lambda width: own_figures.spread(known, tau, width=width), width=MIDDLE
    )
    return Section(name="sensitivity", title="Does the prior of τ matter?", pictures=[drawing], tables=[table])


def _priors(found: Findings) -> Section:
    rows = [
        {"method": method, **{symbol(name): text for name, text in found.question.priors(method).items()}}
        for method in STRUCTURES
    ]
    frame = pd.DataFrame(rows).replace({np.nan: None})
    table = Table(
        title="Priors",
        frame=frame,
        columns=[Column(head="pooling" if name == "method" else name, source=name) for name in frame.columns],
    )
    return Section(
        name="priors",
        title="Priors and data",
        paragraphs=[*answers(found)["Do priors and data agree?"]],
        tables=[table],
    )
