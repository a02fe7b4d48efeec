"""The difference of a measure between two runs, with its Monte Carlo standard error.

With psi_r the influence of replicate r on a measure in the baseline and phi_r that in the candidate, the difference of
the two has, over n pairs and over n and m separate replicates,

    MCSE^2 = sum (phi_r - psi_r)^2 / (n (n - 1)),    MCSE^2 = MCSE_baseline^2 + MCSE_candidate^2,

with n - 1 degrees of freedom, or Welch's. That covers means, roots and ratios alike, with groups nested in
replicates, since psi_r is one number per replicate.

Shares (coverage, divergences, failures) have a spread of 0 where nothing was seen to differ, which proves little: the
probability that a replicate differs may still be 3/n (the rule of three; Hanley & Lippman-Hand 1983, JAMA 249:1743).
While fewer than ``FEW`` replicates differ, the interval of a share reaches at least 3/n either way. Nor can a sign
test on k pairs that differ be more significant than 2^(1 - k), so neither can a share.
"""

import numpy as np
import pandas as pd
from scipy.special import gammaln
from scipy.stats import t

from simstudy.comparison.measured import SHARES, Measured, Sample

FEW = 10
RULE_OF_THREE = 3.0
ROUNDING = 1e-10


def take_difference(measured: Measured, *, alpha: float) -> pd.DataFrame:
    """Return one row per cell: both values, their difference, its MCSE, interval and p-value.

    Args:
        measured: a measure in both runs.
        alpha: 1 minus the confidence of the intervals, in (0, 1).

    Returns:
        The names of the cell, ``measure`` and ``level``; ``baseline``, ``candidate`` and their ``*_mcse`` and
        ``n_*``; ``difference`` (candidate minus baseline), ``mcse``, ``lower``, ``upper``, ``p_value``; ``margin``;
        ``evidence``: ``identical``, ``paired`` or ``unpaired``; ``n_replicates``, the pairs, or the replicates of the
        smaller run; ``reach``, what the interval reaches at least, times ``n_replicates``; ``loss`` and
        ``loss_reach``: by how much the candidate is worse, and half the width of that number's interval.
    """
    first, second = measured.baseline, measured.candidate
    influence = _Combined(measured)
    difference = np.where(measured.is_identical, 0.0, second.score.value - first.score.value)
    mcse = influence.mcse(np.ones(len(difference)), np.ones(len(difference)))
    # A spread in the last digits is rounding: all replicates differ by the same number.
    mcse = np.where(measured.is_identical | (mcse <= ROUNDING * _size(measured)), 0.0, mcse)
    n = np.minimum(first.cells.n, second.cells.n)
    quantile = t.ppf(1 - alpha / 2, np.maximum(influence.freedom, 1e-9))
    floor = np.where(measured.is_identical, 0.0, _floor(measured, n))
    half = np.where(n > 1, np.maximum(quantile * mcse, floor), np.inf)
    half = np.where(measured.is_identical, 0.0, half)
    loss, loss_reach = _loss(measured, influence, half, quantile)
    return pd.DataFrame(
        {
            **{name: measured.names[name].to_numpy() for name in measured.names},
            "measure": measured.measure.name,
            "level": measured.level,
            "baseline": first.score.value,
            "baseline_mcse": first.score.mcse,
            "n_baseline": first.cells.n,
            "candidate": second.score.value,
            "candidate_mcse": second.score.mcse,
            "n_candidate": second.cells.n,
            "difference": difference,
            "mcse": mcse,
            "lower": difference - half,
            "upper": difference + half,
            "p_value": _p_value(measured, difference, half / quantile, influence),
            "margin": measured.margin,
            "evidence": np.select([measured.is_identical, measured.is_paired], ["identical", "paired"], "unpaired"),
            "n_replicates": n,
            "reach": floor * n,
            "loss": loss,
            "loss_reach": loss_reach,
        }
    )


