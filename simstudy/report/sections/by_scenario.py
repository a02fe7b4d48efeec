"""Tables with one row per scenario and method, and for each measure its value, MCSE and interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import pandas as pd

from simstudy.report.reading.palette import Mark
from simstudy.report.reading.readings import average
from simstudy.report.reading.wording import measure_words
from simstudy.report.tables import Column

KEYS = ["scenario", "method"]
PER_THOUSAND = 1000
PARTS = ("value", "mcse", "lower", "upper")


class Scores(Protocol):
    """A performance table with the names and the order of its scenarios and methods."""

    @property
    def performance(self) -> pd.DataFrame:
        """The performance table."""

    @property
    def labels(self) -> Mapping[str, str]:
        """Scenario -> what it is called, in their order."""

    @property
    def marks(self) -> Mapping[str, Mark]:
        """Method -> how it is drawn, in their order."""


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A measure as a table shows it.

    Args:
        measure: its name.
        estimand: of one estimand, None for measures that have one only.
        percent: whether it is a share, shown in percent with its interval.
        per_thousand: whether it is a rate, shown per 1,000.
    """

    measure: str
    estimand: str | None = None
    percent: bool = False
    per_thousand: bool = False


def measure_frame(evidence: Scores, shown: Sequence[Shown]) -> pd.DataFrame:
    """Return the measures side by side: ``scenario``, ``label``, ``method``, then the parts of each measure.

    The value of a measure has the measure's name, its MCSE and the ends of its interval have that name with ``_mcse``,
    ``_lower`` and ``_upper``. Rows are in the order of the design; columns without a number are left out.
    """
    parts = [_part(evidence, one) for one in shown]
    frame = pd.concat(parts, axis=1).dropna(axis="columns", how="all").dropna(how="all").reset_index()
    ranks = {name: i for i, name in enumerate([*evidence.labels, *evidence.marks])}
    frame = frame.sort_values(KEYS, key=lambda column: column.map(ranks), kind="stable", ignore_index=True)
    frame.insert(1, "label", frame["scenario"].map(evidence.labels))
    return frame


def measure_columns(frame: pd.DataFrame, shown: Sequence[Shown]) -> list[Column]:
    """Return the columns of such a frame, those with scenario and method first."""
    columns = [Column(head="scenario", source="label"), Column(head="method", source="method")]
    return columns + [_column(frame, one) for one in shown if one.measure in frame]


def _part(evidence: Scores, one: Shown) -> pd.DataFrame:
    table = average(evidence.performance, one.measure, estimand=one.estimand).set_index(KEYS)
    names = {part: one.measure if part == "value" else f"{one.measure}_{part}" for part in PARTS}
    return table[list(PARTS)].rename(columns=names)


def _column(frame: pd.DataFrame, one: Shown) -> Column:
    def known(part: str) -> str | None:
        return f"{one.measure}_{part}" if f"{one.measure}_{part}" in frame else None

    lower, upper = known("lower"), known("upper")
    ends = (lower, upper) if one.percent and lower and upper else None
    words = measure_words(one.measure)
    return Column(
        head=f"{words} per 1,000" if one.per_thousand else words,
        source=one.measure,
        mcse=known("mcse"),
        ends=ends,
        percent=one.percent,
        scale=PER_THOUSAND if one.per_thousand else 1,
    )
