"""The section of the page on the sampler: which parameterization samples these data, and whether it is right there."""

from simstudy.choosing.findings import Findings
from simstudy.choosing.fits import CENTERED, CHECKS, NONCENTERED, NUTS, ONE_FIT, SEEDS
from simstudy.report import figures
from simstudy.report.reading import palette
from simstudy.report.reading.wording import estimand_words
from simstudy.report.sections.section import Section, picture
from simstudy.report.tables import Column, Table
from simstudy.study.study_file import DiagnosticsSection

CHECKED = ("mu", "tau", "sigma", "theta", "theta_mean", "log_lik")
SAMPLED = {NONCENTERED: palette.NONCENTERED, CENTERED: palette.CENTERED}


def sampler_section(found: Findings) -> Section:
    """Return what the sampler did on the data in both parameterizations, and the verdicts of its check."""
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
