"""How a report reads the scenarios of a run: which factors vary, what each scenario is called, along what to plot.

Letters stand for factors (J groups, n observations in each, tau, mu, sigma) where the mechanism or the estimands
declare them; other factors keep their names. Group size and unbalanced sizes are one factor, n, and so are a standard
error of all groups and those of each, se.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pandas as pd

from simstudy.report.reading.vocabulary import COUNTS, declared, factor_letter
from simstudy.store.traits import KNOWN_ERRORS_BEFORE

SIZE = COUNTS["group_size"]
LISTS = {"group_size": "sizes", "standard_error": "standard_errors"}
"""What all groups share -> the column that lists it by group where they differ."""
NOT_FACTORS = ("scenario", "label", "cells", *LISTS, *LISTS.values())
"""Columns that are read otherwise, or follow from others, as the number of cells does from those of levels."""
LAYOUTS = ("graph", "points")
"""Factors that say how the levels of a term lie."""
MAX_MAP_ROWS, MAX_MAP_COLUMNS = 30, 12
SIZES_SHOWN = 12


@dataclass(frozen=True, kw_only=True)
class Design:
    """The factorial design of a run.

    Attributes:
        levels: one row per scenario (the index), one text column per factor that varies.
        numbers: the same with numbers where a factor is numeric.
        labels: scenario -> what it is called, shortest form.
        boundaries: estimand -> scenarios where its truth is at an end of its range, as tau = 0, so that its coverage
            and relative errors mean nothing there; no estimand without such a scenario.
    """

    levels: pd.DataFrame
    numbers: pd.DataFrame
    labels: dict[str, str]
    boundaries: dict[str, frozenset[str]]

    @property
    def factors(self) -> list[str]:
        """Names of the factors that vary."""
        return list(self.levels.columns)

    @property
    def axis(self) -> str | None:
        """The numeric factor to plot along, the spread of effects before group size before their number, or None."""
        numeric = [f for f in self.factors if pd.api.types.is_numeric_dtype(self.numbers[f])]
        first = [*map(factor_letter, declared().spreads), SIZE, COUNTS["groups"]]
        preferred = [f for f in first if f in numeric]
        return (preferred + numeric + [None])[0]

    def others(self, axis: str | None) -> pd.Series:
        """Return, by scenario, the levels of all factors but the axis, in words."""
        rest = [f for f in self.factors if f != axis]
        words = [", ".join(_words(f, row[f]) for f in rest) for _, row in self.levels.iterrows()]
        return pd.Series(words, index=self.levels.index, dtype=str)

    def split(self) -> tuple[list[str], list[str]]:
        """Return the factors for the rows and for the columns of a map over the design."""
        columns = [self.axis] if self.axis else self.factors[-1:]
        rows = [f for f in self.factors if f not in columns]
        while len(rows) > 1 and self._count(rows) > MAX_MAP_ROWS:
            wider = [rows[-1], *columns]
            if self._count(wider) > MAX_MAP_COLUMNS:
                break
            rows, columns = rows[:-1], wider
        return rows, columns

    def boundary_of(self, estimand: str | None) -> frozenset[str]:
        """Return the scenarios where the truth of an estimand is at an end of its range."""
        return self.boundaries.get(estimand or "", frozenset())

    def _count(self, factors: list[str]) -> int:
        return len(self.levels[factors].drop_duplicates())


def read_design(scenarios: pd.DataFrame) -> Design:
    """Return the design that a run's table of scenarios describes.

    Args:
        scenarios: ``scenario``, ``label`` where known, one column per factor.

    >>> table = pd.DataFrame({"scenario": ["a", "b"], "groups": [8, 8], "tau": [0.0, 0.5]})
    >>> read_design(table).labels
    {'a': 'τ = 0', 'b': 'τ = 0.5'}
    """
    ids = scenarios["scenario"].astype(str)
    values = pd.DataFrame(index=pd.Index(ids, name="scenario"))
    for column in scenarios.columns:
        if column not in NOT_FACTORS and _varies(scenarios[column]) and not _follows(str(column), scenarios):
            values[factor_letter(str(column))] = scenarios[column].to_numpy()
    scenarios = _with_errors(scenarios)
    for shared, listed in LISTS.items():
        if _varies(merged := _merged(scenarios, shared, listed)):
            values.insert(min(1, values.shape[1]), factor_letter(shared), merged.to_numpy())
    levels = values.map(_text)
    labels = _labels(scenarios, levels)
    if len({tuple(row) for row in levels.to_numpy()}) < len(levels):
        values = _in_full(values, scenarios)
        levels = values.map(_full_text)
    return Design(
        levels=levels,
        numbers=values,
        labels=labels,
        boundaries=_boundaries(scenarios, ids),
    )


def _follows(column: str, scenarios: pd.DataFrame) -> bool:
    """Whether how the levels of a factor lie follows from how many there are, or that from those of an outer factor.

    >>> table = pd.DataFrame({"levels[area]": [9, 16], "graph[area]": ["lattice 3 x 3", "lattice 4 x 4"]})
    >>> _follows("graph[area]", table)
    True
    >>> nested = pd.DataFrame({"levels[class]": [24, 60], "levels[school]": [8, 20]})
    >>> _follows("levels[class]", nested), _follows("levels[school]", nested)
    (True, False)
    """
    kind, bracket, factor = column.partition("[")
    number = f"levels[{factor}"
    if kind == "levels":
        fewer = [
            str(other)
            for other in scenarios
            if str(other).startswith("levels[") and (scenarios[other] < scenarios[column]).all()
        ]
        return any(scenarios.groupby(other)[column].nunique().max() == 1 for other in fewer)
    if not bracket or kind not in LAYOUTS or number not in scenarios:
        return False
    return bool(scenarios.groupby(number, observed=True)[column].nunique().max() == 1)


def _varies(values: pd.Series) -> bool:
    return len(set(values.map(str))) > 1


def _with_errors(scenarios: pd.DataFrame) -> pd.DataFrame:
    """Return scenarios with standard errors in a column of their own, which runs made before had among the sizes.

    >>> table = pd.DataFrame({"scenario": ["a"], "likelihood": ["normal_known_se"], "sizes": ["0.1,0.5"]})
    >>> _with_errors(table)[["sizes", "standard_errors"]].values.tolist()
    [[None, '0.1,0.5']]
    """
    if not {"likelihood", "sizes"} <= {*scenarios.columns} or "standard_errors" in scenarios:
        return scenarios
    sizes, of_errors = scenarios["sizes"].astype(object), scenarios["likelihood"].isin(KNOWN_ERRORS_BEFORE)
    return scenarios.assign(sizes=sizes.where(~of_errors, None), standard_errors=sizes.where(of_errors, None))


def _merged(scenarios: pd.DataFrame, shared: str, listed: str) -> pd.Series:
    """Return what all groups share, the group size or the standard error, or in words the list where they differ."""
    size = scenarios.get(shared, pd.Series([None] * len(scenarios)))
    text = scenarios.get(listed, pd.Series([None] * len(scenarios)))
    merged = [
        _size_words(t) if t is not None and not _missing(t) else s
        for s, t in zip(size.astype(object), text.astype(object), strict=True)
    ]
    whole = all(isinstance(value, (int, float)) for value in merged)
    return pd.Series(merged).astype(float) if whole else pd.Series(merged, dtype=object)


def _missing(value: object) -> bool:
    return value is None or value is pd.NA or (isinstance(value, float) and value != value) or str(value) == ""


def _size_words(sizes: object) -> str:
    numbers = [p.strip() for p in str(sizes).strip("[]()").split(",")] if isinstance(sizes, str) else list(sizes)  # type: ignore[call-overload]
    text = "/".join(str(number) for number in numbers)
    return text if len(text) <= SIZES_SHOWN else f"{min(numbers, key=float)}–{max(numbers, key=float)}"


def _labels(scenarios: pd.DataFrame, levels: pd.DataFrame) -> dict[str, str]:
    short = {str(i): ", ".join(_words(f, row[f]) for f in levels.columns) for i, row in levels.iterrows()}
    full = scenarios.get("label", scenarios["scenario"]).astype(str)
    if len(set(short.values())) == len(short) and all(short.values()):
        return short
    return dict(zip(scenarios["scenario"].astype(str), full, strict=True))


def _words(factor: str, level: str) -> str:
    return f"{factor} = {level}"


def _text(value: object) -> str:
    if _missing(value):
        return "–"
    return f"{value:g}" if isinstance(value, (int, float)) and not isinstance(value, bool) else str(value)


def _in_full(values: pd.DataFrame, scenarios: pd.DataFrame) -> pd.DataFrame:
    """Return levels with sizes in full, for scenarios that short ones would make one of."""
    values = values.copy()
    for shared, listed in LISTS.items():
        if listed not in scenarios or not _varies(scenarios[listed]):
            continue
        size = scenarios.get(shared, scenarios[listed]).astype(object)
        full = [n if _missing(t) else str(t) for n, t in zip(size, scenarios[listed].astype(object), strict=True)]
        letter = factor_letter(shared)
        if letter not in values:
            values.insert(min(1, values.shape[1]), letter, full)
        values[letter] = full
    return values


def _full_text(value: object) -> str:
    short = _text(value)
    return short if not isinstance(value, float) or _missing(value) or float(short) == value else str(value)


def _boundaries(scenarios: pd.DataFrame, ids: pd.Series) -> dict[str, frozenset[str]]:
    found = {}
    for name in map(str, scenarios.columns):
        ends = (declared()[name].lower, declared()[name].upper)
        if any(map(math.isfinite, ends)):
            found[name] = frozenset(ids[pd.to_numeric(scenarios[name], errors="coerce").isin(ends)])
    return {name: at_end for name, at_end in found.items() if at_end}


def order(names: Iterable[str], known: Sequence[str]) -> list[str]:
    """Return the names in the order of the known ones, unknown names last.

    >>> order(["b", "z", "a"], ["a", "b"])
    ['a', 'b', 'z']
    """
    ranks = {name: i for i, name in enumerate(known)}
    return sorted(dict.fromkeys(names), key=lambda name: ranks.get(name, len(ranks)))
