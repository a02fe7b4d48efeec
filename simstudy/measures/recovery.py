"""Recovery of the truth: error, spread, intervals and proper scores.

e = estimate - truth, with the truth of the replicate, because group effects are drawn anew in each; the estimate is
the posterior mean. V is the posterior variance. Formulas follow Morris, White & Crowther 2019, Statistics in Medicine
38:2074, table 6, with the groups of a replicate reduced to one number first.
"""

from dataclasses import replace

import numpy as np
from scipy.special import ndtri

from simstudy.measures.measure import Measure, Setting
from simstudy.measures.rows.replicates import (
    Replicates,
    Score,
    mean_score,
    proportion_score,
    ratio_score,
    root_mean_score,
)

MORRIS = "Morris, White & Crowther 2019, table 6"
GNEITING = "Gneiting & Raftery 2007"
MEDIAN_CONFIDENCE = 0.99


def bias(cells: Replicates, setting: Setting) -> Score:
    """Return the mean error."""
    return mean_score(cells, cells.reduce(cells["error"]))


def relative_bias(cells: Replicates, setting: Setting) -> Score:
    """Return bias / truth, where the truth of a cell is one number other than 0."""
    truth = _constant(cells, cells["truth"])
    score = bias(cells, setting)
    factor = np.where(truth == 0, np.nan, 1 / truth)
    return replace(score, value=score.value * factor, mcse=score.mcse * np.abs(factor), influence=None)


def conditional_bias(cells: Replicates, setting: Setting) -> Score:
    """Return the slope, through the origin, of e_j on theta_j - mu: sum e d / sum d^2."""
    d = cells["deviation"]
    return ratio_score(cells, cells.reduce(cells["error"] * d), cells.reduce(d**2))


def empirical_se(cells: Replicates, setting: Setting) -> Score:
    """Return the sd of the errors, pooled over the groups of a replicate.

    MCSE: ``normal``: s / sqrt(2 (n - 1)); ``influence``: sd of ((e - ebar)^2 - s^2) / (2 s) over sqrt(n).
    """
    square, s2 = _error_variance(cells, cells["error"])
    s = np.sqrt(s2)
    influence = _centered(cells, square) / cells.over_units(2 * s)
    normal = s / np.sqrt(2 * (cells.n - 1))
    return _spread_score(cells, s, cells.mcse(influence), normal, setting)


def mse(cells: Replicates, setting: Setting) -> Score:
    """Return the mean squared error."""
    return mean_score(cells, cells.reduce(cells["error"] ** 2))


def rmse(cells: Replicates, setting: Setting) -> Score:
    """Return the root of the mean squared error."""
    return root_mean_score(cells, cells.reduce(cells["error"] ** 2))


def model_se(cells: Replicates, setting: Setting) -> Score:
    """Return the root of the mean posterior variance."""
    return root_mean_score(cells, cells.reduce(cells["sd"] ** 2))


def relative_error(cells: Replicates, setting: Setting) -> Score:
    """Return 100 (model SE / empirical SE - 1).

    MCSE: ``normal``: Morris' form; ``influence``: through the influence functions of both variances.
    """
    variance = cells.reduce(cells["sd"] ** 2)
    square, s2 = _error_variance(cells, cells["error"])
    v = cells.mean(variance)
    ratio = np.sqrt(v / s2)
    influence = 50 * cells.over_units(ratio) * (_per_mean(cells, variance) - _per_mean(cells, square))
    v_part = (cells.mcse(_centered(cells, variance)) / (2 * v)) ** 2
    normal = 100 * ratio * np.sqrt(v_part + 1 / (2 * (cells.n - 1)))
    return _spread_score(cells, 100 * (ratio - 1), cells.mcse(influence), normal, setting)


