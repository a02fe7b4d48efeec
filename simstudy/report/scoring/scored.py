"""Estimates and their performance as figures and sentences read them: scenarios with factors, marks, rows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from simstudy.measures.score import Estimates
from simstudy.measures.score.keys import quoted
from simstudy.models.estimands import Estimand
from simstudy.report.reading.design import NOT_FACTORS, read_design
from simstudy.report.reading.palette import Mark, name_marks
from simstudy.report.reading.readings import average, quick_to_read
from simstudy.report.reading.vocabulary import Vocabulary
from simstudy.store.declared import Declared
from simstudy.store.schema import interval_columns

ONLY_SCENARIO, ONLY_METHOD = "all estimates", "estimates"
PLAIN_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?")
OWN_NAME = "\u00a0"
"""Ends the name of a factor that is called like a column of the table of scenarios, and is not seen."""


@dataclass(frozen=True, kw_only=True)
class Scored:
    """Estimates with their performance table.

    Args:
        estimates: as they were read.
        table: their performance, as ``score_estimates`` returns it.
    """

    estimates: Estimates
    table: pd.DataFrame

    @cached_property
    def performance(self) -> pd.DataFrame:
        """The performance table, in which every row has a scenario and a method."""
        filled = self.table.assign(
            scenario=self.table["scenario"].fillna(ONLY_SCENARIO), method=self.table["method"].fillna(ONLY_METHOD)
        )
        return quick_to_read(filled)

    @cached_property
    def scenarios(self) -> pd.DataFrame:
        """One row per scenario: ``scenario``, ``label``, and the columns that name it as factors."""
        keys = self.estimates.keys
        first = self._first
        factors = {
            name + OWN_NAME if name in NOT_FACTORS else name: _numbers_or_texts(
                keys.labels[name][first], np.asarray(self.estimates.by_values[name])[first]
            )
            for name in keys.by
            if name != "estimand"
        }
        frame = pd.DataFrame({"scenario": self._texts, "label": self._texts, **factors}, dtype=object).infer_objects()
        return frame.drop_duplicates("scenario", ignore_index=True)

    @cached_property
    def labels(self) -> dict[str, str]:
        """Scenario -> what it is called, in the order of the table: the bare name where one column of names tells."""
        design = read_design(self.scenarios)
        if len(design.factors) == 1 and design.axis is None:
            return {str(scenario): str(level) for scenario, level in design.levels[design.factors[0]].items()}
        return design.labels

    @cached_property
    def marks(self) -> dict[str, Mark]:
        """Method -> how it is drawn, in the order of the table."""
        return name_marks(list(dict.fromkeys(self.rows["method"])))

    @cached_property
    def estimands(self) -> list[str]:
        """What is estimated, in the order of the table."""
        return list(dict.fromkeys(self.rows["estimand"]))

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """Names as the table has them: nothing in it is called by a letter that it does not have."""
        factors = [str(name) for name in self.scenarios.columns]
        plain = {name: Estimand(name=name) for name in (*self.estimands, *factors)}
        return Vocabulary(declared=Declared(plain), factors={name: name for name in factors})

    @cached_property
    def rows(self) -> pd.DataFrame:
        """One row per estimate: ``scenario``, ``method``, ``estimand``, ``replicate``, ``mean``, ``truth``, ``error``.

        With intervals also their ends, by the names of their quantiles, and half their width as ``sd``.
        """
        keys, columns = self.estimates.keys, self.estimates.columns
        scenario = np.array(self._texts, dtype=object)[keys.scenario]
        frame = {
            "scenario": scenario,
            "method": keys.labels[keys.method] if keys.method else ONLY_METHOD,
            "estimand": keys.labels["estimand"] if "estimand" in keys.by else self.estimates.named.estimate,
            "replicate": self.estimates.replicate,
            **{name: columns[name] for name in ("mean", "truth", "error")},
        }
        if self.has_intervals:
            frame |= dict(zip(interval_columns(self.estimates.level), self._ends, strict=True))
            frame["sd"] = (self._ends[1] - self._ends[0]) / 2
        return pd.DataFrame(frame)

    @property
    def has_intervals(self) -> bool:
        """Whether there are intervals."""
        return "lower" in self.estimates.columns

    def of(self, measure: str, estimand: str) -> pd.DataFrame:
        """Return the rows of a measure, one per scenario and method."""
        return average(self.performance, measure, estimand=estimand)

    def has(self, measure: str, estimand: str) -> bool:
        """Return whether a measure has a value anywhere."""
        return bool(self.of(measure, estimand)["value"].notna().any())

    @cached_property
    def _first(self) -> np.ndarray:
        """(scenario,) first row of each scenario of the keys, of which an estimand is part."""
        return np.unique(self.estimates.keys.scenario, return_index=True)[1]

    @cached_property
    def _texts(self) -> list[str]:
        return [text or ONLY_SCENARIO for text in self.estimates.keys.scenario_texts(self._first)]

    @cached_property
    def _ends(self) -> tuple[np.ndarray, np.ndarray]:
        """(row,) ends of the intervals; infinite ones lie a tenth beyond the farthest finite one."""
        low, high = (self.estimates.columns[end] for end in ("lower", "upper"))
        reach = 1.1 * np.nanmax(np.abs(np.where(np.isfinite([low, high]), [low, high], np.nan)), initial=0.0)
        return np.clip(low, -reach, reach), np.clip(high, -reach, reach)


def _numbers_or_texts(labels: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return the levels of a factor as numbers where they are written as plain numbers, each its own."""
    if values.dtype != object:
        return values
    texts = np.array([quoted(label) for label in labels], dtype=object)
    if not all(PLAIN_NUMBER.fullmatch(label) for label in labels):
        return texts
    numbers = labels.astype(float)
    return numbers if len(set(numbers)) == len(set(labels)) else texts