class _Combined:
    """The influence functions of both runs, put together cell by cell."""

    def __init__(self, measured: Measured):
        self.measured = measured
        self.first, self.second = measured.baseline, measured.candidate
        self.pairs = [sample.cells.over_units(measured.is_paired) for sample in (self.first, self.second)]
        self.cell = self.first.cells.cell[self.pairs[0]]

    def mcse(self, of_first: np.ndarray, of_second: np.ndarray) -> np.ndarray:
        """Return the (cell,) MCSE of ``of_second`` times the candidate's value minus ``of_first`` times the other."""
        cells = self.first.cells
        gap = (of_second[self.cell] * self.second.influence[self.pairs[1]]) - (
            of_first[self.cell] * self.first.influence[self.pairs[0]]
        )
        n = np.where(cells.n > 1, cells.n, np.nan)
        paired = np.sqrt(np.bincount(self.cell, weights=gap**2, minlength=cells.n_cells) / (n * (n - 1)))
        apart = np.hypot(of_first * _mcse(self.first), of_second * _mcse(self.second))
        return np.where(self.measured.is_paired, paired, apart)

    @property
    def freedom(self) -> np.ndarray:
        """(cell,) degrees of freedom."""
        n_first, n_second = self.first.cells.n, self.second.cells.n
        variances = _mcse(self.first) ** 2, _mcse(self.second) ** 2
        with np.errstate(divide="ignore", invalid="ignore"):
            welch = sum(variances) ** 2 / (variances[0] ** 2 / (n_first - 1) + variances[1] ** 2 / (n_second - 1))
        fewest = np.minimum(n_first, n_second) - 1.0
        return np.where(self.measured.is_paired | ~np.isfinite(welch), fewest, welch)

    @property
    def n_discordant(self) -> np.ndarray:
        """(cell,) pairs whose contributions differ; where there are no pairs, replicates away from the nearer end."""
        shares = [s.influence + s.cells.over_units(s.score.value) for s in (self.first, self.second)]
        differ = np.abs(shares[1][self.pairs[1]] - shares[0][self.pairs[0]]) > ROUNDING
        paired = np.bincount(self.cell[differ], minlength=self.first.cells.n_cells)
        away = [_away(sample, share) for sample, share in zip((self.first, self.second), shares, strict=True)]
        return np.where(self.measured.is_paired, paired, np.minimum(*away))


def _mcse(sample: Sample) -> np.ndarray:
    return sample.cells.mcse(sample.influence)


def _away(sample: Sample, share: np.ndarray) -> np.ndarray:
    """Return the (cell,) number of replicates that are not at 0, or not at 1, whichever are fewer."""
    return np.minimum(*(sample.cells.count(np.abs(share - end) > ROUNDING) for end in (0, 1)))


def _floor(measured: Measured, n: np.ndarray) -> np.ndarray:
    """Return the (cell,) half-width that an interval of a share has at least; 0 for other measures."""
    if measured.measure.name not in SHARES:
        return np.zeros(len(n))
    return np.where(_Combined(measured).n_discordant < FEW, RULE_OF_THREE / n, 0.0)


def _p_value(measured: Measured, difference: np.ndarray, mcse: np.ndarray, influence: _Combined) -> np.ndarray:
    """Return the (cell,) two-sided p-value of no difference."""
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = np.where(_is_rounding(measured, difference), 0.0, np.abs(difference) / mcse)
    p_value = np.nan_to_num(2 * t.sf(statistic, np.maximum(influence.freedom, 1e-9)), nan=1.0)
    if measured.measure.name not in SHARES:
        return p_value
    n_first, n_second = influence.first.cells.n, influence.second.cells.n
    orders = gammaln(n_first + n_second + 1) - gammaln(n_first + 1) - gammaln(n_second + 1)
    smallest = np.where(measured.is_paired, 0.5 ** (influence.n_discordant - 1.0), 2 * np.exp(-orders))
    return np.maximum(p_value, np.minimum(smallest, 1.0))


def _is_rounding(measured: Measured, difference: np.ndarray) -> np.ndarray:
    """Return (cell,) bool, the values differ by no more than the last digits of their sums."""
    return np.abs(difference) <= ROUNDING * _size(measured)


def _size(measured: Measured) -> np.ndarray:
    """Return the (cell,) absolute value of the measure, the larger of the two runs'."""
    return np.maximum(*(np.abs(sample.score.value) for sample in (measured.baseline, measured.candidate)))


def _loss(
    measured: Measured, influence: _Combined, half: np.ndarray, quantile: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return by how much the candidate is worse, and half the width of that number's interval; NaN where no one knows.

    Of a measure with a nominal value the loss is the distance from it, whose slope is the sign of what lies between.
    """
    first, second = measured.baseline.score.value, measured.candidate.score.value
    better = measured.measure.better
    if better is None:
        return np.full(len(first), np.nan), np.full(len(first), np.nan)
    if better != "nominal":
        return (second - first) * (1 if better == "smaller" else -1), half
    nominal = 0.0 if np.isnan(measured.level) else measured.level
    reach = quantile * influence.mcse(np.sign(first - nominal), np.sign(second - nominal))
    return np.abs(second - nominal) - np.abs(first - nominal), reach
