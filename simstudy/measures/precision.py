"""How many replicates: until a measure's Monte Carlo standard error is small enough in the worst scenario.

An MCSE falls with the square root of the number of replicates, so a pilot says how many are needed. A proportion of 0
or 1 has an MCSE of 0 after any number of replicates; what counts for proportions is half the width of the Wilson
interval at one standard error,

    h(p, n) = sqrt(p (1 - p) n + 1/4) / (n + 1),

with n the effective number of trials. It stops nothing at 0 or 1, where it is about 1 / (2 n).
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from simstudy.errors import StudyError, TableError, suggestion
from simstudy.measures.registry import MEASURES
from simstudy.measures.rows.cells import AVERAGE

PILOT = 200
MAIN_LEVEL = 0.95
EXAMPLE = "coverage:0.005, or bias:theta:0.02 for one estimand"
ROUNDING = 1e-9


@dataclass(frozen=True, kw_only=True)
class Target:
    """An MCSE to be reached.

    Args:
        measure: name of a measure.
        mcse: largest MCSE, positive, in the measure's unit.
        estimand: the only estimand that has to reach it; None for all.
    """

    measure: str
    mcse: float
    estimand: str | None = None

    def __str__(self) -> str:
        """Return the target as it is written."""
        return ":".join([self.measure, *([self.estimand] if self.estimand else []), f"{self.mcse:g}"])


@dataclass(frozen=True, kw_only=True)
class Precision:
    """Where a target stands: the cell that needs the most replicates.

    Args:
        target: what is to be reached.
        scenario: scenario of the cell.
        method: method of the cell.
        estimand: estimand of the cell, or None.
        mcse: MCSE of the measure there; for proportions half the Wilson width at one standard error.
        n_replicates: replicates behind it, attempted.
        n_needed: replicates with which it would reach the target, at least ``PILOT``.
    """

    target: Target
    scenario: str
    method: str
    estimand: str | None
    mcse: float
    n_replicates: int
    n_needed: int


def parse_targets(text: str | Iterable[str]) -> tuple[Target, ...]:
    """Return the targets of a text such as ``coverage:0.005`` or ``coverage:0.005,bias:theta:0.02``, or of several.

    Raises:
        StudyError: a text that is no target, a measure that does not exist or has no MCSE over replicates, or an MCSE
            that is not a positive number.

    >>> [str(target) for target in parse_targets("coverage:0.005, bias:theta:.02")]
    ['coverage:0.005', 'bias:theta:0.02']
    """
    texts = [text] if isinstance(text, str) else list(text)
    targets = tuple(_parse(part.strip()) for each in texts for part in each.split(","))
    if not targets:
        raise StudyError(f"until: expected a measure and its MCSE, such as {EXAMPLE}, got nothing")
    return targets


def current_precision(performance: pd.DataFrame, target: Target) -> Precision:
    """Return the cell of the performance table that is the farthest from a target.

    Cells are scenarios, methods and estimands, the groups of an estimand together; measures of intervals count at the
    level nearest to .95. Cells without a value do not count: they would hold up a run for ever.

    Args:
        performance: the performance table.
        target: what is to be reached.

    Raises:
        TableError: no cell has an MCSE of the measure.
    """
    rows = _cells(performance, target)
    mcse = _mcse(rows)
    rows, mcse = rows[np.isfinite(mcse)], mcse[np.isfinite(mcse)]
    if rows.empty:
        raise TableError(
            f"until {target}: no scenario and method has {_named(target)} with an MCSE; "
            f"there are {', '.join(performance['measure'].unique()) or 'no measures'}"
        )
    needed = _needed(rows, mcse, target.mcse)
    worst = int(np.lexsort([mcse, needed])[-1])
    row = rows.iloc[worst]
    return Precision(
        target=target,
        scenario=row["scenario"],
        method=row["method"],
        estimand=row["estimand"] if isinstance(row["estimand"], str) else None,
        mcse=float(mcse[worst]),
        n_replicates=int(row["n_replicates"]),
        n_needed=max(int(needed[worst]), PILOT),
    )


def replicates_needed(performance: pd.DataFrame, targets: Target | Sequence[Target]) -> int:
    """Return the replicates of each scenario with which all targets would be reached, judged by those there are.

    Args:
        performance: the performance table; of fewer than ``PILOT`` replicates it says too little to plan by.
        targets: one or several.

    Returns:
        ``PILOT`` where there are fewer replicates than that, else the number needed, at least ``PILOT``.

    Raises:
        TableError: no cell has an MCSE of a measure after a pilot.
    """
    if _n_replicates(performance) < PILOT:
        return PILOT
    return max(current_precision(performance, target).n_needed for target in _listed(targets))


def reached(performance: pd.DataFrame, targets: Target | Sequence[Target]) -> bool:
    """Return whether every target is reached, after at least ``PILOT`` replicates.

    Raises:
        TableError: no cell has an MCSE of a measure after a pilot.
    """
    if _n_replicates(performance) < PILOT:
        return False
    now = [current_precision(performance, target) for target in _listed(targets)]
    return all(p.mcse <= p.target.mcse * (1 + ROUNDING) for p in now)


def _parse(text: str) -> Target:
    parts = text.split(":")
    if not 2 <= len(parts) <= 3 or not all(parts):
        raise StudyError(f"until {text!r}: expected a measure and its MCSE, such as {EXAMPLE}")
    measure, *estimand, mcse = (part.strip() for part in parts)
    allowed = [name for name, known in MEASURES.items() if known.rows != "batches"]
    if measure not in allowed:
        why = "no MCSE over replicates" if measure in MEASURES else f"no such measure{suggestion(measure, allowed)}"
        raise StudyError(f"until {text!r}: {measure!r} has {why}; expected one of {', '.join(allowed)}")
    return Target(measure=measure, mcse=_positive(mcse, text), estimand=estimand[0] if estimand else None)


def _positive(number: str, text: str) -> float:
    try:
        value = float(number)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise StudyError(f"until {text!r}: expected a positive number as MCSE, got {number!r}")
    return value


def _cells(performance: pd.DataFrame, target: Target) -> pd.DataFrame:
    rows = performance[(performance["measure"] == target.measure) & performance["bin"].isna()]
    rows = rows[rows["scenario"].notna() & (rows["group"].isna() | (rows["group"] == AVERAGE))]
    rows = rows[rows["policy"] == rows["policy"].iloc[0]] if len(rows) else rows
    if target.estimand is not None:
        rows = rows[rows["estimand"] == target.estimand]
    levels = rows["level"].dropna()
    if levels.empty:
        return rows
    return rows[rows["level"] == min(levels.unique(), key=lambda level: abs(level - MAIN_LEVEL))]


def _named(target: Target) -> str:
    return f"{target.measure} of {target.estimand}" if target.estimand else target.measure


def _mcse(rows: pd.DataFrame) -> np.ndarray:
    """Return the (row,) MCSE, of proportions as half the Wilson width; NaN where there is none."""
    n, p = _n_effective(rows), rows["value"].to_numpy(float)
    mcse = np.where(rows["n_used"].to_numpy() > 1, rows["mcse"].to_numpy(float), np.nan)
    with np.errstate(invalid="ignore"):
        return np.where(_is_proportion(rows), np.sqrt(p * (1 - p) * n + 0.25) / (n + 1), mcse)


def _needed(rows: pd.DataFrame, mcse: np.ndarray, goal: float) -> np.ndarray:
    """Return the (row,) replicates needed; those that were left out so far are expected to be so again."""
    p = rows["value"].to_numpy(float)
    variance = p * (1 - p)
    # h(p, n) = goal, solved for n.
    root = np.sqrt(np.maximum(variance**2 - 4 * variance * goal**2 + goal**2, 0))
    trials = np.maximum(variance - 2 * goal**2 + root, 0) / (2 * goal**2)
    factor = np.where(_is_proportion(rows), trials / _n_effective(rows), (mcse / goal) ** 2)
    return np.ceil(rows["n_replicates"].to_numpy(float) * factor * (1 - ROUNDING))


def _is_proportion(rows: pd.DataFrame) -> np.ndarray:
    """Return (row,) bool; proportions are what has a Wilson interval."""
    return rows["lower"].notna().to_numpy()


def _n_effective(rows: pd.DataFrame) -> np.ndarray:
    """Return the (row,) number of independent trials that would have a proportion's MCSE, n where it has none."""
    n, p = rows["n_used"].to_numpy(float), rows["value"].to_numpy(float)
    square = rows["mcse"].to_numpy(float) ** 2
    trials = n.copy()
    return np.divide(p * (1 - p), square, out=trials, where=(square > ROUNDING**2) & (p > 0) & (p < 1))


def _n_replicates(performance: pd.DataFrame) -> int:
    """Return the smallest number of replicates of a scenario and method."""
    of_scenarios = performance.loc[performance["scenario"].notna() & performance["bin"].isna(), "n_replicates"]
    return int(of_scenarios.min()) if len(of_scenarios) else 0


def _listed(targets: Target | Sequence[Target]) -> Sequence[Target]:
    return [targets] if isinstance(targets, Target) else targets
