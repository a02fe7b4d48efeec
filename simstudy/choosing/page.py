"""The page of an answer: three sentences, every group by name, and the evidence behind each sentence."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from simstudy.choosing import figures as own_figures
from simstudy.choosing.findings import LEVEL, Findings
from simstudy.choosing.fits import CENTERED, CHECKS, NONCENTERED, NUTS, ONE_FIT, SEEDS
from simstudy.choosing.question import PARTIAL, STRUCTURES
from simstudy.choosing.sentences import answers, plain
from simstudy.report import figures
from simstudy.report.document import lay_out, write_page
from simstudy.report.figures.canvas import MIDDLE
from simstudy.report.parts import Part, with_anchors
from simstudy.report.reading import palette
from simstudy.report.reading.palette import Mark
from simstudy.report.reading.wording import counted, estimand_words, number, symbol
from simstudy.report.sections.section import Picture, Section, picture
from simstudy.report.tables import Column, Table
from simstudy.study.study_file import DiagnosticsSection

MOST_DRAWN = 30
PULLED = {
    "normal": "B = σ² / (σ² + n τ²)",
    "normal_known_se": "B = se² / (se² + τ²)",
    "binomial": "B = 1 / (1 + n p (1 − p) τ²) with p at μ, approximate and on the scale of log odds",
    "poisson": "B = 1 / (1 + E exp(μ) τ²) of an exposure of E, approximate and on the scale of log rates",
}
CHECKED = ("mu", "tau", "sigma", "theta", "theta_mean", "log_lik")
MARKS: dict[str, Mark] = own_figures.MARKS
SAMPLED = {NONCENTERED: palette.NONCENTERED, CENTERED: palette.CENTERED}


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
        sections=[_groups(found), _errors(found), _sampler(found), _sensitivity(found), _priors(found)],
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
    some = "" if len(shown) == len(found.groups) else f" The {len(shown)} that partial pooling moves most are drawn."
    caption = (
        f"Posterior means and {100 * LEVEL:g} % intervals of each {found.question.noun}’s own mean under the three "
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
    columns = [
        Column(head=found.question.noun, source="label"),
        Column(head="n", source="n") if "n" in found.groups else Column(head="se", source="se"),
        Column(head="data", source="own", decimals=_decimals(found)),
        *(Column(head=method, source=method, ends=(f"{method} lower", f"{method} upper")) for method in STRUCTURES),
        Column(head="pulled", source="pull", percent=True),
    ]
    note = (
        f"Posterior means with {100 * LEVEL:g} % intervals. Pulled: the posterior mean of the weight of the "
        f"common mean in the group’s effect under partial pooling, {PULLED[found.question.dataset.likelihood.kind]}."
    )
    table = Table(title="Every group", frame=found.groups, columns=columns, note=note)
    return Section(name="each-group", title="Every group by name", tables=[table])


def _decimals(found: Findings) -> int | None:
    digits = plain(float(found.groups["own"].iloc[0]), found.groups).partition(".")[2]
    return len(digits) if digits.isdecimal() or not digits else None


def _errors(found: Findings) -> Section:
    n = int(found.errors["n"].min())
    caption = (
        "Root mean squared error of the groups’ effects and coverage of their intervals, bars of 2 MCSE. Dashed: the "
        "stated coverage."
    )
    paragraphs = [
        f"{n:,} data sets were simulated at the sizes of these data: the hyperparameters of each are one draw of the "
        "posterior of partial pooling, so that what the data do not say of τ counts; the effects are new ones, drawn "
        "from a normal distribution around μ as partial pooling takes them to be: a group that is unlike the others by "
        "more than that has no part in this comparison. The three poolings were fitted to each with the priors below."
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


def _sampler(found: Findings) -> Section:
    if found.sampling.empty:
        return Section(name="sampler", title="The sampler", paragraphs=[f"The sampler was not tried: {found.reason}"])
    table = Table(
        title="The sampler on these data",
        frame=found.sampling,
        columns=[
            Column(head="parameterization", source="method"),
            Column(head="flagged runs", source="flagged", percent=True),
            Column(head="divergences per 1,000 draws", source="divergent", mcse="divergent_mcse", scale=1000),
            Column(head="ESS per leapfrog", source="ess_per_leapfrog", mcse="ess_per_leapfrog_mcse"),
            Column(head="runs", source="n"),
        ],
        note=(
            f"Flagged: {_flags(ONE_FIT)}, as befits a fit whose posterior is the answer. (A fit of a study, one of "
            f"many, is flagged for {_flags(found.question.study.diagnostics)}.) ESS: the smaller of μ and τ."
        ),
    )
    verdicts = Table(
        title="Verdict by estimand",
        frame=found.check.assign(words=found.check["estimand"].astype(str).map(estimand_words)),
        columns=[
            Column(head="estimand", source="words"),
            Column(head="p-value", source="p_value"),
            Column(head="p-value after Holm", source="p_holm"),
            Column(head="verdict", source="verdict"),
        ],
    )
    settings = (
        f"{NUTS['chains']} chains, warm-up {NUTS['warmup']}, {NUTS['draws']:,} draws each, target acceptance "
        f"{NUTS['target_accept']}"
    )
    paragraphs = [
        f"Partial pooling was sampled from {SEEDS} seeds in both parameterizations ({settings}). The better one, "
        f"{found.parameterization}, was then held to the posterior itself (posterior SBC, Säilynoja et al. 2025): "
        f"{CHECKS} times parameters were drawn from the exact posterior and as many new observations as there are from "
        "them; fitted to both data together, the sampler must rank these parameters uniformly."
    ]
    ranks = found.ranks[found.ranks["estimand"].isin(CHECKED)]
    pictures = []
    if len(ranks):
        caption = (
            "The distribution of the parameters’ ranks less the uniform one. A line that leaves its band is a sampler "
            "that is wrong here."
        )
        pictures = [
            picture(
                "ranks",
                "Posterior check",
                caption,
                lambda width: figures.calibration(ranks, marks=SAMPLED, width=width),
            ),
        ]
    return Section(
        name="sampler", title="The sampler", paragraphs=paragraphs, pictures=pictures, tables=[table, verdicts]
    )


def _flags(rule: DiagnosticsSection) -> str:
    """Return what a fit is flagged for, in words."""
    share = rule.max_divergence_rate
    divergent = f"more than {100 * share:g} % of divergent draws" if share else "a divergence"
    return f"{divergent}, an R-hat above {rule.max_rhat:g}, or fewer than {rule.min_ess:g} effective draws"


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
