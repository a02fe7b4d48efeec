"""Measures that a user has registered, by scenario and method, as the built-in ones have theirs."""

from __future__ import annotations

from collections.abc import Iterator

from simstudy.measures.registry import MEASURES
from simstudy.report import ademp
from simstudy.report.evidence import Evidence
from simstudy.report.reading.shown import shown_estimands
from simstudy.report.reading.wording import symbol
from simstudy.report.sections.by_scenario import Shown, measure_columns, measure_frame
from simstudy.report.sections.section import Section
from simstudy.report.tables import Table

MOST_SHOWN = 5


def own_measures_section(evidence: Evidence) -> Section | None:
    """Return the section, or None where no measure of a user's own has a value."""
    tables = list(_tables(evidence))
    if not tables:
        return None
    return Section(name="own-measures", title="Measures of your own", paragraphs=ademp.own_measures(), tables=tables)


def _tables(evidence: Evidence) -> Iterator[Table]:
    """Yield a table for the measures of no estimand, and one for those of each estimand."""
    names = list(MEASURES.extensions)
    rows = evidence.performance[evidence.performance["measure"].isin(names) & evidence.performance["value"].notna()]
    rows = rows[rows["scenario"].notna()]
    known = rows["estimand"].dropna().astype(str).unique()
    for estimand in [None, *(shown_estimands(known) or list(known[:MOST_SHOWN]))]:
        of = rows[rows["estimand"].isna() if estimand is None else rows["estimand"] == estimand]
        shown = [Shown(measure=name, estimand=estimand) for name in names if (of["measure"] == name).any()]
        if shown:
            frame = measure_frame(evidence, shown)
            title = f"Own measures of {'the fits' if estimand is None else symbol(estimand)}"
            yield Table(title=title, frame=frame, columns=measure_columns(frame, shown), note="value ± MCSE")
