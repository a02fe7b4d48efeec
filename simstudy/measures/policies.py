"""Which fits count: the status of a fit, the flags on it, and what to do about those that are missing.

Flags are derived here from the thresholds of the study and never delete anything. The default counts all finite fits:
a rule that drops every fit with a divergence empties the table for small groups and selects on tau.
"""

from collections.abc import Mapping
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

Policy = Literal["available", "unflagged", "paired", "worst_case"]
POLICIES: tuple[Policy, ...] = get_args(Policy)


def flag(fits: pd.DataFrame, diagnostics: Mapping[str, Any]) -> pd.DataFrame:
    """Return one bool column per flag and one row per fit: ``divergent``, ``max_rhat``, ``min_ess``, ``boundary``.

    The last is there where maximum likelihood made fits.

    Args:
        fits: the run's fits.
        diagnostics: ``max_rhat``, ``min_ess`` (bulk and tail) and ``max_divergence_rate`` (per draw). What a sampler
            does not report, or a threshold that is not set, flags nothing. An estimate at the edge of where a parameter
            can lie (tau = 0) needs no threshold.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        rate = _floats(fits["n_divergent"]) / _floats(fits["n_draws"])
    flags = pd.DataFrame(
        {
            "divergent": rate > _threshold(diagnostics, "max_divergence_rate"),
            "max_rhat": _floats(fits["max_rhat"]) > _threshold(diagnostics, "max_rhat"),
            "min_ess": least_ess(fits) < _threshold(diagnostics, "min_ess"),
        },
        index=fits.index,
    )
    return flags.assign(boundary=_floats(fits["n_boundary"]) > 0) if has_boundaries(fits) else flags


def has_boundaries(fits: pd.DataFrame) -> bool:
    """Whether fits say if an estimate is at the edge of where it can lie: those of maximum likelihood do."""
    return "n_boundary" in fits and bool(fits["n_boundary"].notna().any())


def least_ess(fits: pd.DataFrame) -> np.ndarray:
    """Return the (fit,) smallest ESS of the estimands, bulk or tail; NaN where a sampler reports none."""
    return np.fmin(_floats(fits["min_ess_bulk"]), _floats(fits["min_ess_tail"]))


def falls_short(flags: pd.DataFrame) -> np.ndarray:
    """Return the (fit,) bool of the fits that did not converge: R-hat or ESS are beyond their thresholds.

    Args:
        flags: as ``flag`` returns them. Divergences are no part of it: a chain may diverge and converge.
    """
    return (flags["max_rhat"] | flags["min_ess"]).to_numpy(bool)


def convergence_table(fits: pd.DataFrame, flags: pd.DataFrame) -> pd.DataFrame:
    """Return, for each method (the index), its usable ``fits`` and how many of them are ``short`` of convergence.

    Args:
        fits: of a run.
        flags: one bool column per flag, one row per fit.

    Returns:
        Besides, ``max_rhat`` and ``min_ess``: how many are short by either.
    """
    used = (fits["status"] == "ok").to_numpy()
    columns = {"fits": used, "short": used & falls_short(flags)}
    columns |= {name: used & flags[name].to_numpy() for name in ("max_rhat", "min_ess")}
    return pd.DataFrame(columns).groupby(fits["method"].astype(str).to_numpy(), sort=False).sum()


def count_fits(fits: pd.DataFrame, diagnostics: Mapping[str, Any], *, policy: Policy = "available") -> np.ndarray:
    """Return the (fit,) bool of the fits whose estimates are used.

    Args:
        fits: the run's fits, of every status.
        diagnostics: thresholds of the flags.
        policy: ``available``: all finite fits; ``unflagged``: those without a flag; ``paired``: replicates that are
            finite under all methods of their scenario; ``worst_case``: all finite fits, the others are then given
            the worst value of the scenario by the measures that have one.
    """
    ok = (fits["status"] == "ok").to_numpy()
    if policy == "unflagged":
        return ok & ~flag(fits, diagnostics).any(axis=1).to_numpy()
    if policy == "paired":
        return ok & _all_methods(fits, ok)
    return ok


def _all_methods(fits: pd.DataFrame, ok: np.ndarray) -> np.ndarray:
    scenario = pd.factorize(fits["scenario"])[0]
    replicate = pd.factorize(pd.MultiIndex.from_arrays([scenario, fits["replicate"]]))[0]
    n_ok = np.bincount(replicate, weights=ok)[replicate]
    pairs = np.unique(np.stack([scenario, pd.factorize(fits["method"])[0]]), axis=1)
    return n_ok == np.bincount(pairs[0])[scenario]


def _threshold(diagnostics: Mapping[str, Any], name: str) -> float:
    value = diagnostics.get(name)
    return np.nan if value is None else float(value)


def _floats(column: pd.Series) -> np.ndarray:
    return column.to_numpy(dtype=float, na_value=np.nan)
