"""Rows of what is known exactly, in the place of what draws would say: they hold no Monte Carlo error.

The Monte Carlo errors, effective sample sizes and R-hats of such rows are missing.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from simstudy.store.schema import HDI_COLUMNS
from simstudy.summaries.rows import HDI_LEVEL, MEDIAN, N_RANK, Columns, log_score, median_and
from simstudy.summaries.summaries import Summary, uniforms
from simstudy.types import KnownPosterior

Values = Mapping[str, np.ndarray]


def with_known(
    summary: Summary,
    known: KnownPosterior,
    truth: Values,
    *,
    probabilities: tuple[float, ...],
    rank_key: np.ndarray,
) -> Summary:
    """Return a summary with the rows of what is known exactly.

    - ``mean``, ``sd``, ``median``, the quantiles, the 90 % highest-density interval and ``crps`` are those of the
      posterior; ``log_score`` follows from its mean and sd, and ``pit`` is its distribution function at the truth.
    - ``rank`` is the cell of the PIT among ``n_rank`` + 1 of equal probability, as many as draws would make: uniform
      where the posterior is right, as the rank among independent draws is, but without their noise. Where the
      posterior is a constant and the truth equals it, the cell is random.
    - The columns of Monte Carlo error, of effective sample sizes and of R-hat are missing.

    Fits with a draw that is not finite are left as they are: they have no estimates.

    Args:
        summary: of the draws, by ``summarize``, which left these rows empty.
        known: of the same fits.
        truth: estimand -> (fit, *group) true values, as ``summarize`` got them.
        probabilities: of the quantiles, as ``summarize`` got them.
        rank_key: (fit,) uint64 keys, as ``summarize`` got them.
    """
    of_known = _columns(known, truth, probabilities)
    n_rank = min(N_RANK, summary.n_draws)
    columns = {name: value.copy() for name, value in summary.columns.items()}
    is_usable = ~np.isin(summary.fit, summary.non_finite)
    estimand = summary.columns["estimand"]
    for name, mean in known.mean.items():
        of_estimand = estimand == name
        if not of_estimand.any():
            continue
        rows, kept = of_estimand & is_usable, is_usable[of_estimand]
        for column, value in of_known[name].items():
            columns[column][rows] = value.ravel()[kept]
        if name in truth:
            rank = _ranks(name, of_known[name], np.broadcast_to(truth[name], mean.shape), n_rank, rank_key)
            is_ranked = ~np.isnan(of_known[name]["pit"]).ravel()[kept]
            columns["rank"][np.flatnonzero(rows)[is_ranked]] = rank.ravel()[kept][is_ranked]
            columns["n_rank"][np.flatnonzero(rows)[is_ranked]] = n_rank
    return replace(summary, columns=columns)


def _columns(known: KnownPosterior, truth: Values, probabilities: tuple[float, ...]) -> dict[str, Columns]:
    """Return for every estimand its columns, each (fit, *group)."""
    quantiles, ends = known.quantiles((MEDIAN, *probabilities)), known.hdi(HDI_LEVEL)
    with_truth = {name: np.asarray(truth[name], float) for name in known.mean if name in truth}
    pit, crps = known.cdf(with_truth), known.crps(with_truth)
    out: dict[str, Columns] = {}
    for name, mean in known.mean.items():
        out[name] = {"mean": mean, "sd": known.sd[name]}
        out[name] |= dict(zip(median_and(probabilities), np.moveaxis(quantiles[name], -1, 0), strict=True))
        out[name] |= dict(zip(HDI_COLUMNS, np.moveaxis(ends[name], -1, 0), strict=True))
        if name in with_truth:
            at = np.broadcast_to(with_truth[name], mean.shape)
            has_truth = ~np.isnan(at)
            with np.errstate(divide="ignore", invalid="ignore"):
                score = log_score(at, mean, known.sd[name])
            scores = {"pit": pit[name], "crps": crps[name], "log_score": score}
            out[name] |= {column: np.where(has_truth, value, np.nan) for column, value in scores.items()}
    return out


def _ranks(name: str, columns: Columns, truth: np.ndarray, n_rank: int, rank_key: np.ndarray) -> np.ndarray:
    """Return the (fit, *group) cells of the PIT, from 0 to ``n_rank``; a random one where truth and posterior tie."""
    pit = np.nan_to_num(columns["pit"])
    is_tied = (columns["sd"] == 0) & (columns["mean"] == truth)
    for fit in np.flatnonzero(is_tied.reshape(len(truth), -1).any(axis=1)):
        uniform = uniforms(rank_key[fit], name, pit[fit].size).reshape(pit[fit].shape)
        pit[fit] = np.where(is_tied[fit], uniform, pit[fit])
    return np.minimum(np.floor(pit * (n_rank + 1)).astype(np.int64), n_rank)
