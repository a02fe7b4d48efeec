"""What was lost, in sentences: fits that failed or are not finite, of which methods and why, and flagged fits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from simstudy.report.reading.wording import counted, enumerate_words, share
from simstudy.report.words.sentences import quote

LOST = {"failed": "failed", "non_finite": "gave numbers that are not finite"}
TOLD = 0.1
"""Share of a method's fits from which its losses are told before anything else."""

MOST_NAMED = 3


def lost_methods_sentence(fits: pd.DataFrame) -> str:
    """Return which methods lost fits, the worst first, and why most of them; empty where each lost few.

    Args:
        fits: of a run.
    """
    table = fits.assign(method=fits["method"].astype(str), lost=(fits["status"].astype(str) != "ok").to_numpy())
    shares = table.groupby("method", sort=False)["lost"].mean().sort_values(ascending=False, kind="stable")
    told = [_of_method(table[table["method"] == name]) for name in shares.index[shares > TOLD]]
    return f"{'; '.join(told)}." if told else ""


def _of_method(fits: pd.DataFrame) -> str:
    """Return in how many of its fits a method failed, and why."""
    lost = fits[fits["lost"]]
    verbs = [words for status, words in LOST.items() if (lost["status"].astype(str) == status).any()]
    where = "every fit" if len(lost) == len(fits) else f"{share(len(lost), len(fits))} fits"
    reasons = lost["reason"].dropna().astype(str).value_counts()
    why = ""
    if len(reasons):
        first, n = reasons.index[0], int(reasons.iloc[0])
        why = f": {first}" if n == len(lost) else f", {n:,} of them for: {first}"
    return f"{quote(fits['method'].iloc[0])} {' or '.join(verbs)} in {where}{why}"


def failure_sentence(fits: pd.DataFrame, flags: pd.DataFrame, limits: Mapping[str, Any]) -> str:
    """Return how many fits failed, gave numbers that are not finite, or are flagged, and what for.

    Args:
        fits: of a run.
        flags: one bool column per flag, one row per fit; those of lost fits do not count.
        limits: the study's thresholds of the flags.
    """
    n = len(fits)
    counts = fits["status"].astype(str).value_counts()
    lost = [f"{counts[status]:,} {words}{_whose(fits, status)}" for status, words in LOST.items() if status in counts]
    first = f"Of {counted(n, 'fit')} {enumerate_words(lost)}" if lost else f"All {counted(n, 'fit')} are finite"
    flagged = flags[flags.any(axis=1).to_numpy() & (fits["status"] == "ok").to_numpy()]
    if flagged.empty:
        return f"{first}; none carries a flag."
    carry = "carries" if len(flagged) == 1 else "carry"
    return f"{first}; {len(flagged):,} {carry} a flag{_reasons(flagged, limits)}."


def _whose(fits: pd.DataFrame, status: str) -> str:
    """Return the methods that have all fits of a status, where a few of several have."""
    methods = fits["method"].astype(str)
    names = list(dict.fromkeys(methods[(fits["status"] == status).to_numpy()]))
    if len(names) > MOST_NAMED or len(names) == len(set(methods)):
        return ""
    return f" (of {enumerate_words([quote(name) for name in names])})"


def _reasons(flagged: pd.DataFrame, limits: Mapping[str, Any]) -> str:
    """Return what the flags of flagged fits are for, the most frequent first, and of how many fits each."""
    counts = flagged.sum().sort_values(ascending=False, kind="stable")
    counts = counts[counts > 0]
    rate = float(limits.get("max_divergence_rate") or 0)
    words = {
        "divergent": f"more than {100 * rate:g} % of draws divergent" if rate else "divergent draws",
        "max_rhat": f"an R-hat above {limits.get('max_rhat')}",
        "min_ess": f"effective draws below {limits.get('min_ess')}",
        "boundary": "a parameter at the edge of where it can lie",
    }
    if len(flagged) == 1:
        return f", for {enumerate_words([words[str(name)] for name in counts.index])}"
    if len(counts) == 1:
        return f", all for {words[str(counts.index[0])]}"
    return f": {enumerate_words([f'{n:,} for {words[str(name)]}' for name, n in counts.items()])}"
