"""How methods stand against each other in each scenario: which of them none clearly beats.

A method is *best or tied* in a scenario where no other is better by more than 2 MCSE of their difference. Errors are
compared on the same data sets, replicate by replicate; other measures as if each method had data of its own, which
calls more of them tied.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from simstudy.report.reading.readings import CLEAR

KEYS = ["scenario", "method"]


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One scenario.

    Attributes:
        scenario: its id.
        value: (method,) the measure.
        mcse: (method,) of it.
        loss: (method,) what is to be small; infinite for a method that is not to be trusted there.
        spread: (method, method) MCSE of the difference of two losses.
    """

    scenario: str
    value: np.ndarray
    mcse: np.ndarray
    loss: np.ndarray
    spread: np.ndarray

    def beats(self, i: int, j: int) -> bool:
        """Return whether method i is clearly better than method j."""
        if np.isinf(self.loss[i]) or np.isinf(self.loss[j]):
            return bool(self.loss[i] < self.loss[j])
        return bool(self.spread[i, j] > 0 and self.loss[j] - self.loss[i] > CLEAR * self.spread[i, j])

    def winner(self, j: int) -> int | None:
        """Return the best of the methods that clearly beat method j, or None."""
        better = [i for i in range(len(self.loss)) if self.beats(i, j)]
        return min(better, key=lambda i: self.loss[i]) if better else None


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How one method stands.

    Attributes:
        method: its name.
        place: among the methods of a cell.
        beaten: the cells in which another method is clearly better, each with the place of the best of those.
        n: number of cells.
    """

    method: str
    place: int
    beaten: Sequence[tuple[Cell, int]]
    n: int

    @property
    def unbeaten(self) -> int:
        """Number of scenarios in which it is best or tied."""
        return self.n - len(self.beaten)

    @property
    def worst(self) -> tuple[Cell, int] | None:
        """Of the cells in which it is beaten that with the largest ratio, and the place of the winner.

        Cells in which its own number is not to be trusted are left out.
        """
        known = [pair for pair in self.beaten if np.isfinite(pair[0].loss[self.place])]
        return max(known, key=lambda pair: self.ratio(*pair)) if known else None

    def ratio(self, cell: Cell, winner: int) -> float:
        """Return the ratio of its loss to that of the winner, above 1; infinite where there is none."""
        ends = abs(cell.loss[self.place]), abs(cell.loss[winner])
        return float(max(ends) / min(ends)) if min(ends) > 0 else np.inf


def standings(names: Sequence[str], cells: Sequence[Cell]) -> list[Standing]:
    """Return how the methods stand, those that are beaten in the fewest scenarios first."""
    found = []
    for j, name in enumerate(names):
        beaten = [(cell, winner) for cell in cells if (winner := cell.winner(j)) is not None]
        found.append(Standing(method=name, place=j, beaten=beaten, n=len(cells)))
    return sorted(found, key=lambda one: (len(one.beaten), one.ratio(*one.worst) if one.worst else 0.0))


def cells_of_squares(squares: pd.DataFrame) -> tuple[list[str], list[Cell]]:
    """Return methods and cells of root mean squared errors, over the data sets that all methods fitted.

    With a_r the squared error of replicate r and A their mean, the influence of a replicate on sqrt A is
    (a_r - A) / (2 sqrt A) (delta method), and that on a difference is the difference of the influences.

    Args:
        squares: one row per scenario, method and replicate: ``square``, the mean squared error over groups.
    """
    names = list(dict.fromkeys(squares["method"].astype(str)))
    wide = squares.astype({"scenario": str, "method": str})
    wide = wide.pivot_table(index=["scenario", "replicate"], columns="method", values="square", sort=False).dropna()
    if wide.empty:
        return names, []
    cells = [_of_squares(str(s), part[names].to_numpy(float)) for s, part in wide.groupby(level="scenario", sort=False)]
    return names, [cell for cell in cells if np.isfinite(cell.spread).all()]


def _of_squares(scenario: str, squares: np.ndarray) -> Cell:
    """Return the cell of (replicate, method) mean squared errors."""
    n = len(squares)
    root = np.sqrt(squares.mean(0))
    with np.errstate(divide="ignore", invalid="ignore"):
        influence = np.where(root > 0, (squares - squares.mean(0)) / (2 * root), 0.0)
        covariance = influence.T @ influence / (n * (n - 1.0))
    variance = np.diag(covariance)
    spread = np.sqrt(np.maximum(variance[:, None] + variance[None] - 2 * covariance, 0))
    return Cell(scenario=scenario, value=root, mcse=np.sqrt(variance), loss=root, spread=spread)


def cells_of_values(
    rows: pd.DataFrame, better: str, *, distrusted: frozenset[tuple[str, str]] = frozenset()
) -> tuple[list[str], list[Cell]]:
    """Return methods and cells of any measure, from its values and their MCSEs.

    Args:
        rows: one row per scenario and method: ``value``, ``mcse`` and, for a measure of intervals, ``level``.
        better: ``smaller``, ``larger``, or ``nominal`` for what should be near its level, or near 0 without one.
        distrusted: (scenario, method) whose value flatters, so that it cannot win there; a scenario in which all are
            has no cell.
    """
    rows = rows.dropna(subset=["value"]).astype({"scenario": str, "method": str})
    names = list(dict.fromkeys(rows["method"]))
    cells = []
    for scenario, part in rows.groupby("scenario", sort=False):
        part = part.set_index("method").reindex(names)
        value, mcse = part["value"].to_numpy(float), part["mcse"].to_numpy(float)
        if np.isfinite(value).all() and np.isfinite(mcse).all():
            loss = _loss(value, part["level"].to_numpy(float), better)
            doubted = [(str(scenario), name) in distrusted for name in names]
            loss = np.where(doubted, np.inf, loss)
            spread = np.hypot(mcse[:, None], mcse[None])
            if np.isfinite(loss).any():
                cells.append(Cell(scenario=str(scenario), value=value, mcse=mcse, loss=loss, spread=spread))
    return names, cells


def _loss(value: np.ndarray, level: np.ndarray, better: str) -> np.ndarray:
    if better == "nominal":
        return np.abs(value - np.nan_to_num(level))
    return -value if better == "larger" else value