def relative_precision(cells: Replicates, setting: Setting) -> Score:
    """Return 100 ((s_ref / s)^2 - 1), the gain in precision over the reference method, paired by replicate.

    MCSE: ``normal``: 200 (s_ref / s)^2 sqrt((1 - rho^2) / (n - 1)) with rho the correlation of the paired errors.
    """
    square, s2 = _error_variance(cells, cells["error"])
    ref_square, ref_s2 = _error_variance(cells, cells["reference_error"])
    ratio = ref_s2 / s2
    influence = 100 * cells.over_units(ratio) * (_per_mean(cells, ref_square) - _per_mean(cells, square))
    product = _deviations(cells, cells["error"]) * _deviations(cells, cells["reference_error"])
    rho2 = cells.mean(cells.reduce(product)) ** 2 / (cells.mean(square) * cells.mean(ref_square))
    normal = 200 * ratio * np.sqrt(np.clip(1 - rho2, 0, None) / (cells.n - 1))
    return _spread_score(cells, 100 * (ratio - 1), cells.mcse(influence), normal, setting)


def coverage(cells: Replicates, setting: Setting) -> Score:
    """Return the share of central intervals that contain the truth."""
    return proportion_score(cells, _contains(cells, setting, cells["truth"]))


def bias_eliminated_coverage(cells: Replicates, setting: Setting) -> Score:
    """Return the share of central intervals that contain the mean estimate, where the truth is one number."""
    mean_estimate = cells.mean(cells.reduce(cells["mean"]))
    target = cells.over_rows(cells.over_units(mean_estimate))
    score = proportion_score(cells, _contains(cells, setting, target))
    constant = np.isfinite(_constant(cells, cells["truth"]))
    return replace(score, value=np.where(constant, score.value, np.nan))


def width(cells: Replicates, setting: Setting) -> Score:
    """Return the mean width of the central interval."""
    return mean_score(cells, cells.reduce(cells[setting.upper] - cells[setting.lower]))


def upper_limit(cells: Replicates, setting: Setting) -> Score:
    """Return the mean upper end of the central interval."""
    return mean_score(cells, cells.reduce(cells[setting.upper]))


def interval_score(cells: Replicates, setting: Setting) -> Score:
    """Return the mean of width + (2 / alpha) times the distance by which the interval misses the truth."""
    lower, upper, truth = cells[setting.lower], cells[setting.upper], cells["truth"]
    miss = np.maximum(lower - truth, 0) + np.maximum(truth - upper, 0)
    return mean_score(cells, cells.reduce(upper - lower + 2 / (1 - setting.level) * miss))


def crps(cells: Replicates, setting: Setting) -> Score:
    """Return the mean continuous ranked probability score."""
    return mean_score(cells, cells.reduce(cells["crps"]))


def log_score(cells: Replicates, setting: Setting) -> Score:
    """Return the mean of minus the log posterior density at the truth."""
    return mean_score(cells, cells.reduce(cells["log_score"]))


def rejection(cells: Replicates, setting: Setting) -> Score:
    """Return the share of central intervals that exclude the null value."""
    return proportion_score(cells, ~_contains(cells, setting, setting.null))


def mean_estimate(cells: Replicates, setting: Setting) -> Score:
    """Return the mean estimate."""
    return mean_score(cells, cells.reduce(cells["mean"]))


def median_estimate(cells: Replicates, setting: Setting) -> Score:
    """Return the median over replicates of a single estimate; undefined for several rows in a replicate.

    MCSE from the order statistics k = z sqrt(n) / 2 either side of the middle, (x_(m+k) - x_(m-k)) / (2 z).
    """
    a = cells.reduce(cells["mean"])
    ordered = a[np.lexsort((a, cells.cell))]
    start = np.cumsum(cells.n) - cells.n
    z = ndtri((1 + MEDIAN_CONFIDENCE) / 2)
    middle, reach = (cells.n - 1) / 2, z * np.sqrt(cells.n) / 2

    def order_statistic(position: np.ndarray) -> np.ndarray:
        last = np.maximum(cells.n - 1, 0)
        position = np.clip(position, 0, last)
        low = np.floor(position).astype(int)
        values = [ordered[np.clip(start + np.minimum(low + i, last), 0, len(ordered) - 1)] for i in (0, 1)]
        return values[0] + (position - low) * (values[1] - values[0])

    value = np.where(cells.single & (cells.n > 0), order_statistic(middle), np.nan)
    mcse = (order_statistic(middle + reach) - order_statistic(middle - reach)) / (2 * z)
    return Score(value=value, mcse=np.where(cells.n > 1, mcse, np.nan), mcse_method="order", n_used=cells.n)


