"""Where the sampler is in trouble: divergences over the design, or over chains for one data set."""

from __future__ import annotations

from typing import Any

import pandas as pd

from simstudy.errors import RunError
from simstudy.logs import log
from simstudy.report import figures
from simstudy.report.evidence import Evidence
from simstudy.report.figures.canvas import MIDDLE
from simstudy.report.figures.divergences import diverging
from simstudy.report.reading.readings import average
from simstudy.report.reading.vocabulary import effects
from simstudy.report.reading.wording import enumerate_words, letters
from simstudy.report.sections.by_scenario import Shown, measure_columns, measure_frame
from simstudy.report.sections.section import Picture, Section, picture
from simstudy.report.tables import Column, Table
from simstudy.report.words.sentences import quote

SHOWN = (
    Shown(measure="divergence_rate", per_thousand=True),
    Shown(measure="any_divergence", percent=True),
    Shown(measure="max_treedepth_rate", per_thousand=True),
)
CHAIN_QUANTILES = (0.05, 0.5, 0.95)


def divergence_section(evidence: Evidence) -> Section | None:
    """Return the section, or None for samplers that cannot diverge."""
    shares = average(evidence.performance, "any_divergence").dropna(subset=["value"])
    if shares.empty:
        return None
    return Section(
        name="divergences",
        title="Divergences",
        paragraphs=_without(evidence, shares),
        pictures=[*_pictures(evidence, shares), *_funnel(evidence, shares)],
        tables=[_table(evidence), *_chain_table(evidence)],
    )


def _without(evidence: Evidence, shares: pd.DataFrame) -> list[str]:
    clean = [quote(name) for name in evidence.marks if name in set(shares["method"]) - set(diverging(shares))]
    return [f"Not one draw of {enumerate_words(clean)} diverged."] if clean else []


def _pictures(evidence: Evidence, shares: pd.DataFrame) -> list:
    names = diverging(shares)
    if not names:
        return []
    if len(evidence.labels) > 1:
        caption = (
            "Color: the share of fits with at least one divergent draw; written below it in small designs: divergent "
            f"draws per 1,000. Blank cells had none. Centered parameterizations diverge where {letters()[2]} is small "
            "against the error of a group’s mean (the funnel of Betancourt & Girolami 2015)."
        )
        tables = (evidence.performance, evidence.run.scenarios)
        return [
            picture(
                "divergences",
                "Divergences over the design, by method",
                caption,
                lambda w: figures.divergences(*tables, width=w),
            )
        ]
    rates = evidence.chain_rates
    rates = rates[rates["method"].isin(names)]
    caption = (
        "How many of 1,000 draws diverge, chain by chain; dashed: the median. A model that diverges in every chain is "
        "not explored well, whatever its R-hat says."
    )
    return [
        picture(
            "chain-divergences",
            "Divergences by chain",
            caption,
            lambda w: figures.chain_divergences(rates, marks=evidence.marks, width=w),
        )
    ]


def funnel_draws(evidence: Evidence, scenario: str) -> pd.DataFrame:
    """Return the kept draws of the spread of the effects and of the first effect in a scenario, one row per draw.

    Returns:
        ``method``, ``effect``, ``tau``, ``diverging``; of each method its first kept replicate; empty without any.
    """
    parts = []
    group_effects, spread = effects().name, effects().spread
    for name in evidence.marks:
        for fit in evidence.kept(scenario, name)[:1]:
            try:
                draws, diverging = fit.posterior, fit.sample_stats.get("diverging")
            except RunError as error:
                log.warning("%s; its picture is left out", error)
                continue
            if {group_effects, spread} <= set(draws) and diverging is not None:
                effect, tau = (draws[group_effects][..., 0], draws[str(spread)])
                if effect.shape == tau.shape == diverging.shape:
                    columns = {"effect": effect, "tau": tau, "diverging": diverging}
                    flat = {key: values.ravel() for key, values in columns.items()}
                    parts.append(pd.DataFrame(flat).assign(method=name))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def _funnel(evidence: Evidence, shares: pd.DataFrame) -> list[Picture]:
    """Return the funnel in the scenario with the most divergences of those whose draws were kept, or none."""
    for scenario in shares.sort_values("value", ascending=False, kind="stable")["scenario"].astype(str).unique():
        draws = funnel_draws(evidence, scenario)
        if len(draws):
            break
    else:
        return []
    where = f" at {evidence.labels[scenario]}" if len(evidence.labels) > 1 else ""
    shared = ", the same data for every method" if len(set(draws["method"])) > 1 else ""
    theta, _, tau = letters()
    caption = (
        f"Kept draws of one replicate{shared}. The posterior narrows toward small {tau}. Where "
        "crosses gather at the entrance of the neck and no draws lie below, the sampler does not enter it, and the "
        f"posterior of {tau} is cut off there; a parameterization that suits the data fills the neck."
    )
    draw: dict[str, Any] = {
        "effect": f"effect of {evidence.group_names.get(0, 'the first group')}, {theta}₁",
        "spread": tau,
        "marks": evidence.marks,
    }
    title = f"The funnel{where}"
    return [picture("funnel", title, caption, lambda w: figures.funnel(draws, **draw, width=w), width=MIDDLE)]


def _table(evidence: Evidence) -> Table:
    frame = measure_frame(evidence, SHOWN)
    columns = measure_columns(frame, SHOWN)
    note = "value ± MCSE; the CSV has all as shares, not per 1,000 or in percent"
    return Table(title="Divergences by scenario and method", frame=frame, columns=columns, note=note)


def _chain_table(evidence: Evidence) -> list[Table]:
    if not evidence.is_dataset or evidence.chain_rates.empty:
        return []
    rates = evidence.chain_rates.groupby("method", sort=False)["rate"]
    frame = pd.DataFrame({f"q{100 * q:g}": rates.quantile(q) for q in CHAIN_QUANTILES})
    frame["chains"], frame["chains_without"] = rates.size(), rates.agg(lambda r: int((r == 0).sum()))
    frame = frame.reset_index()
    heads = {
        "method": "method",
        "q50": "median per 1,000 draws",
        "q5": "5 % of chains below",
        "q95": "95 % of chains below",
        "chains": "chains",
        "chains_without": "chains without",
    }
    columns = [Column(head=head, source=source) for source, head in heads.items()]
    return [Table(title="Divergences by chain", frame=frame, columns=columns)]
