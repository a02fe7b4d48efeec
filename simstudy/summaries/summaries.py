"""Draws of a block of fits -> one row per estimand, per fit and per chain: columns for the tables of ``schema.py``.

This module decides what is kept of the draws before they are dropped. Diagnostics come from ``diagnostics.py``; flags
and measures are made where runs are scored. Whole numbers that may be missing are masked arrays, which the store
writes as null; missing floats are NaN. No row depends on the other fits of its block, not even in the last bit.
"""

import math
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from simstudy.models.estimands import OF_GROUPED_MODELS
from simstudy.summaries import engine
from simstudy.summaries.diagnostics import ebfmi, slabs
from simstudy.summaries.rows import MISSING, N_RANK, Columns
from simstudy.types import SamplerStats

INDICATORS = frozenset(name for name, estimand in OF_GROUPED_MODELS.items() if estimand.role == "indicator")

COUNTERS = ("n_divergent", "n_max_treedepth", "n_leapfrog", "n_leapfrog_warmup")


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What is kept of the draws of some fits, in the order fit, estimand, group.

    Attributes:
        n_fits: number of fits.
        n_draws: draws of a fit, over all chains.
        fit: (row,) index of each row's fit, from 0.
        columns: column of the estimates table -> (row,) values; ``group``, ``rank`` and ``n_rank`` are masked arrays.
        non_finite: sorted indices of the fits with a draw that is not finite; the rows of such estimands are NaN.
    """

    n_fits: int
    n_draws: int
    fit: np.ndarray
    columns: Columns
    non_finite: np.ndarray

    @classmethod
    def concatenate(cls, parts: Sequence["Summary"]) -> "Summary":
        """Join summaries of successive fits of one method; fits are counted on."""
        starts = np.cumsum([0, *(part.n_fits for part in parts)])
        shifts = list(zip(parts, starts[:-1], strict=True))
        return cls(
            n_fits=int(starts[-1]),
            n_draws=parts[0].n_draws,
            fit=np.concatenate([part.fit + start for part, start in shifts]),
            columns=_joined([part.columns for part in parts]),
            non_finite=np.concatenate([part.non_finite + start for part, start in shifts]),
        )


def summarize(
    draws: Mapping[str, np.ndarray],
    truth: Mapping[str, np.ndarray],
    *,
    probabilities: tuple[float, ...],
    rank_key: np.ndarray,
    known: Collection[str] = (),
) -> Summary:
    """Summarize the draws of the estimands of a block of fits.

    Args:
        draws: estimand -> (fit, chain, draw, *group); more than one group axis is numbered in C order.
        truth: estimand -> (fit, *group) true values, NaN where there is none; estimands may be left out.
        probabilities: in [0, 1], of the quantiles to keep.
        rank_key: (fit,) uint64 keys of the random numbers that break ties of ranks.
        known: estimands whose rows ``with_known`` fills: here they are empty, and their draws are only looked at for
            being finite.

    Returns:
        One row per fit, estimand and group:

        - ``mean``, ``median``, ``sd`` (n - 1), quantiles by linear interpolation, the 90 % highest-density interval,
          the diagnostics, and the Monte Carlo standard errors of the quantiles;
        - ``rank``: number of thinned draws below the truth, 0 to ``n_rank``, ties broken at random (Talts et al.
          2018). Thinned are ``N_RANK`` draws, evenly over all chains, or all where there are fewer;
        - ``pit``: share of all draws below the truth, ties counted half;
        - ``crps``: continuous ranked probability score (Gneiting & Raftery 2007, equation 21) with the mean absolute
          difference taken over pairs of different draws: unbiased for independent draws (Ferro 2014), so that methods
          with different numbers of draws compare. The plain form adds half the mean absolute difference over n;
        - ``log_score``: minus the log density at the truth of the normal with the mean and sd of the draws (Dawid &
          Sebastiani 1999); NaN where the sd is 0.

        Without a truth, the last four are missing.

    Raises:
        ValueError: The arrays do not agree on the number of fits, chains, draws or groups.

    >>> draws = {"mu": np.arange(8.0).reshape(1, 2, 4)}
    >>> key = np.zeros(1, dtype=np.uint64)
    >>> rows = summarize(draws, {"mu": np.array([2.5])}, probabilities=(0.25,), rank_key=key).columns
    >>> {name: rows[name].item() for name in ("estimand", "mean", "q25", "rank", "n_rank", "pit")}
    {'estimand': 'mu', 'mean': 3.5, 'q25': 1.75, 'rank': 3, 'n_rank': 8, 'pit': 0.375}
    """
    n_fits, n_chains, n_draws = _block_shape(draws, truth, rank_key)
    n_groups = {name: int(np.prod(value.shape[3:])) for name, value in draws.items()}
    described = {name: n for name, n in n_groups.items() if name not in known} or n_groups
    columns = _described({name: draws[name] for name in described}, truth, described, probabilities)
    is_finite = columns.pop("is_finite").reshape(n_fits, -1).all(axis=1)
    columns |= _ranks(
        columns.pop("n_below"), columns.pop("n_tied"), described, min(N_RANK, n_chains * n_draws), rank_key
    )
    if len(described) < len(n_groups):
        columns = _spread(columns, np.repeat([name in described for name in n_groups], list(n_groups.values())))
        columns["truth"] = _truth_rows(truth, n_groups, n_fits)
        is_finite &= _are_finite([draws[name] for name in n_groups if name not in described])
    return Summary(
        n_fits=n_fits,
        n_draws=n_chains * n_draws,
        fit=np.repeat(np.arange(n_fits), sum(n_groups.values())),
        columns=columns | _labels(draws, n_groups, n_fits),
        non_finite=np.flatnonzero(~is_finite),
    )


def _described(
    draws: Mapping[str, np.ndarray],
    truth: Mapping[str, np.ndarray],
    n_groups: Mapping[str, int],
    probabilities: tuple[float, ...],
) -> Columns:
    """Return what the draws of some estimands say, row by row."""
    shape = next(iter(draws.values())).shape[:3]
    row_truth = _truth_rows(truth, n_groups, shape[0])
    is_indicator = np.repeat([value.dtype == bool for value in draws.values()], list(n_groups.values()))
    is_indicator = np.tile(is_indicator, shape[0])
    columns_of = engine.row_columns()
    parts = [
        columns_of(rows, row_truth[where], probabilities, is_indicator=is_indicator[where])
        for where, rows in _slabs_of_rows(draws, n_groups, shape)
    ]
    return _joined(parts)


def _spread(columns: Columns, is_described: np.ndarray) -> Columns:
    """Return columns with empty rows where a fit's row is not described."""
    n_fits = len(next(iter(columns.values()))) // np.count_nonzero(is_described)
    places = np.flatnonzero(np.tile(is_described, n_fits))
    out: Columns = {}
    for name, values in columns.items():
        empty = np.nan if values.dtype == np.float64 else MISSING
        spread = np.full(n_fits * len(is_described), empty, values.dtype)
        spread[places] = np.ma.filled(values, MISSING) if isinstance(values, np.ma.MaskedArray) else values
        out[name] = _whole(spread) if isinstance(values, np.ma.MaskedArray) else spread
    return out


