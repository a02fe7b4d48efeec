"""Where coverage, bias and standard errors depart from what they should be, beyond 2 MCSE, in sentences."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from simstudy.report.reading.readings import is_clear
from simstudy.report.reading.wording import with_mcse
from simstudy.report.scoring.departures import About, Departure, Way, departure_sentences
from simstudy.report.scoring.scored import Scored

FEW_METHODS = 3
ONE_SIDED, TWO_SIDED = 0.025, 0.05
"""How often a method that is right seems not to be, beyond 2 MCSE in one direction or in either."""
LESS, MORE = Way("cover less than that", "least", ONE_SIDED), Way("cover more than that", "most", ONE_SIDED)
BIASED = Way("are clearly biased", "most", TWO_SIDED)
SMALL, LARGE = Way("are too small", "most", ONE_SIDED), Way("are too large", "most", ONE_SIDED)


def coverage(scored: Scored, estimand: str) -> list[str]:
    """Return where the intervals of each method cover less, or more, than their level, by Wilson intervals."""
    level = scored.estimates.level
    found = []
    for name, rows in by_method(scored, "coverage", estimand):
        size = (rows["value"] - level).abs()
        amount = {label: value_of(row, percent=True) for label, row in rows.iterrows()}
        for way, holds in ((LESS, rows["upper"] < level), (MORE, rows["lower"] > level)):
            found.append(_departure(scored, name, way, rows, size[holds], amount))
    level_words = f"{100 * level:g} %"
    about = About(f"The {level_words} intervals", "The coverage", f"cannot be told from {level_words}")
    return _sentences(scored, found, about)


def bias(scored: Scored, estimand: str) -> list[str]:
    """Return where each method is clearly biased, the worst in units of its empirical SE."""
    spreads = scored.of("empirical_se", estimand).set_index(["scenario", "method"])["value"].to_dict()
    found = []
    for name, rows in by_method(scored, "bias", estimand):
        spread_of = np.array([spreads.get((scenario, name), np.nan) for scenario in rows["scenario"]], dtype=float)
        size = rows["value"].abs() / spread_of
        shares = [
            f"{value_of(row)}, {100 * part:.0f} % of the empirical SE"
            for (_, row), part in zip(rows.iterrows(), size, strict=True)
        ]
        amount = dict(zip(rows.index, shares, strict=True))
        found.append(_departure(scored, name, BIASED, rows, size[_is_clear(rows)], amount))
    return _sentences(scored, found, About("The estimates", "No bias", "is clear (2 MCSE)"))


def spread(scored: Scored, estimand: str) -> list[str]:
    """Return where the model SE of a method is clearly too small or too large for the spread of its estimates."""
    found = []
    for name, rows in by_method(scored, "relative_error", estimand):
        size, clear = rows["value"].abs(), _is_clear(rows)
        by = [with_mcse(v / 100, m / 100, percent=True) for v, m in zip(size, rows["mcse"], strict=True)]
        amount = {label: f"by {words}" for label, words in zip(rows.index, by, strict=True)}
        for way, holds in ((SMALL, rows["value"] < 0), (LARGE, rows["value"] > 0)):
            found.append(_departure(scored, name, way, rows, size[clear & holds], amount))
    about = About("The standard errors", "The mean standard error", "cannot be told from the spread of the estimates")
    return _sentences(scored, found, about)


def by_method(scored: Scored, measure: str, estimand: str) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield the methods that have values of a measure, with the rows of these."""
    table = scored.of(measure, estimand)
    table = table[np.isfinite(table["value"].to_numpy(float))]
    for name in scored.marks:
        if len(rows := table[table["method"] == name]):
            yield name, rows


def value_of(row: pd.Series, *, percent: bool = False) -> str:
    """Return the value of a row with its MCSE."""
    return with_mcse(float(row["value"]), float(row["mcse"]), percent=percent)


def _departure(
    scored: Scored, method: str, way: Way, rows: pd.DataFrame, size: pd.Series, amount: dict[Any, str]
) -> Departure:
    """Return how a method departs in one way: ``size`` has the rows in which it does."""
    if size.empty:
        return Departure(method=method, way=way, n=0, of=len(rows))
    worst = size.index[int(np.argmax(size.to_numpy(float)))]
    return Departure(
        method=method,
        way=way,
        n=len(size),
        of=len(rows),
        where=scored.labels[str(rows["scenario"][worst])],
        amount=amount[worst],
        size=float(size[worst]),
    )


def _is_clear(rows: pd.DataFrame) -> np.ndarray:
    return np.array([is_clear(value, mcse) for value, mcse in zip(rows["value"], rows["mcse"], strict=True)], bool)


def _sentences(scored: Scored, found: list[Departure], about: About) -> list[str]:
    anywhere = " in any scenario" if len(scored.labels) > 1 else ""
    return departure_sentences(
        found,
        about=about,
        named=scored.estimates.keys.method is not None,
        many=len(scored.marks) > FEW_METHODS,
        anywhere=anywhere,
    )
