"""How a fit that was run again agrees with the stored one: bit for bit, within Monte Carlo error, or not.

On the same versions and kind of processor all bits are the same. Elsewhere rounding differs, chains part from each
other and become independent draws from the same posterior: means and standard deviations then differ by their Monte
Carlo errors. How many of these are allowed follows from the number of comparisons, so that honest runs of any size
pass. Where chains did not mix their errors are not known, and nothing is concluded from a difference.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

import numpy as np
import pandas as pd
from scipy.stats import norm

EQUAL, WITHIN, UNKNOWN, DIFFERENT = "equal", "within error", "error unknown", "different"
FALSE_ALARM = 1e-3
"""Chance that a set of honest fits has one that is called different."""
MCSE_ERROR = 1.25
"""By how much an MCSE, itself estimated, may be too small."""
ROUNDING = 1e-6
"""Differences of this many posterior sds are rounding; it is all that quantities without an MCSE may have."""
MIXED_RHAT, MIXED_ESS = 1.05, 100
"""R-hat above and ESS (bulk) below which an MCSE is not believed, in either of the two fits."""
KEYS = ["estimand", "group"]
OF_FIT = ["scenario", "replicate", "method"]
COLUMNS = [*OF_FIT, "status", "verdict", "largest_sds", "largest_mcses", "where", "why"]


class Again(Protocol):
    """A fit that was run again, as ``fitting.refitting.Refit``."""

    fit: pd.Series
    estimates: pd.DataFrame
    stored: pd.DataFrame
    differences: tuple[str, ...]


def agreement(again: Iterable[tuple[Again, str]]) -> pd.DataFrame:
    """Return how each of some fits agrees with the stored one, a row each.

    Args:
        again: each fit with its stored status.

    Returns:
        Scenario, replicate, method, status now, ``verdict`` (``equal``: bit for bit; ``within error``; ``error
        unknown``: beyond it where the chains did not mix; ``different``), the largest difference of a mean in
        posterior sds (``largest_sds``) and the estimand that has it (``where``), the largest of a mean or standard
        deviation whose error is known in MCSEs (``largest_mcses``), and why the fit is different.
    """
    read = [_read(*each) for each in again]
    limit = allowed(sum(row["n"] for row in read))
    for row in read:
        if row["verdict"] is None:
            is_within = max(row["largest_mcses"], row["unknown_mcses"]) <= limit
            verdict = WITHIN if is_within else UNKNOWN if row["largest_mcses"] <= limit else DIFFERENT
            row["verdict"] = verdict
            row["why"] = f"more than {limit:.1f} MCSE apart" if verdict == DIFFERENT else ""
    return pd.DataFrame(read, columns=COLUMNS)


def allowed(n_compared: int) -> float:
    """Return how many Monte Carlo standard errors a difference may have, among so many.

    >>> round(allowed(1), 2), round(allowed(10_000), 2)
    (4.11, 6.66)
    """
    return float(MCSE_ERROR * norm.isf(FALSE_ALARM / 2 / max(1, n_compared)))


def _read(again: Again, status: str) -> dict[str, Any]:
    now = str(again.fit["status"])
    row: dict[str, Any] = {name: again.fit[name] for name in OF_FIT}
    row |= {"status": now, "verdict": None, "largest_sds": 0.0, "largest_mcses": 0.0, "where": "", "why": "", "n": 0}
    row["unknown_mcses"] = 0.0
    if not again.differences:
        return row | {"verdict": EQUAL}
    if now != status:
        return row | {"verdict": DIFFERENT, "why": f"stored {status}, now {now}"}
    before, after = (table.astype({"estimand": str, "group": "Int64"}) for table in (again.stored, again.estimates))
    pairs = before.merge(after, on=KEYS, how="outer", suffixes=("", "_now"), indicator=True)
    if (pairs["_merge"] != "both").any():
        return row | {"verdict": DIFFERENT, "why": "other estimands"}
    if (why := _other_data(pairs)) or pairs.empty:
        return row | ({"verdict": DIFFERENT, "why": why} if why else {"verdict": WITHIN})
    sds, mcses = _distances(pairs)
    mixed = _mixed(pairs)
    worst = int(np.argmax(sds))
    group = pairs["group"].iloc[worst]
    where = f"{pairs['estimand'].iloc[worst]}{'' if pd.isna(group) else f'[{group}]'}"
    return row | {
        "largest_sds": float(sds.max()),
        "largest_mcses": float(mcses[mixed].max(initial=0.0)),
        "unknown_mcses": float(mcses[~mixed].max(initial=0.0)),
        "where": where,
        "n": 2 * len(pairs),
    }


def _mixed(pairs: pd.DataFrame) -> np.ndarray:
    """Return the (row,) bool of the estimates whose Monte Carlo errors are known, in both fits."""
    rhat, ess = (pairs[[name, f"{name}_now"]].to_numpy(float) for name in ("rhat", "ess_bulk"))
    return ~np.asarray(((rhat > MIXED_RHAT) | (ess < MIXED_ESS)).any(axis=1))


def _other_data(pairs: pd.DataFrame) -> str:
    truth, now = (pairs[name].to_numpy(float) for name in ("truth", "truth_now"))
    both = np.isfinite(truth) & np.isfinite(now)
    apart = np.abs(truth - now)[both] > ROUNDING * np.maximum(1.0, np.abs(truth[both]))
    same = np.array_equal(np.isfinite(truth), np.isfinite(now)) and not apart.any()
    return "" if same else "another truth: other data were simulated"


def _distances(pairs: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return the (row,) differences of the means in posterior sds, and of mean or sd, the larger one, in MCSEs."""
    sd = np.maximum(pairs["sd"].to_numpy(float), pairs["sd_now"].to_numpy(float))
    in_sds, in_mcses = np.zeros(len(pairs)), np.zeros(len(pairs))
    for what in ("mean", "sd"):
        before, now = (pairs[name].to_numpy(float) for name in (what, f"{what}_now"))
        errors = [np.nan_to_num(pairs[name].to_numpy(float)) for name in (f"mcse_{what}", f"mcse_{what}_now")]
        difference = np.where((before == now) | (np.isnan(before) & np.isnan(now)), 0.0, np.abs(before - now))
        difference = np.where(np.isnan(difference), np.inf, difference)
        with np.errstate(divide="ignore", invalid="ignore"):
            sds = np.where(difference > 0, difference / sd, 0.0)
            mcses = np.where(sds > ROUNDING, difference / np.hypot(*errors), 0.0)
        in_mcses = np.maximum(in_mcses, mcses)
        in_sds = sds if what == "mean" else in_sds
    return in_sds, in_mcses
