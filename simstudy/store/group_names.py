"""What the groups of a run are called: the user's own names, where its data have any."""

from collections.abc import Mapping
from typing import Any


def group_names(run: Any) -> dict[str, dict[int, str]]:
    """Return scenario -> group -> its name; no scenario whose groups are only numbered.

    Args:
        run: ``types.RunTables``, with a table of labels where groups have names; runs made before have none.
    """
    table = getattr(run, "labels", None)
    if table is None or table.empty:
        return {}
    names: dict[str, dict[int, str]] = {}
    for scenario, group, label in zip(table["scenario"], table["group"], table["label"], strict=True):
        names.setdefault(str(scenario), {})[int(group)] = str(label)
    return names


def called(names: Mapping[int, str], group: int) -> str:
    """Return what a group is called: its name, that of a number as such, or its place from 1.

    >>> called({0: "Lincoln High"}, 0), called({0: "007"}, 0), called({}, 0)
    ('Lincoln High', 'group 007', 'group 1')
    """
    name = names.get(group, str(group + 1))
    return f"group {name}" if name.isdecimal() else name