def _constant(cells: Replicates, values: np.ndarray) -> np.ndarray:
    """Return the (cell,) value that all rows of a cell share, NaN where they differ or there is none."""
    row_cell = cells.cell[cells.unit]
    low, high = np.full(cells.n_cells, np.inf), np.full(cells.n_cells, -np.inf)
    np.minimum.at(low, row_cell, values)
    np.maximum.at(high, row_cell, values)
    return np.where(low == high, low, np.nan)


def _contains(cells: Replicates, setting: Setting, target: np.ndarray | float) -> np.ndarray:
    return (cells[setting.lower] <= target) & (target <= cells[setting.upper])


def _deviations(cells: Replicates, error: np.ndarray) -> np.ndarray:
    """Return (row,) errors minus their mean in the cell; minus their mean in the group where effects are fixed."""
    if cells.stratum is None:
        return error - cells.over_rows(cells.over_units(cells.mean(cells.reduce(error))))
    group_of_row = cells.cell[cells.unit] * (cells.stratum.max(initial=0) + 1) + cells.stratum
    total = np.bincount(group_of_row, weights=error)
    return error - (total / np.maximum(np.bincount(group_of_row), 1))[group_of_row]


def _error_variance(cells: Replicates, error: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return a_r = mean_j (e_rj - ebar)^2 (unit,) and the variance of the errors (cell,).

    The mean of a_r is too small by the variance of ebar, which is added: for one row per replicate that makes the
    usual divisor n - 1.
    """
    deviations = _deviations(cells, error)
    square = cells.reduce(deviations**2)
    if cells.stratum is not None:
        return square, cells.mean(square) * cells.n / np.maximum(cells.n - 1, 1)
    return square, cells.mean(square) + cells.mcse(cells.reduce(deviations)) ** 2


def _centered(cells: Replicates, a: np.ndarray) -> np.ndarray:
    return a - cells.over_units(cells.mean(a))


def _per_mean(cells: Replicates, a: np.ndarray) -> np.ndarray:
    """Return the influence function of log mean a."""
    return a / cells.over_units(cells.mean(a)) - 1


def _spread_score(
    cells: Replicates, value: np.ndarray, influence: np.ndarray, normal: np.ndarray, setting: Setting
) -> Score:
    use_normal = cells.single & (setting.mcse_method == "normal")
    return Score(
        value=value,
        mcse=np.where(use_normal, normal, influence),
        mcse_method=np.where(use_normal, "normal", "influence"),
        n_used=cells.n,
    )


MEASURES = (
    Measure(
        name="bias",
        function=bias,
        needs=("error",),
        definition="mean error, estimate minus truth",
        source=MORRIS,
        unit="estimand",
        better="nominal",
        worst="farthest",
    ),
    Measure(
        name="relative_bias",
        function=relative_bias,
        needs=("error", "truth"),
        definition="bias / truth, where the truth is one number other than 0",
        source=MORRIS,
        unit="1",
        better="nominal",
    ),
    Measure(
        name="conditional_bias",
        function=conditional_bias,
        needs=("error", "deviation"),
        definition="slope of the error on theta_j - mu: 0 without shrinkage, -1 for estimates that do not move",
        source="Cochran 1977, eq. 6.13 (ratio estimator)",
        unit="1",
        better="nominal",
        rows="effects",
        by_bin=True,
    ),
    Measure(
        name="empirical_se",
        function=empirical_se,
        needs=("error",),
        definition="sd of the errors over replicates, pooled over groups",
        source=MORRIS,
        unit="estimand",
        better="smaller",
        repeated_data=True,
    ),
    Measure(
        name="mse",
        function=mse,
        needs=("error",),
        definition="mean squared error",
        source=MORRIS,
        unit="estimand^2",
        better="smaller",
        worst="largest",
    ),
    Measure(
        name="rmse",
        function=rmse,
        needs=("error",),
        definition="root of the mean squared error",
        source=MORRIS + "; delta method",
        unit="estimand",
        better="smaller",
        by_bin=True,
        worst="largest",
    ),
    Measure(
        name="model_se",
        function=model_se,
        needs=("sd",),
        definition="root of the mean posterior variance",
        source=MORRIS,
        unit="estimand",
        better=None,
        which="all",
    ),
    Measure(
        name="relative_error",
        function=relative_error,
        needs=("error", "sd"),
        definition="100 (model SE / empirical SE - 1)",
        source=MORRIS,
        unit="%",
        better="nominal",
        repeated_data=True,
    ),
    Measure(
        name="relative_precision",
        function=relative_precision,
        needs=("error", "reference_error"),
        definition="100 ((empirical SE of the reference / empirical SE)^2 - 1), paired by replicate",
        source=MORRIS,
        unit="%",
        better="larger",
        repeated_data=True,
    ),
    Measure(
        name="coverage",
        function=coverage,
        needs=("truth", "lower", "upper"),
        definition="share of central intervals that contain the truth",
        source=MORRIS + "; Wilson 1927",
        unit="1",
        better="nominal",
        which="interior",
        by_level=True,
        by_bin=True,
        worst="zero",
        repeated_data=True,
    ),
    Measure(
        name="bias_eliminated_coverage",
        function=bias_eliminated_coverage,
        needs=("truth", "mean", "lower", "upper"),
        definition="share of central intervals that contain the mean estimate, where the truth is one number",
        source=MORRIS + "; Wilson 1927",
        unit="1",
        better="nominal",
        which="interior",
        by_level=True,
        repeated_data=True,
    ),
    Measure(
        name="width",
        function=width,
        needs=("lower", "upper"),
        definition="mean width of the central interval",
        source=MORRIS,
        unit="estimand",
        better="smaller",
        which="all",
        by_level=True,
    ),
    Measure(
        name="upper_limit",
        function=upper_limit,
        needs=("truth", "upper"),
        definition="mean upper end of the central interval, where the truth lies at the end of its range (tau = 0)",
        source="replaces coverage, which is 0 there by construction",
        unit="estimand",
        better="smaller",
        which="boundary",
        by_level=True,
        roles=("scale",),
    ),
    Measure(
        name="interval_score",
        function=interval_score,
        needs=("truth", "lower", "upper"),
        definition="mean of width + 2 / (1 - level) times the distance by which the interval misses the truth",
        source=GNEITING + ", eq. 43",
        unit="estimand",
        better="smaller",
        by_level=True,
        worst="largest",
    ),
    Measure(
        name="crps",
        function=crps,
        needs=("crps",),
        definition="mean continuous ranked probability score",
        source=GNEITING + ", eq. 21",
        unit="estimand",
        better="smaller",
        worst="largest",
    ),
    Measure(
        name="log_score",
        function=log_score,
        needs=("log_score",),
        definition="mean of minus the log posterior density at the truth",
        source=GNEITING + ", section 4.1",
        unit="nat",
        better="smaller",
        worst="largest",
    ),
    Measure(
        name="rejection",
        function=rejection,
        needs=("lower", "upper"),
        definition="share of central intervals that exclude the null value",
        source=MORRIS + "; Wilson 1927",
        unit="1",
        better=None,
        which="all",
        by_level=True,
        roles=("effects", "location"),
        repeated_data=True,
    ),
    Measure(
        name="mean_estimate",
        function=mean_estimate,
        needs=("mean",),
        definition="mean of the estimates over replicates",
        source=MORRIS,
        unit="estimand",
        better=None,
        which="all",
    ),
    Measure(
        name="median_estimate",
        function=median_estimate,
        needs=("mean",),
        definition="median of the estimates over replicates, where each replicate has one",
        source="McKean & Schrader 1984",
        unit="estimand",
        better=None,
        which="all",
    ),
)
