"""Intervals of a table of estimates: made of standard errors, and those with an infinite end.

An interval with an infinite end contains the truth or not like any other, so it counts in coverage and rejection. The
mean width of such intervals is infinite, and so are interval scores; measures are taken with the ends moved to where
numbers end for them (``FAR``), and values that are infinite are then said to be.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from scipy.special import ndtri

from simstudy.measures.measure import Measure, Setting
from simstudy.measures.rows.replicates import Replicates, Score

FAR = 2e75
"""Beyond every number that a table may hold; fourth powers of it are numbers still."""
OF_WIDTH = ("width", "interval_score")
OF_SPREAD = ("model_se", "relative_error")


def add_interval(found: dict[str, np.ndarray], *, level: float, df: np.ndarray | None) -> None:
    """Add ``lower`` and ``upper``, mean -+ q sd, with q the quantile of the normal distribution or of t with ``df``.

    Args:
        found: (row,) ``mean`` and ``sd``.
        level: of the interval, in (0, 1).
        df: (row,) degrees of freedom, above 0, infinite ones for the normal distribution; None for it throughout.
    """
    probability = (1 + level) / 2
    q: np.ndarray | float
    if df is None:
        q = float(ndtri(probability))
    else:
        from scipy.stats import t  # slow to import: not before it is needed

        q = t.ppf(probability, df)
    with np.errstate(invalid="ignore", over="ignore"):
        half = q * found["sd"]
        found["lower"], found["upper"] = found["mean"] - half, found["mean"] + half


def bounded(columns: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the columns with infinite ends and sds at ``FAR``, and where they were in ``is_endless``, ``is_spread``.

    Both are (row,) 1.0 or 0.0.
    """
    found = dict(columns)
    pairs = (("is_endless", ("lower", "upper")), ("is_spread", ("sd",)))
    for flag, names in pairs:
        if known := [name for name in names if name in columns]:
            found[flag] = np.logical_or.reduce([np.isinf(columns[name]) for name in known]).astype(float)
            found |= {name: np.clip(columns[name], -FAR, FAR) for name in known}
    return found


def infinite_where_unbounded(measure: Measure) -> Measure:
    """Return a measure whose value is infinite in cells in which an interval, or a standard error, is."""
    flag = "is_endless" if measure.name in OF_WIDTH else "is_spread" if measure.name in OF_SPREAD else None
    if flag is None:
        return measure
    function: Callable[[Replicates, Setting], Score] = measure.function

    def or_infinite(cells: Replicates, setting: Setting) -> Score:
        score = function(cells, setting)
        is_infinite = cells.count(cells.reduce(cells[flag]) > 0) > 0
        return replace(
            score,
            value=np.where(is_infinite, np.inf, score.value),
            mcse=np.where(is_infinite, np.nan, score.mcse),
            influence=None,
            kept=is_infinite,
        )

    return replace(measure, function=or_infinite, needs=(*measure.needs, flag))
