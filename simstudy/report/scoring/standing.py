"""Which methods are nearest to the truth, scenario by scenario: by RMSE, on the replicates that two methods share."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations

import numpy as np
import pandas as pd

from simstudy.report.reading.readings import is_clear


@dataclass(frozen=True, kw_only=True)
class Beaten:
    """A method that another beats clearly in a scenario.

    Attributes:
        rmse: its RMSE, with ``mcse``, on the replicates that both have; ``best`` and ``best_mcse`` are the rival's.
    """

    scenario: str
    method: str
    rival: str
    rmse: float
    mcse: float
    best: float
    best_mcse: float

    @property
    def excess(self) -> float:
        """By how much the RMSE is above that of the rival, as a share."""
        return self.rmse / self.best - 1 if self.best > 0 else np.inf


@dataclass(frozen=True, kw_only=True)
class Standings:
    """How methods stand by RMSE.

    Attributes:
        present: method -> scenarios in which it has a usable estimate, beside another method's.
        beaten: of each scenario and method that some other beats by more than 2 MCSE, by the best of those.
    """

    present: dict[str, list[str]]
    beaten: list[Beaten]

    def unbeaten(self, method: str) -> int:
        """Return in how many scenarios none is clearly nearer to the truth than a method."""
        return len(self.present[method]) - sum(one.method == method for one in self.beaten)


def standings(rows: pd.DataFrame, *, paired: bool) -> Standings:
    """Return how the methods stand.

    The MCSE of a difference of two RMSEs comes from their influence functions, (a_r - A) / (2 sqrt A) with a_r the mean
    squared error of replicate r and A its mean; subtracted replicate by replicate where methods are paired.

    Args:
        rows: one row per estimate: ``scenario``, ``method``, ``replicate``, ``error``.
        paired: whether the replicates of two methods are the same data.
    """
    known = rows[np.isfinite(rows["error"])]
    square = known.assign(square=known["error"] ** 2).groupby(["scenario", "method", "replicate"], sort=False)["square"]
    squares = square.mean()
    names = list(dict.fromkeys(rows["method"]))
    present: dict[str, list[str]] = {name: [] for name in names}
    beaten: list[Beaten] = []
    for scenario, part in squares.groupby(level="scenario", sort=False):
        wide = part.reset_index().pivot_table(index="replicate", columns="method", values="square", sort=False)
        here = [name for name in names if name in wide]
        if len(here) < 2:
            continue
        for name in here:
            present[name].append(str(scenario))
        found: dict[str, Beaten] = {}
        for method, rival in permutations(here, 2):
            one = _against(str(scenario), method, rival, wide, paired=paired)
            if one is not None and (method not in found or one.best < found[method].best):
                found[method] = one
        beaten += found.values()
    return Standings(present={name: where for name, where in present.items() if where}, beaten=beaten)


def _against(scenario: str, method: str, rival: str, wide: pd.DataFrame, *, paired: bool) -> Beaten | None:
    """Return that the rival is clearly better, or None."""
    if paired:
        both = wide[[method, rival]].dropna().to_numpy(float).T
        if both.shape[1] < 2:
            return None
        (own, own_influence), (other, other_influence) = (_root(a) for a in both)
        spread = _mcse(own_influence - other_influence)
    else:
        (own, own_influence), (other, other_influence) = (
            _root(wide[n].dropna().to_numpy(float)) for n in (method, rival)
        )
        spread = float(np.hypot(_mcse(own_influence), _mcse(other_influence)))
    if not (own > other and is_clear(own - other, spread)):
        return None
    return Beaten(
        scenario=scenario,
        method=method,
        rival=rival,
        rmse=own,
        mcse=_mcse(own_influence),
        best=other,
        best_mcse=_mcse(other_influence),
    )


def _root(squares: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the RMSE and its (replicate,) influence function."""
    mean = squares.mean()
    root = np.sqrt(mean)
    return float(root), (squares - mean) / (2 * root) if root > 0 else np.zeros_like(squares)


def _mcse(influence: np.ndarray) -> float:
    n = len(influence)
    return float(np.sqrt(np.sum(influence**2) / (n * (n - 1)))) if n > 1 else float("nan")
