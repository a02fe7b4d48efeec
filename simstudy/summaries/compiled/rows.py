"""Rows of draws, one after another, compiled; the same columns as ``simstudy.summaries.rows`` has in NumPy."""

import numpy as np

from simstudy.store.schema import HDI_COLUMNS, mcse_column
from simstudy.summaries.compiled.asked import Asked, asked_of
from simstudy.summaries.compiled.chains import total
from simstudy.summaries.compiled.native import native, reordered
from simstudy.summaries.compiled.places import (
    BELOW,
    DISTANCE,
    ESS_BULK,
    ESS_TAIL,
    FINITE,
    HALF_SPREAD,
    LOWER,
    MCSE_MEAN,
    MCSE_SD,
    MEAN,
    N_FIXED,
    PIT,
    RHAT,
    SD,
    TIED,
    UPPER,
)
from simstudy.summaries.compiled.row import describe_row
from simstudy.summaries.compiled.scratch import scratch_of
from simstudy.summaries.compiled.zeros_and_ones import describe_zeros_and_ones
from simstudy.summaries.rows import MISSING, N_PROBES, Columns, log_score, median_and

NAMES = {
    "mean": MEAN,
    "sd": SD,
    HDI_COLUMNS[0]: LOWER,
    HDI_COLUMNS[1]: UPPER,
    "rhat": RHAT,
    "ess_bulk": ESS_BULK,
    "ess_tail": ESS_TAIL,
    "mcse_mean": MCSE_MEAN,
    "mcse_sd": MCSE_SD,
    "pit": PIT,
}


def row_columns(
    rows: np.ndarray, truth: np.ndarray, probabilities: tuple[float, ...], *, is_indicator: np.ndarray
) -> Columns:
    """Return what (row, chain, draw) says by itself; ``n_below`` and ``n_tied`` count thinned draws below the truth."""
    n_rows, n_chains, n_draws = rows.shape
    asked = asked_of(n_chains, n_draws, probabilities)
    out = np.full((n_rows, N_FIXED + 2 * asked.n_kept), np.nan)
    describe(rows.reshape(n_rows, -1), truth, is_indicator, asked, out)
    columns = {name: out[:, place] for name, place in NAMES.items()}
    for i, name in enumerate(median_and(probabilities)):
        columns[name] = out[:, N_FIXED + i]
        columns[mcse_column(name)] = out[:, N_FIXED + asked.n_kept + i]
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        columns["crps"] = out[:, DISTANCE] - out[:, HALF_SPREAD]
        columns["log_score"] = log_score(truth, columns["mean"], columns["sd"])
    counts = {"n_below": out[:, BELOW].astype(np.int64), "n_tied": out[:, TIED].astype(np.int64)}
    return columns | {"truth": truth, "is_finite": out[:, FINITE] == 1} | counts


@native
def describe(rows: np.ndarray, truth: np.ndarray, is_indicator: np.ndarray, asked: Asked, out: np.ndarray) -> None:
    """Write the statistics of rows of draws, in ``places``, into the rows of ``out``."""
    scratch = scratch_of(asked)
    n = rows.shape[1]
    for r in range(len(rows)):
        x = rows[r]
        mean = total(x) / n
        out[r, BELOW] = out[r, TIED] = MISSING
        out[r, FINITE] = np.isfinite(mean)
        if not np.isfinite(mean):
            continue
        like = _like(rows, is_indicator, r)
        if like < r:
            for i in range(out.shape[1]):
                if i < PIT or i >= N_FIXED:
                    out[r, i] = out[like, i]
        elif is_indicator[r]:
            describe_zeros_and_ones(x, asked, scratch, out[r])
        else:
            describe_row(x, mean, asked, scratch, out[r])
        if not np.isnan(truth[r]):
            _compare(x, truth[r], asked.thinned, out[r])


@native
def _like(rows: np.ndarray, is_indicator: np.ndarray, r: int) -> int:
    """Return the first row that equals a row: groups share an estimand where nothing tells them apart."""
    x = rows[r]
    step = max(1, x.size // N_PROBES)
    for other in range(r):
        y = rows[other]
        if y[0] != x[0] or is_indicator[other] != is_indicator[r]:
            continue
        i = 0
        while i < x.size and x[i] == y[i]:
            i += step
        if i >= x.size and _is_equal(x, y):
            return other
    return r


@native
def _is_equal(x: np.ndarray, y: np.ndarray) -> bool:
    i = 0
    while i < x.size and x[i] == y[i]:
        i += 1
    return i == x.size


@reordered
def _compare(x: np.ndarray, truth: float, thinned: np.ndarray, out: np.ndarray) -> None:
    """Write what follows from a truth."""
    distance = 0.0
    n_below, n_above = 0, 0
    for i in range(x.size):
        distance += abs(x[i] - truth)
        n_below += x[i] < truth
        n_above += x[i] > truth
    out[DISTANCE] = distance / x.size
    out[PIT] = (1 - (n_above - n_below) / x.size) / 2
    below, tied = 0, 0
    for i in range(thinned.size):
        below += x[thinned[i]] < truth
        tied += x[thinned[i]] == truth
    out[BELOW], out[TIED] = below, tied
