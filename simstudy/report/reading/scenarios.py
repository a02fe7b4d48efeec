"""Scenarios by what people call them: an id or its beginning, a label, or parts of one."""

from __future__ import annotations

from simstudy.errors import TableError
from simstudy.report.reading.design import Design
from simstudy.store.labels import begun_by, labeled, listed
from simstudy.types import RunTables

MOST_LISTED = 12


def find_scenarios(run: RunTables, design: Design, called: str) -> list[str]:
    """Return the ids of the scenarios that are called so, in the order of the design.

    A name is an id or the beginning of one, a label (``groups=4, tau=0.5``) or parts of it (``tau=0.5``), as the run's
    table of scenarios has it or in the letters of the report (``J = 4, τ = 0.5``). A whole label wins over parts.

    Args:
        run: the run's tables.
        design: its design.
        called: the name.

    Raises:
        TableError: no scenario is called so.
    """
    if by_id := begun_by(design.labels, called):
        return by_id
    ids = run.scenarios["scenario"].astype(str)
    labels = dict(zip(ids, run.scenarios.get("label", ids).astype(str), strict=True))
    for names in (labels, design.labels):
        if found := labeled(names, called):
            return found
    known = listed(labels, most=MOST_LISTED)
    raise TableError(f"scenario: none is called {called!r}; expected the id or the label, or a part, of\n{known}")