def _are_finite(draws: Sequence[np.ndarray]) -> np.ndarray:
    """Return for each fit whether all of its draws are finite."""
    return np.all([np.isfinite(value.reshape(len(value), -1)).all(axis=1) for value in draws], axis=0)


def summarize_fits(
    stats: SamplerStats | None, summary: Summary, *, indicators: Collection[str] = INDICATORS
) -> Columns:
    """Return the columns of the fits table that come from draws and sampler, each (fit,).

    Args:
        stats: of the same fits; None for a sampler of exact draws, whose counters are then missing.
        summary: of the same fits.
        indicators: estimands that are 0 or 1 in each draw, those of grouped models by default. They have no part in
            ``max_rhat``, ``min_ess_bulk`` and ``min_ess_tail``, because the R-hat of a rare indicator tells its rarity.
            Constant estimands and those with a draw that is not finite have none either, for they have no diagnostics.
    """
    used = ~np.isin(summary.columns["estimand"].astype(str), list(indicators))
    extremes = {
        f"{kind}_{name}": _extreme(np.where(used, summary.columns[name], np.nan), summary.n_fits, reduce)
        for kind, name, reduce in (("max", "rhat", np.fmax), ("min", "ess_bulk", np.fmin), ("min", "ess_tail", np.fmin))
    }
    n_draws = np.full(summary.n_fits, summary.n_draws)
    return extremes | _sampler_columns(stats, summary.n_fits) | {"n_draws": n_draws}


def summarize_chains(stats: SamplerStats) -> Columns:
    """Return the columns of the chains table that come from the sampler, each (fit chain,) in the order fit, chain.

    What the sampler does not say is masked or NaN, never 0.
    """
    read: dict[str, tuple[np.ndarray | None, Callable[[np.ndarray], np.ndarray]]] = {
        "step_size": (stats.step_size, np.asarray),
        "n_divergent": (stats.diverging, _count),
        "n_max_treedepth": (stats.hit_max_treedepth, _count),
        "mean_accept": (stats.accept_prob, lambda each: each.mean(axis=-1, dtype=np.float64)),
        "n_leapfrog": (stats.num_steps, lambda each: each.sum(axis=-1, dtype=np.int64)),
        "n_leapfrog_warmup": (stats.n_leapfrog_warmup, np.asarray),
        "ebfmi": (stats.energy, ebfmi),
    }
    return {
        name: _unknown(name, math.prod(stats.shape)) if values is None else reduce(values).ravel()
        for name, (values, reduce) in read.items()
    }


def _count(happened: np.ndarray) -> np.ndarray:
    return np.count_nonzero(happened, axis=-1)


def _unknown(name: str, n: int) -> np.ndarray:
    return _whole(np.full(n, MISSING)) if name in COUNTERS else np.full(n, np.nan)


