"""What was lost, in a sentence: fits that failed or are not finite, flagged fits, and what most flags are for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from simstudy.report.reading.wording import counted, enumerate_words

LOST = {"failed": "failed", "non_finite": "gave numbers that are not finite"}


def failure_sentence(fits: pd.DataFrame, flags: pd.DataFrame, limits: Mapping[str, Any]) -> str:
    """Return how many fits failed, gave numbers that are not finite, or are flagged, and what for.

    Args:
        fits: of a run.
        flags: one bool column per flag, one row per fit; those of lost fits do not count.
        limits: the study's thresholds of the flags.
    """
    n = len(fits)
    counts = fits["status"].astype(str).value_counts()
    lost = [f"{counts[status]:,} {words}" for status, words in LOST.items() if status in counts]
    first = f"Of {counted(n, 'fit')} {enumerate_words(lost)}" if lost else f"All {counted(n, 'fit')} are finite"
    flagged = flags[flags.any(axis=1).to_numpy() & (fits["status"] == "ok").to_numpy()]
    if flagged.empty:
        return f"{first}; none carries a flag."
    carry = "carries" if len(flagged) == 1 else "carry"
    return f"{first}; {len(flagged):,} {carry} a flag{_reasons(flagged, limits)}."


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
