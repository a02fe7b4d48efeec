"""Rows nested in replicates nested in cells: what every measure is computed from.

Groups of one replicate are not independent, so a measure is never taken over rows. Each replicate r of a cell (a
scenario, method and estimand, say) contributes one number a_r, the mean of f over its rows, and the Monte Carlo
standard error comes from the spread of the a_r, or of an influence function made of them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np

from simstudy.measures.rows.intervals import wilson

ROUNDING = 1e-9
Worst = Literal["largest", "zero", "farthest"]


@dataclass(frozen=True, kw_only=True)
class Score:
    """A measure in every cell; all arrays are (cell,).

    Args:
        value: the measure, NaN where it is undefined.
        mcse: its Monte Carlo standard error over replicates.
        mcse_method: how ``mcse`` was found, one text for all cells or one per cell.
        n_used: replicates that the value rests on.
        lower: lower end of a confidence interval, or None.
        upper: upper end of a confidence interval, or None.
        reference: name of what the value is relative to, or None.
        influence: (unit,) what each replicate does to the value of its cell, with mean 0 there; sd / sqrt(n) of it is
            the MCSE, and of the difference of two of them that of a difference. None where it was not worked out.
        kept: (cell,) bool, cells whose row stands although the value is not finite; None for none.
    """

    value: np.ndarray
    mcse: np.ndarray
    mcse_method: str | np.ndarray
    n_used: np.ndarray
    lower: np.ndarray | None = None
    upper: np.ndarray | None = None
    reference: np.ndarray | None = None
    influence: np.ndarray | None = None
    kept: np.ndarray | None = None


@dataclass(frozen=True, kw_only=True)
class Missing:
    """Units without rows that are to get the worst value of their pool.

    Args:
        unit: (unit,) bool.
        pool: (cell,) index; cells with the same one (those of all methods) are searched for the worst value.
        worst: which value is the worst: the largest, 0, or the one farthest from 0, on the side of the cell's mean.
    """

    unit: np.ndarray
    pool: np.ndarray
    worst: Worst = "largest"

    def fill(self, a: np.ndarray, cell: np.ndarray) -> np.ndarray:
        """Return (unit,) values with those of missing units put in; ``cell`` is (unit,)."""
        if self.worst == "zero":
            return np.where(self.unit, 0.0, a)
        here = ~self.unit
        largest = np.full(self.pool.max(initial=0) + 1, -np.inf)
        np.maximum.at(largest, self.pool[cell[here]], np.abs(a[here]) if self.worst == "farthest" else a[here])
        worst = largest[self.pool[cell]]
        if self.worst == "farthest":
            total = np.bincount(cell[here], weights=a[here], minlength=len(self.pool))
            worst = np.where(total[cell] < 0, -worst, worst)
        return np.where(self.unit, worst, a)


@dataclass(frozen=True, kw_only=True)
class Replicates:
    """Rows of a table with their replicate and its cell.

    Args:
        columns: name -> (row,) values.
        unit: (row,) index of the row's unit, which is one replicate of one cell.
        cell: (unit,) index of the unit's cell.
        n_cells: number of cells.
        by_rows: a unit counts by its number of rows (bins, where the number is random) instead of once.
        stratum: (row,) group of the row where groups keep their effects over replicates, or None.
        missing: units that have no rows and get a value all the same, or None.
        replicate: (unit,) integer of the unit's replicate, or None where it is not known.
    """

    columns: Mapping[str, np.ndarray]
    unit: np.ndarray
    cell: np.ndarray
    n_cells: int
    by_rows: bool = False
    stratum: np.ndarray | None = None
    missing: Missing | None = None
    replicate: Any = None

    def __getitem__(self, name: str) -> np.ndarray:
        """Return a column, (row,)."""
        return self.columns[name]

    @cached_property
    def n_rows(self) -> np.ndarray:
        """(unit,) number of rows."""
        return np.bincount(self.unit, minlength=len(self.cell))

    @cached_property
    def n(self) -> np.ndarray:
        """(cell,) number of replicates."""
        return np.bincount(self.cell, minlength=self.n_cells)

    @cached_property
    def weight(self) -> np.ndarray:
        """(unit,) weight with mean 1 in each cell."""
        if not self.by_rows:
            return np.ones(len(self.cell))
        return self.n_rows / self.over_units(self.over_cells(self.n_rows) / self.n)

    @cached_property
    def single(self) -> np.ndarray:
        """(cell,) bool, no replicate has more than one row."""
        return self.count(self.n_rows > 1) == 0

    def reduce(self, values: np.ndarray) -> np.ndarray:
        """Return a_r, the (unit,) mean over rows of (row,) values; missing units get the worst of their pool."""
        total = np.bincount(self.unit, weights=values, minlength=len(self.cell))
        if self.missing is None:
            return total / self.n_rows
        mean = np.divide(total, self.n_rows, where=~self.missing.unit, out=np.full(len(total), np.nan))
        return self.missing.fill(mean, self.cell)

    def mean(self, a: np.ndarray) -> np.ndarray:
        """Return the (cell,) mean over replicates."""
        return self.over_cells(a * self.weight) / self.n

    def mcse(self, influence: np.ndarray) -> np.ndarray:
        """Return sd / sqrt(n) of a (unit,) influence function that has mean 0 in each cell; NaN for one replicate."""
        n = np.where(self.n > 1, self.n, np.nan)
        return np.sqrt(self.over_cells((influence * self.weight) ** 2) / (n * (n - 1)))

    def over_cells(self, a: np.ndarray) -> np.ndarray:
        """Return the (cell,) sum of (unit,) values."""
        return np.bincount(self.cell, weights=a, minlength=self.n_cells)

    def count(self, holds: np.ndarray) -> np.ndarray:
        """Return the (cell,) number of units for which ``holds`` (unit,) is true."""
        return np.bincount(self.cell[holds], minlength=self.n_cells)

    def over_units(self, values: np.ndarray) -> np.ndarray:
        """Give every unit its cell's value: (cell,) -> (unit,)."""
        return values[self.cell]

    def over_rows(self, a: np.ndarray) -> np.ndarray:
        """Give every row its unit's value: (unit,) -> (row,)."""
        return a[self.unit]

    def select(self, keep: np.ndarray, *, names: Iterable[str] | None = None) -> "Replicates":
        """Return the units where ``keep`` (unit,) holds, with all or the named columns."""
        names = self.columns if names is None else names
        if keep.all():
            return replace(self, columns={name: self.columns[name] for name in names})
        rows = keep[self.unit]
        renumbered = np.cumsum(keep) - 1
        return replace(
            self,
            columns={name: self.columns[name][rows] for name in names},
            unit=renumbered[self.unit[rows]],
            cell=self.cell[keep],
            stratum=None if self.stratum is None else self.stratum[rows],
            missing=None if self.missing is None else replace(self.missing, unit=self.missing.unit[keep]),
            replicate=None if self.replicate is None else self.replicate[keep],
        )

    def complete(self, needs: Iterable[str]) -> "Replicates":
        """Return the units all of whose rows have finite values in the needed columns."""
        needs = tuple(needs)
        finite = [np.isfinite(self.columns[name]) for name in needs]
        if all(f.all() for f in finite):
            return self
        gaps = np.bincount(self.unit, weights=~np.logical_and.reduce(finite), minlength=len(self.cell))
        return self.select(gaps == 0, names=needs)


