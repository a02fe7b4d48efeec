"""Fits that were lost or are doubtful, by class, method and scenario, and how they were handled.

Pawel et al. 2024 (Handling missingness, failures, and non-convergence in simulation studies, arXiv:2409.18527) ask for
what was missing, how often under each condition and method, of what kind, and what was done about it.
"""

from __future__ import annotations

import re

import pandas as pd

from simstudy.measures.policies import flag
from simstudy.store.csv_text import to_csv
from simstudy.types import RunTables

NOT_RUN, ERROR, NO_REASON = "not run", "error", "no reason given"
CLASSES = {
    "out of memory": re.compile(r"out of memory", re.IGNORECASE),
    "worker or time lost": re.compile(r"worker died|time ?out|time limit|cancelled|rows that cannot be stored", re.I),
    "chain that never moved": re.compile(r"never moved"),
    "improper posterior": re.compile(r"posterior is improper"),
    "quadrature not trusted": re.compile(r"quadrature"),
    "not finite": re.compile(r"not finite|non-finite|nan\b", re.IGNORECASE),
}
FLAGS = {
    "divergent draws": "divergent",
    "R-hat too high": "max_rhat",
    "effective draws too few": "min_ess",
    "parameter at the edge of where it can lie": "boundary",
}
LEFT_OUT = "left out of the measures of its method and scenario; no other fit is left out with it"
WORST_RANK = "counted with the rank that speaks most against calibration"
COUNTED = "counted like any other; measures without it stand under policy unflagged"
COUNTED_RANK = "counted like any other"
ABSENT = "not there; measures are over the replicates that are"
COLUMNS = ["scenario", "label", "method", "kind", "class", "fits", "planned", "share", "handling"]


def losses(run: RunTables) -> pd.DataFrame:
    """Return the classes of lost and flagged fits of each scenario and method, those that have any.

    Returns:
        ``scenario``, ``label``, ``method``, ``kind`` (``missing``, ``failed`` or ``flagged``; a usable fit may have
        several flags), ``class``, ``fits``, ``planned``, ``share`` (of those planned) and ``handling``.
    """
    fits = run.fits.assign(scenario=run.fits["scenario"].astype(str), method=run.fits["method"].astype(str))
    planned = int(run.study["study"]["replicates"])
    is_ranked = run.study["study"].get("kind") == "calibration"
    is_ok = (fits["status"] == "ok").to_numpy()
    lost = fits[~is_ok]
    classes = [class_of(str(s), r) for s, r in zip(lost["status"], lost["reason"], strict=True)]
    failed = lost.assign(kind="failed", **{"class": classes}, handling=WORST_RANK if is_ranked else LEFT_OUT)
    flags = flag(fits[is_ok], run.study.get("diagnostics", {}))
    counted = COUNTED_RANK if is_ranked else COUNTED
    flagged = [
        fits[is_ok][flags[name].to_numpy()].assign(kind="flagged", **{"class": words}, handling=counted)
        for words, name in FLAGS.items()
        if name in flags
    ]
    keys = ["scenario", "method", "kind", "class", "handling"]
    found = pd.concat([failed[keys], *(rows[keys] for rows in flagged)]).value_counts(sort=False).rename("fits")
    table = pd.concat([found.reset_index(), _not_run(run, fits, planned)], ignore_index=True)
    table = table.assign(planned=planned, share=table["fits"] / planned)
    scenarios = run.scenarios["scenario"].astype(str).tolist()
    labels = dict(zip(scenarios, run.scenarios["label"].astype(str), strict=True))
    orders = {"scenario": scenarios, "method": run.methods["method"].astype(str).tolist()}
    orders["kind"] = ["missing", "failed", "flagged"]
    table = table.assign(label=table["scenario"].map(labels))
    return table.sort_values(
        [*orders, "class"],
        key=lambda column: column.map(orders[column.name].index) if column.name in orders else column,
    )[COLUMNS].reset_index(drop=True)


def class_of(status: str, reason: object) -> str:
    """Return the class of a lost fit.

    >>> class_of("failed", "4 of 4 chains never moved: all draws are where the chain began")
    'chain that never moved'
    >>> class_of("failed", "KeyError: 'y'"), class_of("non_finite", None)
    ('error', 'not finite')
    """
    text = reason if isinstance(reason, str) else ""
    named = next((name for name, pattern in CLASSES.items() if pattern.search(text)), None)
    return named or ("not finite" if status == "non_finite" else ERROR if text else NO_REASON)


def _not_run(run: RunTables, fits: pd.DataFrame, planned: int) -> pd.DataFrame:
    every = pd.MultiIndex.from_product(
        [run.scenarios["scenario"].astype(str), run.methods["method"].astype(str)], names=["scenario", "method"]
    )
    missing = planned - fits.groupby(["scenario", "method"]).size().reindex(every, fill_value=0)
    rows = missing[missing > 0].rename("fits").reset_index()
    return rows.assign(kind="missing", **{"class": NOT_RUN}, handling=ABSENT)


def losses_csv(run: RunTables) -> str:
    """Return the table as CSV."""
    return to_csv(losses(run))


def losses_text(run: RunTables) -> str:
    """Return the totals by method and class as Markdown, with what was done about them."""
    from simstudy.report.publishing.formats import as_markdown

    table = losses(run)
    n, planned = len(run.fits), int(run.study["study"]["replicates"]) * len(run.scenarios) * len(run.methods)
    n_lost = int((run.fits["status"] != "ok").sum())
    lead = f"{planned:,} fits were planned, {n:,} are stored, {n_lost:,} of them cannot be used."
    source = (
        "Classes, their number by method, and what was done about them, as Pawel et al. (2024, arXiv:2409.18527) ask; "
        "failures.csv has them by scenario."
    )
    if table.empty:
        return f"# Failures\n\n{lead} No fit is missing, failed or flagged.\n"
    totals = table.groupby(["method", "kind", "class", "handling"], sort=False)[["fits"]].sum().reset_index()
    per_method = planned // len(run.methods)
    totals.insert(4, "share", [f"{100 * fits / per_method:.1f} %" for fits in totals["fits"]])
    reasons = run.fits.loc[run.fits["status"] != "ok", "reason"].fillna(NO_REASON).astype(str).value_counts()
    told = reasons.rename_axis("reason").rename("fits").reset_index()
    tail = f"\n## Reasons of lost fits\n\n{as_markdown(told)}" if len(told) else ""
    return f"# Failures\n\n{lead} {source}\n\n{as_markdown(totals)}{tail}"
