"""Errors where a few estimates are far off: median bias, trimmed and winsorized mean squared error.

They are taken over the rows of a cell, each replicate with the same weight: e = estimate - truth, and x = e^2. Trimming
is of the largest x alone, the estimates farthest from the truth; the smallest are no outliers.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import ndtri

from simstudy.measures.measure import Measure, Setting
from simstudy.measures.rows.replicates import Replicates, Score

Z99 = float(ndtri(0.995))
ROUNDING = 1e-9


def median_bias(cells: Replicates, setting: Setting) -> Score:
    """Return the median error.

    MCSE from the confidence interval of a median, (Q(1/2 + z s) - Q(1/2 - z s)) / (2 z) with Q the quantiles of the
    errors and s the standard error of the share of errors below the median: 1 / (2 sqrt n) for one row per replicate
    (McKean & Schrader 1984), by the spread of the replicates' shares for several (Woodruff 1952, JASA 47:635).
    """
    error = Weighted(cells=cells, values=cells["error"])
    half = np.full(cells.n_cells, 0.5)
    median = error.quantile(half)
    share = cells.reduce((cells["error"] <= cells.over_rows(cells.over_units(median))).astype(float))
    spread = cells.mcse(share - cells.over_units(cells.mean(share)))
    reach = Z99 * np.where(cells.single, 0.5 / np.sqrt(cells.n), spread)
    mcse = (error.quantile(half + reach) - error.quantile(half - reach)) / (2 * Z99)
    return Score(value=median, mcse=np.where(cells.n > 1, mcse, np.nan), mcse_method="order", n_used=cells.n)


def trimmed_mse(cells: Replicates, setting: Setting) -> Score:
    """Return the mean of the squared errors without the share ``trim`` of largest ones, rounded down to whole rows.

    MCSE: sd of the winsorized squares over (1 - trim) sqrt(n) (Tukey & McLaughlin 1963, Sankhya A 25:331).
    """
    square = Weighted(cells=cells, values=cells["error"] ** 2)
    kept = square.lowest(1 - setting.trim)
    share = cells.mean(cells.reduce(kept.astype(float)))
    value = cells.mean(cells.reduce(np.where(kept, square.values, 0.0))) / share
    winsorized = cells.reduce(np.minimum(square.values, square.largest(kept)))
    influence = (winsorized - cells.over_units(cells.mean(winsorized))) / cells.over_units(share)
    return _score(cells, value, influence)


def winsorized_mse(cells: Replicates, setting: Setting) -> Score:
    """Return the mean of the squared errors, the share ``trim`` of largest ones set to the largest of the others.

    MCSE by the influence function min(x, q) - W + trim (1(x > q) - trim) / f(q), with q the quantile at 1 - trim and
    1 / f(q) from quantiles around it (Huber & Ronchetti 2009, section 3.3).
    """
    square = Weighted(cells=cells, values=cells["error"] ** 2)
    kept = square.lowest(1 - setting.trim)
    winsorized = cells.reduce(np.minimum(square.values, square.largest(kept)))
    value = cells.mean(winsorized)
    above = cells.reduce(np.where(kept, 0.0, 1.0))
    share = cells.mean(above)
    slope = share * square.sparsity(1 - share)
    influence = winsorized - cells.over_units(value) + cells.over_units(slope) * (above - cells.over_units(share))
    return _score(cells, value, influence)


@dataclass(frozen=True, kw_only=True)
class Weighted:
    """Values of rows as a distribution in each cell, in which every replicate has the same weight.

    Args:
        cells: rows nested in replicates nested in cells.
        values: (row,) finite numbers.
    """

    cells: Replicates
    values: np.ndarray

    @cached_property
    def cell_of_row(self) -> np.ndarray:
        """(row,) index of the row's cell."""
        return self.cells.cell[self.cells.unit]

    @cached_property
    def order(self) -> np.ndarray:
        """(row,) rows by cell, in each by their value."""
        return np.lexsort((self.values, self.cell_of_row))

    @cached_property
    def weight(self) -> np.ndarray:
        """(row,) weights in that order, which add up to 1 in each cell."""
        per_row = 1 / (self.cells.n_rows * self.cells.over_units(self.cells.n))
        return per_row[self.cells.unit][self.order]

    def parts(self) -> Iterator[tuple[int, slice]]:
        """Yield the cells that have rows, each with its place in the order."""
        ends = np.cumsum(np.bincount(self.cell_of_row, minlength=self.cells.n_cells))
        starts = np.concatenate([[0], ends[:-1]])
        yield from ((i, slice(a, b)) for i, (a, b) in enumerate(zip(starts, ends, strict=True)) if a < b)

    def quantile(self, probability: np.ndarray) -> np.ndarray:
        """Return the (cell,) quantiles at (cell,) probabilities, interpolated between the middles of the steps.

        With equal weights that is the fifth definition of Hyndman & Fan 1996, whose median is the usual one.
        """
        found = np.full(self.cells.n_cells, np.nan)
        for i, rows in self.parts():
            weight = self.weight[rows]
            found[i] = np.interp(probability[i], np.cumsum(weight) - weight / 2, self.values[self.order[rows]])
        return found

    def lowest(self, share: float) -> np.ndarray:
        """Return (row,) bool, the rows that lie in the lowest share of their cell or reach into it."""
        kept = np.zeros(len(self.values), bool)
        for _, rows in self.parts():
            weight = self.weight[rows]
            kept[self.order[rows]] = np.cumsum(weight) - weight < share - ROUNDING
        return kept

    def largest(self, kept: np.ndarray) -> np.ndarray:
        """Return (row,) the largest of the kept values in the row's cell."""
        top = np.full(self.cells.n_cells, -np.inf)
        np.maximum.at(top, self.cell_of_row[kept], self.values[kept])
        return top[self.cell_of_row]

    def sparsity(self, probability: np.ndarray) -> np.ndarray:
        """Return the (cell,) slope of the quantiles at (cell,) probabilities, one over the density there.

        Taken over 99 % confidence limits, no farther than half the way to either end, and never up to the largest
        value: the slope would be that of an outlier.
        """
        n = np.maximum(self.cells.n, 1)
        reach = Z99 * np.sqrt(probability * (1 - probability) / n)
        low = probability - np.minimum(reach, probability / 2)
        high = np.minimum(probability + np.minimum(reach, (1 - probability) / 2), 1 - 1.5 / n)
        rise = self.quantile(high) - self.quantile(low)
        return np.divide(rise, high - low, out=np.zeros_like(rise), where=high > low)


def _score(cells: Replicates, value: np.ndarray, influence: np.ndarray) -> Score:
    mcse = cells.mcse(influence)
    return Score(value=value, mcse=mcse, mcse_method="influence", n_used=cells.n, influence=influence)


MEASURES = (
    Measure(
        name="median_bias",
        function=median_bias,
        needs=("error",),
        definition="median error, estimate minus truth (score)",
        source="Woodruff 1952; McKean & Schrader 1984",
        unit="estimand",
        better="nominal",
    ),
    Measure(
        name="trimmed_mse",
        function=trimmed_mse,
        needs=("error",),
        definition="mean squared error without the largest 5 %, or another share, of the squares (score)",
        source="Tukey & McLaughlin 1963",
        unit="estimand^2",
        better="smaller",
    ),
    Measure(
        name="winsorized_mse",
        function=winsorized_mse,
        needs=("error",),
        definition="mean squared error, the largest 5 %, or another share, set to the largest of the others (score)",
        source="Huber & Ronchetti 2009, section 3.3",
        unit="estimand^2",
        better="smaller",
    ),
)
