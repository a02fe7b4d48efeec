"""What a figure for a paper is to show: scenarios, an estimand, a measure; all by a run and its performance."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from simstudy.errors import TableError, suggestion
from simstudy.report.evidence import Evidence

MOST_NAMED = 8


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What is to be drawn of a run.

    Args:
        evidence: the run and its performance table.
        scenarios: ids of the scenarios to draw; all where None.
        estimand: its name, or None for that of the run's answer.
        measure: its name, or None for that of the figure.
    """

    evidence: Evidence
    scenarios: tuple[str, ...] | None = None
    estimand: str | None = None
    measure: str | None = None

    @cached_property
    def tables(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """The performance table and the scenarios, those that are wanted alone."""
        performance, scenarios = self.evidence.performance, self.evidence.run.scenarios
        if self.scenarios is None:
            return performance, scenarios
        kept = scenarios["scenario"].astype(str).isin(self.scenarios)
        return performance[performance["scenario"].isin(self.scenarios)], scenarios[kept].reset_index(drop=True)

    @cached_property
    def ids(self) -> list[str]:
        """The ids of the scenarios that are wanted."""
        return [s for s in self.evidence.labels if self.scenarios is None or s in self.scenarios]

    @property
    def one(self) -> str:
        """The one scenario that is wanted.

        Raises:
            TableError: several are.
        """
        if len(self.ids) > 1:
            labels = [self.evidence.labels[s] for s in self.ids]
            some = "; ".join(labels[:MOST_NAMED]) + ("; ..." if len(labels) > MOST_NAMED else "")
            raise TableError(
                f"scenario: the figure shows one scenario, and {len(labels)} are meant; name one of them: {some}"
            )
        return self.ids[0]

    def require_several(self) -> None:
        """Check that the figure has a design to be drawn over.

        Raises:
            TableError: one scenario is wanted.
        """
        if len(self.ids) < 2:
            raise TableError("is drawn over the design, and needs two scenarios at least")

    def estimand_of(self, measure: str) -> str:
        """Return the estimand that is wanted, or that of the run's answer, or the first that has the measure.

        Raises:
            TableError: the run has none, or not that one.
        """
        rows = self.tables[0]
        known = [str(e) for e in rows.loc[rows["measure"] == measure, "estimand"].dropna().unique()]
        if self.estimand is not None and self.estimand not in known:
            near = suggestion(self.estimand, known)
            raise TableError(f"estimand: {measure} has no {self.estimand!r}{near}; it has {', '.join(known) or 'none'}")
        if not known:
            measures = sorted(rows["measure"].dropna().astype(str).unique())
            raise TableError(f"measure: no estimand has {measure!r}{suggestion(measure, measures)}")
        return self.estimand or (str(self.evidence.headline) if self.evidence.headline in known else known[0])


def some(rows: pd.DataFrame, what: str) -> pd.DataFrame:
    """Return rows, of which there must be some.

    Raises:
        TableError: there are none.
    """
    if rows.empty:
        raise TableError(f"needs {what}, and there are none")
    return rows
