"""A picture of the levels of a factor, and what those of one data set say: estimates, truth, errors in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from simstudy.models.estimands import Estimand
from simstudy.report import figures
from simstudy.report.figures.canvas import WIDE
from simstudy.report.reading.replicate import DrawnReplicate
from simstudy.report.reading.vocabulary import declared
from simstudy.report.reading.wording import number, symbol


@dataclass(frozen=True, kw_only=True)
class LevelFigure:
    """A picture of the levels of a factor.

    Args:
        kind: name of the function that draws it.
        factor: whose levels it shows, the innermost of nested ones.
        title: what it is.
        caption: what to see in it.
        draw: width in inches -> figure, by the keyword ``width``.
        width: of the wide one, in inches.
    """

    kind: str
    factor: str
    title: str
    caption: str
    draw: Callable[..., Figure]
    width: float


def effects_of(factor: str) -> list[Estimand]:
    """Return the effects of a factor's levels: one kind, or intercepts and slopes."""
    return [e for e in declared().effects if e.factor == factor]


def factors_of(drawn: DrawnReplicate) -> dict[str, pd.DataFrame]:
    """Return factor -> its levels, in the order of the design."""
    return {str(name): rows.sort_values("level") for name, rows in drawn.levels.groupby("factor", sort=False)}


def predictor_of_cells() -> Estimand:
    """Return the effects that are those of cells."""
    return next(e for e in declared().effects if e.factor is None)


def values_of(drawn: DrawnReplicate, factor: str, levels: pd.DataFrame) -> tuple[pd.DataFrame, str, pd.Series | None]:
    """Return estimates of the levels of a factor, what they are, and means of the data where these are comparable.

    They are the predictor of the cells where these are the levels and nothing else tells them apart, so that intercept
    and effects are told together; else the effects.
    """
    is_alone = drawn.cells.shape[1] == 1 and len(drawn.cells) == len(levels)
    if not is_alone:
        name = effects_of(factor)[0].name
        return drawn.estimates(name), symbol(name), None
    name, observed = predictor_of_cells().name, drawn.observed
    level = drawn.cells[factor].astype(int)
    rows = drawn.estimates(name)
    rows = rows.assign(level=rows["level"].map(level).astype(int))
    return (
        rows,
        symbol(name),
        None if observed is None else pd.Series(observed.to_numpy(), index=level[observed.index].to_numpy()),
    )


def truth_of(rows: pd.DataFrame) -> pd.Series | None:
    """Return level -> true value, or None where it is not known."""
    known = rows.dropna(subset="truth").drop_duplicates("level").set_index("level")["truth"]
    return known.astype(float) if len(known) else None


def told_errors(rows: pd.DataFrame, level: float, what: str) -> str:
    """Return how far estimates are from the truth in this data set, and how many intervals hold it."""
    if (known := rows.dropna(subset="truth")).empty:
        return ""
    each = []
    for method, mine in known.groupby("method", sort=False):
        error = float(np.sqrt(((mine["mean"] - mine["truth"]) ** 2).mean()))
        holds = int(((mine["lower"] <= mine["truth"]) & (mine["truth"] <= mine["upper"])).sum())
        each.append(f"“{method}” {number(error)}, with {holds} of {len(mine)} intervals that hold the truth")
    return f" Root mean squared error over these {what}: {'; '.join(each)} ({100 * level:g} %)."


def spread_out(levels: pd.DataFrame, most: int) -> pd.DataFrame:
    """Return at most so many levels, evenly spread over them."""
    if len(levels) <= most:
        return levels
    return levels.iloc[np.unique(np.linspace(0, len(levels) - 1, most).round().astype(int))]


def outer_of(levels: pd.DataFrame) -> str | None:
    """Return the factor that the levels of a factor are nested in, or None."""
    within = levels["within"].iloc[0]
    return str(within) if isinstance(within, str) else None


def level_figure(
    kind: str,
    factor: str,
    title: str,
    caption: str,
    table: pd.DataFrame,
    about: dict[str, Any],
    *,
    width: float = WIDE,
) -> LevelFigure:
    """Return a picture that a function of ``figures`` draws, ``kind``, of a table and what it takes besides."""
    draw = partial(getattr(figures, kind), table, **about)
    return LevelFigure(kind=kind, factor=factor, title=title, caption=caption, draw=draw, width=width)