def _sampler_columns(stats: SamplerStats | None, n_fits: int) -> Columns:
    if stats is None:
        return {name: _unknown(name, n_fits) for name in (*COUNTERS, "mean_accept", "min_ebfmi")}
    chains = {name: value.reshape(n_fits, -1) for name, value in summarize_chains(stats).items()}
    sums = {name: chains[name].sum(axis=-1, dtype=np.int64) for name in COUNTERS}
    return sums | {"mean_accept": chains["mean_accept"].mean(axis=-1), "min_ebfmi": chains["ebfmi"].min(axis=-1)}


def _extreme(values: np.ndarray, n_fits: int, reduce: np.ufunc) -> np.ndarray:
    return reduce.reduce(values.reshape(n_fits, -1), axis=1, initial=np.nan)


def _block_shape(
    draws: Mapping[str, np.ndarray], truth: Mapping[str, np.ndarray], rank_key: np.ndarray
) -> tuple[int, int, int]:
    shapes = {value.shape[:3] for value in draws.values()}
    if len(shapes) != 1 or len(shape := shapes.pop()) != 3:
        given = {name: value.shape for name, value in draws.items()}
        raise ValueError(f"expected draws (fit, chain, draw, *group) that agree in the first three axes, got {given}")
    for name in truth.keys() & draws.keys():
        expected = (shape[0], *draws[name].shape[3:])
        if truth[name].shape != expected:
            raise ValueError(f"expected truth of '{name}' of shape {expected}, got {truth[name].shape}")
    if rank_key.shape != shape[:1]:
        raise ValueError(f"expected one rank key for each of {shape[0]} fits, got shape {rank_key.shape}")
    return shape


def _slabs_of_rows(
    draws: Mapping[str, np.ndarray], n_groups: Mapping[str, int], shape: tuple[int, int, int]
) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield slices of the block's rows with their draws (row, chain, draw)."""
    n_fits, n_chains, n_draws = shape
    n_rows = sum(n_groups.values())
    for fits in slabs(n_fits, n_rows * n_chains * n_draws):
        block = np.empty((fits.stop - fits.start, n_rows, n_chains, n_draws))
        start = 0
        for name, value in draws.items():
            stop = start + n_groups[name]
            block[:, start:stop] = value[fits].reshape(len(block), n_chains, n_draws, -1).transpose(0, 3, 1, 2)
            start = stop
        rows = block.reshape(-1, n_chains, n_draws)
        for part in slabs(len(rows), n_chains * n_draws):
            first = fits.start * n_rows
            yield slice(first + part.start, first + part.stop), rows[part]


def _truth_rows(truth: Mapping[str, np.ndarray], n_groups: Mapping[str, int], n_fits: int) -> np.ndarray:
    columns = [
        np.reshape(truth[name], (n_fits, n)) if name in truth else np.full((n_fits, n), np.nan)
        for name, n in n_groups.items()
    ]
    return np.concatenate(columns, axis=1, dtype=np.float64).ravel()


def _labels(draws: Mapping[str, np.ndarray], n_groups: Mapping[str, int], n_fits: int) -> Columns:
    """Return ``estimand`` (object array of names) and ``group`` of every row."""
    names = np.repeat(np.array(list(n_groups), dtype=object), list(n_groups.values()))
    groups = [np.arange(n) if draws[name].ndim > 3 else np.array([MISSING]) for name, n in n_groups.items()]
    return {"estimand": np.tile(names, n_fits), "group": _whole(np.tile(np.concatenate(groups), n_fits))}


def _ranks(
    n_below: np.ndarray, n_tied: np.ndarray, n_groups: Mapping[str, int], n_rank: int, rank_key: np.ndarray
) -> Columns:
    """Return ``rank`` and ``n_rank``; random numbers depend on the fit's key and the estimand's name alone."""
    rank, tied = n_below.reshape(len(rank_key), -1), n_tied.reshape(len(rank_key), -1)
    start = 0
    for name, n in n_groups.items():
        group = slice(start, start + n)
        for fit in np.flatnonzero((tied[:, group] > 0).any(axis=1)):
            uniform = uniforms(rank_key[fit], name, n)
            rank[fit, group] += np.floor(uniform * (tied[fit, group] + 1)).astype(np.int64)
        start += n
    n_ranks = np.where(rank == MISSING, MISSING, n_rank)
    return {"rank": _whole(rank.ravel()), "n_rank": _whole(n_ranks.ravel())}


def uniforms(key: np.uint64, estimand: str, n: int) -> np.ndarray:
    """Return the random numbers in [0, 1) that break ties of the groups of an estimand."""
    keys = np.array([key, zlib.crc32(estimand.encode())], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=keys)).random(n)


def _whole(values: np.ndarray) -> np.ma.MaskedArray:
    return np.ma.masked_equal(values, MISSING, copy=False)


def _joined(parts: Sequence[Columns]) -> Columns:
    columns = {name: [part[name] for part in parts] for name in parts[0]}
    return {
        name: np.ma.concatenate(each) if isinstance(each[0], np.ma.MaskedArray) else np.concatenate(each)
        for name, each in columns.items()
    }
