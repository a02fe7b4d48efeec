"""Columns of the estimates that draws of a scalar quantity and its truth say by themselves, for many rows in NumPy.

The compiled functions of ``compiled`` give the same columns and are several times as fast; these are their oracle, and
what runs where they cannot.
"""

import numpy as np

from simstudy.store.schema import HDI_COLUMNS, mcse_column, quantile_column
from simstudy.summaries.diagnostics import DIAGNOSTICS, Chains
from simstudy.summaries.indicators import Indicators
from simstudy.summaries.quantile_errors import quantile_mcse
from simstudy.summaries.ranks import highest_density, quantiles

HDI_LEVEL = 0.9  # of the highest-density interval, as in NumPyro's print_summary
N_RANK = 99  # thinned draws that a truth is ranked among: 100 ranks, nearly independent draws (Talts et al. 2018, 5.1)
MISSING = -1  # stands under the mask of a masked whole number
N_PROBES = 8  # draws that rows are first told apart by
MEDIAN = 0.5

Columns = dict[str, np.ndarray]


def median_and(probabilities: tuple[float, ...]) -> tuple[str, ...]:
    """Return the columns of the median and of other quantiles."""
    return ("median", *map(quantile_column, probabilities))


def thinned_places(n_draws: int) -> np.ndarray:
    """Return the places of the draws, of all chains, that a truth is ranked among: ``N_RANK``, evenly, or all."""
    n_rank = min(N_RANK, n_draws)
    return (2 * np.arange(n_rank) + 1) * n_draws // (2 * n_rank)


def row_columns(
    rows: np.ndarray, truth: np.ndarray, probabilities: tuple[float, ...], *, is_indicator: np.ndarray
) -> Columns:
    """Return what (row, chain, draw) says by itself; ``n_below`` and ``n_tied`` count thinned draws below the truth."""
    pooled = rows.reshape(len(rows), -1)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        columns = _draw_columns(rows, probabilities, is_indicator=is_indicator)
        is_finite = columns.pop("is_finite")
        columns |= _scores(pooled, truth, columns.pop("half_spread"), mean=columns["mean"], sd=columns["sd"])
        counts = _counts(pooled, truth, is_ranked=is_finite & ~np.isnan(truth))
    if not is_finite.all():
        columns = {name: np.where(is_finite, value, np.nan) for name, value in columns.items()}
    return columns | {"truth": truth, "is_finite": is_finite} | counts


def _draw_columns(rows: np.ndarray, probabilities: tuple[float, ...], *, is_indicator: np.ndarray) -> Columns:
    """Return what the draws say without the truth, ``is_finite`` and ``half_spread``; rows that are equal share it."""
    columns: Columns = {}
    for kind, of_kind in ((Chains, ~is_indicator), (Indicators, is_indicator)):
        places = np.flatnonzero(of_kind)
        if not len(places):
            continue
        distinct, like = _distinct(rows, places)
        some = _of_chains(kind(rows if len(distinct) == len(rows) else rows[distinct]), probabilities)
        for name, value in some.items():
            columns.setdefault(name, np.empty(len(rows), value.dtype))[places] = value[like]
    return columns


def _distinct(rows: np.ndarray, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows at some places that equal none before them, and for each place the number of its like in these.

    Groups share an estimand where nothing tells them apart: all effects under complete pooling, the weights of groups
    of one size. Rows are told apart by a few of their draws, and taken for equal only where all draws are.
    """
    n_draws = rows[0].size
    probes = np.ascontiguousarray(rows.reshape(len(rows), -1)[places, :: max(1, n_draws // N_PROBES)])
    seen: dict[bytes, int] = {}
    distinct: list[int] = []
    like = np.empty(len(places), np.intp)
    for i, place in enumerate(places):
        like[i] = seen.setdefault(probes[i].tobytes(), len(distinct))
        if like[i] == len(distinct) or not np.array_equal(rows[place], rows[distinct[like[i]]]):
            like[i] = len(distinct)
            distinct.append(place)
    return np.array(distinct), like


def _of_chains(chains: Chains, probabilities: tuple[float, ...]) -> Columns:
    """Return moments, quantiles and diagnostics, and half the mean absolute difference of two different draws."""
    n = chains.pooled.shape[-1]
    names = median_and(probabilities)
    probabilities = (MEDIAN, *probabilities)
    at = quantiles(chains.ordered, probabilities).T
    errors = quantile_mcse(chains.ordered, chains.ess_quantiles(probabilities), probabilities).T
    half_spread = np.vecdot(chains.ordered, np.arange(1 - n, n, 2) / np.float64(n * (n - 1)))
    columns = {"mean": chains.mean, "sd": chains.sd, **dict(zip(names, at, strict=True))}
    columns |= dict(zip(map(mcse_column, names), errors, strict=True))
    columns |= dict(zip(HDI_COLUMNS, highest_density(chains.ordered, HDI_LEVEL), strict=True))
    columns |= chains.evaluate(*DIAGNOSTICS)
    return columns | {"is_finite": chains.is_finite, "half_spread": half_spread}


def _scores(
    pooled: np.ndarray, truth: np.ndarray, half_spread: np.ndarray, *, mean: np.ndarray, sd: np.ndarray
) -> Columns:
    distance = pooled - truth[:, None]
    # Draws below count 1, ties 1/2 and draws above 0: half of 1 - sign.
    pit = (1 - np.sign(distance).mean(axis=-1)) / 2
    np.abs(distance, out=distance)
    crps = distance.mean(axis=-1) - half_spread
    return {"pit": pit, "crps": crps, "log_score": log_score(truth, mean, sd)}


def log_score(truth: np.ndarray, mean: np.ndarray, sd: np.ndarray) -> np.ndarray:
    """Return minus the log density at the truth of the normal with a mean and sd; NaN where the sd is 0."""
    z = (truth - mean) / sd
    return np.where(sd > 0, (np.log(2 * np.pi) + z**2) / 2 + np.log(sd), np.nan)


def _counts(pooled: np.ndarray, truth: np.ndarray, *, is_ranked: np.ndarray) -> Columns:
    thinned = pooled[:, thinned_places(pooled.shape[-1])]
    at = truth[:, None]
    counts = {"n_below": np.count_nonzero(thinned < at, axis=-1), "n_tied": np.count_nonzero(thinned == at, axis=-1)}
    return {name: np.where(is_ranked, count, MISSING) for name, count in counts.items()}
