"""Shrinkage: how far estimates are pulled together, and whether that pays. Rows are those of the effects."""

from collections.abc import Mapping

import numpy as np

from simstudy.measures.measure import Measure, Setting
from simstudy.measures.rows.replicates import Replicates, Score, mean_score, proportion_score, ratio_score
from simstudy.measures.rows.trio import PARTS

RIVALS = {rival: f"{rival}_error" for rival in ("none", "complete", "oracle")}
"""Estimators that know no prior -> the column of their errors."""
ROUNDING = 1e-6


def shrinkage_weight(cells: Replicates, setting: Setting) -> Score:
    """Return the mean of E[B_j | y], with B_j = sigma^2 / (sigma^2 + n_j tau^2)."""
    return mean_score(cells, cells.reduce(cells["mean"]))


def shrinkage_slope(cells: Replicates, setting: Setting) -> Score:
    """Return the mean of 1 - slope of (estimate_j - mean) on (ybar_j - ybar), in balanced designs."""
    y = _within(cells, cells["y_mean"])
    moved = _within(cells, cells["mean"])
    return mean_score(cells, 1 - cells.reduce(moved * y) / cells.reduce(y**2))


def pooling_factor(cells: Replicates, setting: Setting) -> Score:
    """Return the mean of lambda = 1 - Var_j(E theta_j) / E(Var_j theta_j), both variances with divisor J - 1."""
    cells = cells.select((cells.reduce(cells["variance_among"]) > 0) & (cells.n_rows > 1))
    of_means = cells.reduce(_within(cells, cells["mean"]) ** 2) * cells.n_rows / (cells.n_rows - 1)
    return mean_score(cells, 1 - of_means / cells.reduce(cells["variance_among"]))


def mse_ratio(cells: Replicates, setting: Setting) -> Score:
    """Return MSE / MSE of the reference method, paired by replicate."""
    return ratio_score(cells, cells.reduce(cells["error"] ** 2), cells.reduce(cells["reference_error"] ** 2))


def regret(cells: Replicates, setting: Setting) -> Score:
    """Return MSE minus the smallest of three scenario means: those of ybar_j, of the grand mean and of the oracle.

    The oracle knows tau and sigma and estimates mu by generalized least squares. The minimum is taken over means,
    because the mean of minima would be biased. ``reference`` names the best; MCSE of the paired difference to it.
    """
    return _above_best(cells, RIVALS)


def regret_of_parts(cells: Replicates, setting: Setting) -> Score:
    """Return MSE minus the smallest scenario mean of the methods that play no, complete and partial pooling.

    ``reference`` names the best part; MCSE of the paired difference to it. Zero, without error, for the best itself.
    """
    return _above_best(cells, {part: f"part_{part}" for part in PARTS})


def best_of(cells: Replicates, errors: Mapping[str, str]) -> tuple[np.ndarray, np.ndarray]:
    """Return the squared errors of the best in each scenario, (replicate,), and its name, (cell,).

    The best has the smallest mean over replicates, because the mean of minima would be biased.

    Args:
        cells: replicates.
        errors: name -> column of its errors.
    """
    squares = np.stack([cells.reduce(cells[column] ** 2) for column in errors.values()])
    best = np.argmin([cells.mean(a) for a in squares], axis=0)
    return np.take_along_axis(squares, cells.over_units(best)[None], axis=0)[0], np.array(list(errors))[best]


def _above_best(cells: Replicates, errors: Mapping[str, str]) -> Score:
    of_best, names = best_of(cells, errors)
    score = mean_score(cells, cells.reduce(cells["error"] ** 2) - of_best)
    return Score(**{**vars(score), "reference": names})


def local_bias(cells: Replicates, setting: Setting) -> Score:
    """Return the slope of the error on what sets a level apart from its neighbors, sum (e - ebar) d / sum d^2.

    Errors are taken around their mean over the levels, which intercept and effects share.
    """
    d = cells["local_deviation"]
    return ratio_score(cells, cells.reduce(_within(cells, cells["error"]) * d), cells.reduce(d**2))


def rank_correlation(cells: Replicates, setting: Setting) -> Score:
    """Return the mean over replicates of Spearman's correlation between estimates and truth."""
    ordered = _ordered(cells)
    d2 = ordered.reduce((_ranks(ordered, ordered["mean"]) - _ranks(ordered, ordered["truth"])) ** 2)
    n_groups = ordered.n_rows
    return mean_score(ordered, 1 - 6 * d2 / np.maximum(n_groups**2 - 1, 1))


