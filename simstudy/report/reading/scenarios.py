"""Scenarios by what people call them: an id or its beginning, a label, or parts of one."""

from __future__ import annotations

from collections.abc import Mapping

from simstudy.errors import TableError
from simstudy.report.reading.design import Design
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
    if by_id := [identity for identity in design.labels if called and identity.startswith(called)]:
        return by_id
    ids = run.scenarios["scenario"].astype(str)
    labels = dict(zip(ids, run.scenarios.get("label", ids).astype(str), strict=True))
    for names in (labels, design.labels):
        if found := _labeled(names, called):
            return found
    lines = [f"  {identity}  {labels[identity]}" for identity in labels]
    more = [f"  and {len(lines) - MOST_LISTED} more"] if len(lines) > MOST_LISTED else []
    listed = "\n".join([*lines[:MOST_LISTED], *more])
    raise TableError(f"scenario: none is called {called!r}; expected the id or the label, or a part, of\n{listed}")


def _labeled(labels: Mapping[str, str], called: str) -> list[str]:
    """Return the scenarios with that label or, where there is none, those whose labels have every part of it."""
    parts = {identity: _parts(label) for identity, label in labels.items()}
    wanted = _parts(called)
    whole = [identity for identity, known in parts.items() if known == wanted]
    return whole or [identity for identity, known in parts.items() if wanted and wanted <= known]


def _parts(label: str) -> set[str]:
    """Return the parts of a label, without the spaces in them.

    >>> sorted(_parts("J = 4, tau=0.5"))
    ['J=4', 'tau=0.5']
    """
    return {"".join(part.split()) for part in label.split(",")} - {""}