def mean_score(cells: Replicates, a: np.ndarray) -> Score:
    """Return the mean of a_r with MCSE sd / sqrt(n)."""
    value = cells.mean(a)
    influence = a - cells.over_units(value)
    return Score(value=value, mcse=cells.mcse(influence), mcse_method="sd", n_used=cells.n, influence=influence)


def root_mean_score(cells: Replicates, a: np.ndarray) -> Score:
    """Return the square root of the mean of a_r; MCSE by the delta method, MCSE(mean) / (2 root)."""
    square = mean_score(cells, a)
    root = np.sqrt(square.value)
    mcse = np.where(root > 0, square.mcse / (2 * root), 0.0)
    slope = np.divide(0.5, root, out=np.zeros_like(root), where=root > 0)
    influence = (a - cells.over_units(square.value)) * cells.over_units(slope)
    return replace(square, value=root, mcse=mcse, mcse_method="delta", influence=influence)


def ratio_score(cells: Replicates, numerator: np.ndarray, denominator: np.ndarray) -> Score:
    """Return R = sum numerator / sum denominator over replicates.

    MCSE of a ratio estimator: sd of (numerator - R denominator) / mean denominator, over sqrt(n) (Cochran 1977,
    Sampling Techniques, eq. 6.13). NaN where the denominators sum to 0.
    """
    total = cells.mean(denominator)
    value = np.where(total == 0, np.nan, cells.mean(numerator) / total)
    influence = (numerator - cells.over_units(value) * denominator) / cells.over_units(total)
    return Score(value=value, mcse=cells.mcse(influence), mcse_method="ratio", n_used=cells.n, influence=influence)


def proportion_score(cells: Replicates, holds: np.ndarray) -> Score:
    """Return the share of rows for which ``holds`` (row,) is true, with a 95 % Wilson interval.

    With one row per replicate MCSE = sqrt(p (1 - p) / n). With several, the share c_r of each replicate gives
    MCSE = sd(c_r) / sqrt(n), and the Wilson interval stands at the effective number p (1 - p) / MCSE^2, which is n
    where p is 0 or 1. Where all c_r agree in between, the effective number is that of the rows.
    """
    share = cells.reduce(holds)
    score = mean_score(cells, share)
    n = score.n_used
    # Rounding must not turn a share of exactly 0 or 1, or replicates that all agree, into an interval of no width.
    is_one, is_zero = (cells.count(share == end) == n for end in (1, 0))
    p = np.where(n == 0, np.nan, np.where(is_one, 1.0, np.where(is_zero, 0.0, score.value)))
    mcse = np.where(cells.single, np.sqrt(p * (1 - p) / n), score.mcse)
    n_effective = np.where((p == 0) | (p == 1), n, cells.over_cells(cells.n_rows)).astype(float)
    np.divide(p * (1 - p), mcse**2, out=n_effective, where=(mcse > ROUNDING) & (p > 0) & (p < 1))
    lower, upper = wilson(p, n_effective)
    method = np.where(cells.single, "binomial", "sd")
    return replace(score, value=p, mcse=mcse, mcse_method=method, lower=lower, upper=upper)
