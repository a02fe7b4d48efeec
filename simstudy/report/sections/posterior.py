"""The posteriors of a real data set: as NumPyro's print_summary shows them, over many seeds of the sampler."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from simstudy.report import figures
from simstudy.report.evidence import Evidence
from simstudy.report.figures.canvas import MIDDLE
from simstudy.report.reading.vocabulary import declared, effects
from simstudy.report.reading.wording import symbol
from simstudy.report.sections.section import Picture, Section, picture
from simstudy.report.tables import Column, Table
from simstudy.report.words import pooling
from simstudy.report.words.parameters import parameter_sentences
from simstudy.report.words.sentences import span_sentences
from simstudy.store.declared import VARIANCE
from simstudy.store.group_names import called
from simstudy.store.schema import interval_columns
from simstudy.store.traits import exact_samplers

HDI = ("hdi90_lower", "hdi90_upper")
OPEN_ROWS, SUMMARY_DECIMALS = 30, 2
CENTRAL_LEVEL = 0.9
CENTRAL = interval_columns(CENTRAL_LEVEL)
OF_GROUPS = ("effects", "mean")
DIAGNOSTICS = ("n_eff", "r_hat")
KEYS = ["method", "estimand", "group"]
HIDDEN = ("fit", "indicator", "weight", "prediction")
"""Roles of estimands that the picture leaves out, as it does the variance beside the sd of effects."""


def posterior_section(evidence: Evidence) -> Section | None:
    """Return the section for a run on real data, None for a simulated one, and where no fit has estimates."""
    if not evidence.is_dataset or not evidence.estimands:
        return None
    table = all_posteriors(evidence)
    heads = {"std": "std", "median": "median", "lower": "5.0%", "upper": "95.0%", "n_eff": "n_eff", "r_hat": "r_hat"}
    mean = Column(head="mean", source="mean", mcse="mean_mcse", sd="std", decimals=SUMMARY_DECIMALS)
    columns = [Column(head="estimand", source="shown"), mean]
    columns += [
        Column(head=h, source=s, decimals=SUMMARY_DECIMALS, sd=None if s in DIAGNOSTICS else "std")
        for s, h in heads.items()
        if s in table
    ]
    note = f"{interval_words(known_ends(evidence))}; means over seeds, the mean ± the MCSE of the sampler"
    replicates = evidence.run.fits["replicate"].nunique()
    lead = (
        f"The data are fixed: the {replicates} replicates differ in the sampler’s seed only, and every standard error "
        "here is the sampler’s, not that of new data. Coverage, empirical SE and rejection need new data and are not "
        "shown."
    )
    return Section(
        name="posterior",
        title="Posteriors",
        paragraphs=[lead],
        tables=[
            Table(title=f"Posterior summary: {name}", frame=rows, columns=columns, note=note, open_up_to=OPEN_ROWS)
            for name, rows in table.groupby("method", sort=False)
        ],
    )


def data_sentences(evidence: Evidence) -> list[str]:
    """Return what the posteriors of real data say, in a sentence or two; nothing of simulated data."""
    roles = evidence.roles
    if not evidence.is_dataset or not evidence.estimands:
        return []
    if evidence.has_terms:
        return parameter_sentences(all_posteriors(evidence), method=roles.partial or next(iter(evidence.marks)))
    if not (roles.separate and roles.partial):
        return []
    table = all_posteriors(evidence)
    about: dict[str, Any] = {"exact": exact_samplers(evidence.run), "doubtful": evidence.short}
    return span_sentences(table, method=roles.partial, rival=roles.separate, groups=evidence.group_names, **about)


def all_posteriors(evidence: Evidence) -> pd.DataFrame:
    """Return ``posterior_table`` of all estimands, read one after the other."""
    ends = known_ends(evidence)
    columns = ["method", "group", "mean", "sd", "median", "ess_bulk", "rhat", *(ends or ())]
    tables = [
        posterior_table(evidence.estimates_of(name, columns), ends=ends, groups=evidence.names_of(name))
        for name in evidence.estimands
    ]
    return pd.concat(tables, ignore_index=True)


def known_ends(evidence: Evidence) -> tuple[str, str] | None:
    """Return the columns of the 90 % interval of a run: highest density where known, else central, else None."""
    stored = [ends for ends in (HDI, CENTRAL) if ends == HDI or CENTRAL_LEVEL in evidence.study["summary"]["levels"]]
    pieces = evidence.run.parts("estimates", [name for ends in stored for name in ends])
    found = {ends for piece in pieces if (ends := interval_ends(piece))}
    return next((ends for ends in stored if ends in found), None)


def posterior_table(
    estimates: pd.DataFrame, *, ends: tuple[str, str] | None = None, groups: Mapping[int, str] | None = None
) -> pd.DataFrame:
    """Return one row per method, estimand and group: posterior summaries averaged over the sampler's seeds.

    Args:
        estimates: of one data set; with ``hdi90_lower`` and ``hdi90_upper`` where highest-density intervals are known.
        ends: the columns of the 90 % interval; looked for where left out.
        groups: group -> what it is called; its number where it has no name.

    Returns:
        ``method``, ``estimand``, ``group``, ``name`` (as ``theta[0]``), ``shown`` (as ``theta[Lincoln High]``),
        ``mean``, ``mean_mcse`` (of the average over seeds), ``std``, ``median``, ``lower``, ``upper``, ``n_eff``,
        ``r_hat``, ``n_used``.
    """
    ends = ends or interval_ends(estimates)
    names = {"mean": "mean", "sd": "std", "median": "median", "ess_bulk": "n_eff", "rhat": "r_hat"}
    names |= dict(zip(ends, ("lower", "upper"), strict=True)) if ends else {}
    rows = estimates[estimates["mean"].notna()].astype({"method": str, "estimand": str})
    by_key = rows.groupby(KEYS, sort=False, dropna=False, observed=True)
    table = by_key[list(names)].mean().rename(columns=names)
    n = by_key["mean"].count()
    table.insert(1, "mean_mcse", by_key["mean"].std() / np.sqrt(n))
    table = table.assign(n_used=n).reset_index()
    keys = list(zip(table["estimand"], table["group"], strict=True))
    table.insert(3, "name", [_name(e, g, {}) for e, g in keys])
    table.insert(4, "shown", [_name(e, g, groups or {}) for e, g in keys])
    return table


def interval_ends(estimates: pd.DataFrame) -> tuple[str, str] | None:
    """Return the columns of the 90 % interval: highest density where known, else central, else None."""
    for ends in (HDI, CENTRAL):
        if set(ends) <= set(estimates.columns) and estimates[ends[0]].notna().any():
            return ends
    return None


def interval_words(ends: tuple[str, str] | None) -> str:
    """Return what the columns 5.0% and 95.0% are, by the columns of the estimates that they come from."""
    if ends is None:
        return "no 90 % intervals were stored"
    return f"5.0% and 95.0%: {'highest-density' if ends == HDI else 'central'} 90 % interval"


def forest(evidence: Evidence) -> dict[str, Any] | None:
    """Return what the picture of all posteriors is drawn from, by the names of its arguments, or None."""
    if not evidence.estimands:
        return None
    table = all_posteriors(evidence)
    if "lower" not in table:
        return None
    table = table[~table["estimand"].isin(_hidden(table))]
    in_order = declared().in_order(table["estimand"])
    table = table.sort_values("estimand", key=lambda names: names.map(in_order.index), kind="stable")
    keys = zip(table["name"], table["estimand"], table["group"], strict=True)
    names_of = {name: evidence.names_of(name) for name in in_order}
    labels = {name: _label(e, g, names_of[e]) for name, e, g in keys}
    return {"table": table, "data": _data(evidence), "labels": labels, "marks": evidence.marks}


def forest_picture(evidence: Evidence) -> Picture | None:
    """Return the picture of all posteriors."""
    if (drawn := forest(evidence)) is None:
        return None
    words = interval_words(known_ends(evidence)).partition(": ")[2]
    told = pooling.of_data(drawn["table"], drawn["data"], evidence.roles, level=CENTRAL_LEVEL)
    caption = f"Means and {words}s under every method. Upright strokes are the data{f': {told}' if told else ''}."
    return picture(
        "posteriors",
        "Posterior of every group under every method",
        caption,
        lambda w: figures.posterior(**drawn, width=w),
        width=MIDDLE,
    )


def _hidden(table: pd.DataFrame) -> list[str]:
    names = list(table["estimand"].unique())
    of_effects, means = (declared().with_role(names, role) for role in OF_GROUPS)
    return [
        *declared().with_role(names, *HIDDEN),
        *(f"{n}{VARIANCE}" for n in of_effects),
        *(of_effects if means else ()),
    ]


def _name(estimand: str, group: Any, groups: Mapping[int, str]) -> str:
    return estimand if pd.isna(group) else f"{estimand}[{groups.get(int(group), int(group))}]"


def _label(estimand: str, group: Any, groups: Mapping[int, str]) -> str:
    if pd.isna(group):
        return symbol(estimand)
    if declared()[estimand].factor is not None:
        return f"{symbol(estimand)}, {groups.get(int(group), int(group) + 1)}"
    place = called(groups, int(group))
    return place if declared()[estimand].role in OF_GROUPS else f"{symbol(estimand)}, {place}"


def _data(evidence: Evidence) -> pd.Series:
    # The data are the same in every replicate, so that any piece has them.
    groups = next(iter(evidence.run.parts("groups", ["group", "n_trials", "y_mean"]))).drop_duplicates("group")
    means = evidence.with_role("mean") if groups["n_trials"].notna().any() else []
    estimand = means[0] if means else effects().name
    return pd.Series(groups["y_mean"].to_numpy(float), index=[f"{estimand}[{g}]" for g in groups["group"]])
