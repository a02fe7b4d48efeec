"""Where the sampler is in trouble: divergences over the design, or over chains for one data set."""

from __future__ import annotations

from typing import Any

import pandas as pd

from simstudy.report import figures
from simstudy.report.evidence import Evidence
from simstudy.report.figures.canvas import MIDDLE
from simstudy.report.figures.divergences import diverging
from simstudy.report.funnel import read_funnel
from simstudy.report.reading.chain_rates import chain_rates
from simstudy.report.reading.readings import average
from simstudy.report.reading.wording import enumerate_words, share
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
    known = set(shares["method"])
    clean = [quote(name) for name in evidence.marks if name in known - set(diverging(shares))]
    silent = [quote(name) for name in evidence.marks if name not in known]
    told = [f"Not one draw of {enumerate_words(clean)} diverged."] if clean else []
    if silent:
        has = "has a sampler that reports" if len(silent) == 1 else "have samplers that report"
        told.append(f"{enumerate_words(silent)} {has} no divergences: their number is not known, not 0.")
    return told


def _pictures(evidence: Evidence, shares: pd.DataFrame) -> list[Picture]:
    names = diverging(shares)
    if not names:
        return []
    if len(evidence.labels) > 1:
        caption = (
            "Color: the share of fits with at least one divergent draw; written below it in small designs: divergent "
            "draws per 1,000."
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
    rates = chain_rates(evidence.run)
    rates = rates[rates["method"].isin(names)]
    free = rates.groupby("method", sort=False)["rate"].agg(lambda each: int((each == 0).sum()))
    told = [f"{quote(str(name))} in {share(n, int((rates['method'] == name).sum()))}" for name, n in free.items()]
    caption = (
        "How many of 1,000 draws diverge, chain by chain; dashed: the median. Chains without a divergence: "
        f"{enumerate_words(told)}."
    )
    return [
        picture(
            "chain-divergences",
            "Divergences by chain",
            caption,
            lambda w: figures.chain_divergences(rates, marks=evidence.marks, width=w),
        )
    ]


def _funnel(evidence: Evidence, shares: pd.DataFrame) -> list[Picture]:
    """Return the funnel in the scenario with the most divergences of those whose draws were kept, or none."""
    scenarios = shares.sort_values("value", ascending=False, kind="stable")["scenario"].astype(str).unique()
    found = next(((s, drawn) for s in scenarios if (drawn := read_funnel(evidence, s)) is not None), None)
    if found is None:
        return []
    scenario, drawn = found
    where = f" at {evidence.labels[scenario]}" if len(evidence.labels) > 1 else ""
    shared = ", the same data for every method" if len(set(drawn.draws["method"])) > 1 else ""
    caption = f"Kept draws of one replicate{shared}. {drawn.told}".strip()
    draw: dict[str, Any] = {"effect": drawn.effect, "spread": drawn.spread, "marks": evidence.marks}
    title = f"Draws that diverge{where}"
    return [picture("funnel", title, caption, lambda w: figures.funnel(drawn.draws, **draw, width=w), width=MIDDLE)]


def _table(evidence: Evidence) -> Table:
    frame = measure_frame(evidence, SHOWN)
    columns = measure_columns(frame, SHOWN)
    note = "value ± MCSE; the CSV has all as shares, not per 1,000 or in percent"
    return Table(title="Divergences by scenario and method", frame=frame, columns=columns, note=note)


def _chain_table(evidence: Evidence) -> list[Table]:
    if not evidence.is_dataset or chain_rates(evidence.run).empty:
        return []
    rates = chain_rates(evidence.run).groupby("method", sort=False)["rate"]
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