def prob_best(cells: Replicates, setting: Setting) -> Score:
    """Return the share of replicates in which the group with the largest effect has the largest estimate."""
    ordered = _ordered(cells)
    top = ordered.over_rows(ordered.n_rows - 1)
    found = (_ranks(ordered, ordered["mean"]) == top) & (_ranks(ordered, ordered["truth"]) == top)
    hit = np.bincount(ordered.unit, weights=found, minlength=len(ordered.cell))
    one_row = Replicates(columns={}, unit=np.arange(len(ordered.cell)), cell=ordered.cell, n_cells=ordered.n_cells)
    return proportion_score(one_row, hit)


def _within(cells: Replicates, values: np.ndarray) -> np.ndarray:
    """Return (row,) values minus their mean over the replicate's groups."""
    return values - cells.over_rows(cells.reduce(values))


def _ordered(cells: Replicates) -> Replicates:
    """Return the replicates in which neither the estimates nor the truths are all alike, up to rounding."""
    keep = cells.n_rows > 1
    for name in ("mean", "truth"):
        spread = cells.reduce(_within(cells, cells[name]) ** 2)
        keep = keep & (spread > ROUNDING**2 * cells.reduce(cells[name] ** 2))
    return cells.select(keep)


def _ranks(cells: Replicates, values: np.ndarray) -> np.ndarray:
    """Return (row,) ranks within the replicate, from 0."""
    order = np.lexsort((values, cells.unit))
    ranks = np.empty(len(values), np.int64)
    start = np.cumsum(cells.n_rows) - cells.n_rows
    ranks[order] = np.arange(len(values)) - np.repeat(start, cells.n_rows)
    return ranks


MEASURES = (
    Measure(
        name="shrinkage_slope",
        function=shrinkage_slope,
        needs=("mean", "y_mean", "is_balanced"),
        definition="1 - slope of (estimate_j - mean) on (ybar_j - ybar), balanced designs; equals E[B | y] there",
        source="Efron & Morris 1975",
        unit="1",
        better=None,
        rows="effects",
        which="all",
    ),
    Measure(
        name="shrinkage_weight",
        function=shrinkage_weight,
        needs=("mean",),
        definition="mean of E[B_j | y], B_j = sigma^2 / (sigma^2 + n_j tau^2); the oracle's is the estimand's truth",
        source="Gelman et al. 2013, section 5.4",
        unit="1",
        better=None,
        which="all",
        roles=("weight",),
    ),
    Measure(
        name="pooling_factor",
        function=pooling_factor,
        needs=("mean", "variance_among"),
        definition="1 - Var_j(E theta_j) / E(Var_j theta_j), mean over replicates",
        source="Gelman & Pardoe 2006, eq. 9",
        unit="1",
        better=None,
        rows="effects",
        which="all",
    ),
    Measure(
        name="mse_ratio",
        function=mse_ratio,
        needs=("error", "reference_error"),
        definition="MSE / MSE of the reference method, paired by replicate",
        source="Cochran 1977, eq. 6.13 (ratio estimator)",
        unit="1",
        better="smaller",
    ),
    Measure(
        name="regret",
        function=regret,
        needs=("error", "none_error", "complete_error", "oracle_error"),
        definition="MSE minus the smallest scenario mean of {group means, grand mean, oracle with known tau and sigma}",
        source="Efron & Morris 1973",
        unit="estimand^2",
        better="smaller",
        rows="effects",
    ),
    Measure(
        name="regret_of_parts",
        function=regret_of_parts,
        needs=("error", "has_parts", *(f"part_{part}" for part in PARTS)),
        definition="MSE minus the smallest scenario mean of the methods of no, complete and partial pooling",
        source="Efron & Morris 1973; of data with terms, which have no closed forms",
        unit="estimand^2",
        better="smaller",
        rows="effects",
    ),
    Measure(
        name="local_bias",
        function=local_bias,
        needs=("error", "local_deviation"),
        definition="slope of the error on truth minus mean truth of the neighbors: -1 where nothing of it is found",
        source="Cochran 1977, eq. 6.13 (ratio estimator)",
        unit="1",
        better="nominal",
        rows="effects",
    ),
    Measure(
        name="rank_correlation",
        function=rank_correlation,
        needs=("mean", "truth"),
        of_exchangeable=True,
        definition="Spearman correlation of estimates and truth over the groups; undefined where all are alike",
        source="Spearman 1904",
        unit="1",
        better="larger",
        rows="effects",
    ),
    Measure(
        name="prob_best",
        function=prob_best,
        needs=("mean", "truth"),
        of_exchangeable=True,
        definition="share of replicates that name the group with the largest effect; undefined where all are alike",
        source="Wilson 1927",
        unit="1",
        better="larger",
        rows="effects",
    ),
)
