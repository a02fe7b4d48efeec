"""Wall-clock times of two runs, as ratios to a method that both timed on the same machine.

A time says as much about the machine and its load as about the program, so only the ratio

    (run seconds per fit of a method) / (run seconds per fit of the reference method)

within one run is compared. Batches are what was timed; their spread gives the MCSE by the delta method. Batches of runs
with other scenarios or replicates are other work, so their times are not compared.
"""

from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import t

from simstudy.comparison.rules import Rules
from simstudy.errors import ComparisonError, suggestion
from simstudy.measures.rows.cells import NAMES
from simstudy.types import RunTables

MEASURE = "time_ratio"


def why_no_times(baseline: RunTables, candidate: RunTables, rules: Rules) -> str:
    """Return why times are not compared, or an empty text where they can be.

    Raises:
        ComparisonError: a run lacks the reference method that the rules name.
    """
    if MEASURE not in rules.measures:
        return ""
    if rules.time_reference is None:
        return (
            "Wall-clock times are left out: no reference was timed in these runs. Name a method that both ran as "
            "time_reference in the margins file"
        )
    for side, run in (("baseline", baseline), ("candidate", candidate)):
        known = run.methods["method"].astype(str).tolist()
        if rules.time_reference not in known:
            near = suggestion(rules.time_reference, known)
            raise ComparisonError(f"time_reference: the {side} has no method {rules.time_reference!r}{near}")
    if not (first := _machines(baseline)) or first != _machines(candidate) or len(first) > 1:
        return "Wall-clock times are left out: the runs were not made on one and the same kind of machine"
    if _work(baseline) != _work(candidate):
        return "Wall-clock times are left out: the runs have other scenarios or replicates, which is other work"
    return ""


def time_differences(baseline: RunTables, candidate: RunTables, rules: Rules) -> pd.DataFrame:
    """Return the differences of the time ratios, one row per method, with the columns of ``take_difference``."""
    methods = [name for name in baseline.methods["method"] if name in set(candidate.methods["method"])]
    rows = [_row(str(name), baseline, candidate, rules) for name in methods if str(name) != str(rules.time_reference)]
    return pd.DataFrame([row for row in rows if row])


def _row(method: str, baseline: RunTables, candidate: RunTables, rules: Rules) -> dict[str, Any] | None:
    values, mcses, counts = zip(
        *(_ratio(run.timings, method, str(rules.time_reference)) for run in (baseline, candidate)), strict=True
    )
    if not np.isfinite(values).all():
        return None
    difference, mcse, n = values[1] - values[0], float(np.hypot(*mcses)), min(counts)
    freedom = max(n - 1, 1)
    half = t.ppf(1 - rules.alpha / 2, freedom) * mcse if np.isfinite(mcse) else np.inf
    return {
        **dict.fromkeys(NAMES),
        "method": method,
        "measure": MEASURE,
        "level": np.nan,
        "baseline": values[0],
        "baseline_mcse": mcses[0],
        "n_baseline": counts[0],
        "candidate": values[1],
        "candidate_mcse": mcses[1],
        "n_candidate": counts[1],
        "difference": difference,
        "mcse": mcse,
        "lower": difference - half,
        "upper": difference + half,
        "p_value": float(2 * t.sf(abs(difference) / mcse, freedom)) if mcse > 0 else 1.0,
        "margin": rules.margins[MEASURE].size * (values[0] if rules.margins[MEASURE].unit == "relative" else 1.0),
        "evidence": "unpaired",
        "n_replicates": n,
        "reach": 0.0,
        "loss": difference,
        "loss_reach": half,
    }


def _ratio(timings: pd.DataFrame, method: str, reference: str) -> tuple[float, float, int]:
    """Return the ratio of seconds per fit, its MCSE and the smaller number of batches; NaN where there is no time."""
    parts = [_per_fit(timings[timings["method"] == name]) for name in (method, reference)]
    (value, error, n), (base, base_error, n_base) = parts
    if not value > 0 or not base > 0:
        return np.nan, np.nan, 0
    ratio = value / base
    return ratio, ratio * float(np.hypot(error / value, base_error / base)), min(n, n_base)


def _per_fit(batches: pd.DataFrame) -> tuple[float, float, int]:
    """Return seconds per fit, its standard error over batches (Cochran 1977, eq. 6.13) and their number."""
    seconds, fits = (batches[name].to_numpy(float) for name in ("run_seconds", "n_fits"))
    n = len(seconds)
    if not n or not fits.sum() > 0:
        return np.nan, np.nan, n
    value = seconds.sum() / fits.sum()
    gap = (seconds - value * fits) / fits.mean()
    return value, float(np.sqrt((gap**2).sum() / (n * (n - 1)))) if n > 1 else np.nan, n


def _machines(run: RunTables) -> set[str]:
    sessions = run.provenance.get("sessions") or []
    known = [run.provenance.get("machine"), *(session.get("machine") for session in sessions)]
    return {str(machine) for machine in known if machine}


def _work(run: RunTables) -> tuple[frozenset[str], int]:
    return frozenset(run.scenarios["scenario"].astype(str)), len(run.fits)
