"""How the methods stand against each other: in how many scenarios none is clearly nearer to the truth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from simstudy.report.reading.readings import CLEAR
from simstudy.report.reading.wording import enumerate_words, share, with_mcse
from simstudy.report.words.sentences import quote

FEWEST = 3


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How one method stands against all others, by RMSE.

    Attributes:
        method: its name.
        unbeaten: scenarios in which no method has an RMSE smaller by more than 2 MCSE, on the same data.
        worst: of the scenarios in which some method beats it so, that with the largest ``excess``; None without any.
        value: its RMSE there, with ``mcse``.
        rival: of the methods that beat it there, the one with the smallest RMSE, ``best``, with ``best_mcse``. A method
            with a still smaller RMSE whose difference is not clear may exist.
    """

    method: str
    unbeaten: int
    worst: str | None = None
    value: float = np.nan
    mcse: float = np.nan
    rival: str = ""
    best: float = np.nan
    best_mcse: float = np.nan

    @property
    def excess(self) -> float:
        """By how much the RMSE is above that of the rival, as a share; 0 where no method beats it."""
        return self.value / self.best - 1 if self.worst is not None else 0.0


def standings(squares: pd.DataFrame) -> tuple[list[Standing], int]:
    """Return how the methods stand, the least beaten first, and the number of scenarios that all of them fitted.

    Differences are paired: with a_r the squared errors of replicate r and A their mean, the influence of a replicate on
    sqrt A is (a_r - A) / (2 sqrt A) (delta method), and that on a difference is the difference of the influences.

    Args:
        squares: one row per scenario, method and replicate: ``square``, the mean squared error over groups.
    """
    wide = squares.astype({"scenario": str, "method": str})
    wide = wide.pivot_table(index=["scenario", "replicate"], columns="method", values="square", sort=False).dropna()
    names = list(dict.fromkeys(squares["method"].astype(str)))
    if len(names) < 2 or set(names) != set(wide.columns):
        return [], 0
    cells = [_Cell.read(str(s), part[names].to_numpy(float)) for s, part in wide.groupby(level="scenario", sort=False)]
    cells = [cell for cell in cells if np.isfinite(cell.spread).all()]
    found = [_standing(i, name, names, cells) for i, name in enumerate(names)]
    return sorted(found, key=lambda standing: (-standing.unbeaten, standing.excess)), len(cells)


def standing_sentences(squares: pd.DataFrame, labels: Mapping[str, str]) -> list[str]:
    """Return in words in how many scenarios no method beats each, and the worst of the first; of three methods or more.

    Nothing is said of a single scenario, which the sentences on pairs of methods tell in full.

    Args:
        squares: as for ``standings``.
        labels: scenario -> what it is called.
    """
    found, n = standings(squares)
    if len(found) < FEWEST or n < 2:
        return []
    first, *others = found
    rest = enumerate_words([f"than {quote(standing.method)} in {standing.unbeaten:,}" for standing in others])
    told = (
        f"No method is clearly nearer to the truth (2 MCSE) than {quote(first.method)} in "
        f"{share(first.unbeaten, n)} scenarios; {rest}."
    )
    if first.worst is None:
        return [told]
    numbers = f"{with_mcse(first.value, first.mcse)} against {with_mcse(first.best, first.best_mcse)}"
    return [
        f"{told} At worst the RMSE of {quote(first.method)} is {100 * first.excess:.0f} % above that of "
        f"{quote(first.rival)}, which beats it: {numbers} at {labels[first.worst]}."
    ]


@dataclass(frozen=True, kw_only=True)
class _Cell:
    """One scenario: (method,) RMSE and its MCSE, (method, method) MCSE of differences."""

    scenario: str
    root: np.ndarray
    mcse: np.ndarray
    spread: np.ndarray

    @classmethod
    def read(cls, scenario: str, squares: np.ndarray) -> _Cell:
        """Return the cell of (replicate, method) mean squared errors."""
        n = len(squares)
        root = np.sqrt(squares.mean(0))
        with np.errstate(divide="ignore", invalid="ignore"):
            influence = (squares - squares.mean(0)) / (2 * root)
            covariance = influence.T @ influence / (n * (n - 1.0))
        variance = np.diag(covariance)
        return cls(
            scenario=scenario,
            root=root,
            mcse=np.sqrt(variance),
            spread=np.sqrt(np.maximum(variance[:, None] + variance[None] - 2 * covariance, 0)),
        )

    def winner(self, i: int) -> int | None:
        """Return the best of the methods that clearly beat method i, or None."""
        clear = (self.spread[i] > 0) & (self.root[i] - self.root > CLEAR * self.spread[i])
        return int(np.where(clear, self.root, np.inf).argmin()) if clear.any() else None


def _standing(i: int, name: str, names: list[str], cells: list[_Cell]) -> Standing:
    beaten = [(cell, winner) for cell in cells if (winner := cell.winner(i)) is not None]
    if not beaten:
        return Standing(method=name, unbeaten=len(cells))
    cell, winner = max(beaten, key=lambda pair: pair[0].root[i] / pair[0].root[pair[1]])
    return Standing(
        method=name,
        unbeaten=len(cells) - len(beaten),
        worst=cell.scenario,
        value=float(cell.root[i]),
        mcse=float(cell.mcse[i]),
        rival=names[winner],
        best=float(cell.root[winner]),
        best_mcse=float(cell.mcse[winner]),
    )
