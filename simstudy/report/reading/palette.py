"""Which color, marker and line each method has in the figures of a report; the inks of the page.

Where the methods have an order, as those that differ in one prior, a figure about that order draws them on a ramp.

Colors follow the Okabe-Ito palette (Okabe & Ito 2008, Color Universal Design), darkened for white paper and lightened
for dark paper until each has a contrast of at least 3 to its paper (WCAG 2.2, 1.4.11). A marker tells methods apart
where color cannot. A figure is drawn in the light colors; ``svg.py`` turns them into variables of the page.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import pandas as pd

from simstudy.store.traits import pooling_of

Dash = Literal["-", "--", ":", "-."]


@dataclass(frozen=True, kw_only=True)
class Mark:
    """How a method is drawn: light and dark are hexadecimal colors, marker and dash are matplotlib's."""

    light: str
    dark: str
    marker: str
    dash: Dash = "-"


INK, MUTED, GRID, PAPER = "#1d2330", "#5a6372", "#e1e4ea", "#fdfdfb"
DARK_INK, DARK_MUTED, DARK_GRID, DARK_PAPER = "#e7e9ee", "#a3abb9", "#333a46", "#14171d"

COMPLETE = Mark(light="#00845f", dark="#2fc196", marker="s")
NONE = Mark(light="#bf5000", dark="#f5853f", marker="^")
NONCENTERED = Mark(light="#0069a8", dark="#58aeea", marker="o")
CENTERED = Mark(light="#b0518a", dark="#e29ac3", marker="D")
SPARE = (
    Mark(light="#9a6700", dark="#e8b23a", marker="v"),
    Mark(light="#6a4fb3", dark="#b6a2f2", marker="X"),
    Mark(light="#4d5d1f", dark="#b5cc6a", marker="<"),
    Mark(light="#7a2e2e", dark="#e89a9a", marker=">"),
    Mark(light="#3f4a5a", dark="#c3cbd8", marker="p"),
    Mark(light="#1f79a9", dark="#8fd3ff", marker="P"),
)
ANCHORS: dict[tuple[str | None, str | None], Mark] = {
    ("complete", None): COMPLETE,
    ("none", None): NONE,
    ("partial", "noncentered"): NONCENTERED,
    ("partial", "centered"): CENTERED,
}
DASHES: tuple[Dash, ...] = ("-", "--", ":", "-.")
RAMP = (
    Mark(light="#6b9a1d", dark="#dff07c", marker="o"),
    Mark(light="#1b9379", dark="#86dc86", marker="s"),
    Mark(light="#237a92", dark="#43bba8", marker="^"),
    Mark(light="#3a5691", dark="#4a97cc", marker="D"),
    Mark(light="#4a2f80", dark="#7583ea", marker="v"),
    Mark(light="#34103f", dark="#b062e0", marker="P"),
)

INKS = {
    "ink": (INK, DARK_INK),
    "muted": (MUTED, DARK_MUTED),
    "grid": (GRID, DARK_GRID),
    "paper": (PAPER, DARK_PAPER),
}


def assign_marks(methods: pd.DataFrame) -> dict[str, Mark]:
    """Return one mark per method, in the order of the methods table.

    The first method that plays a part in pooling (and has a parameterization) has the color of that part; all others
    take spare colors, and, when those are used up, the spare colors again with another dash.

    Args:
        methods: columns ``method``, and ``pooling`` and ``parameterization`` where known; without ``pooling``, as in
            runs made before, ``structure`` serves.

    >>> table = pd.DataFrame({"method": ["a", "b"], "pooling": ["none", "none"], "parameterization": [None, None]})
    >>> [mark.marker for mark in assign_marks(table).values()]
    ['^', 'v']
    """
    free = dict(ANCHORS)
    marks: dict[str, Mark] = {}
    n_spare = 0
    for row in methods.assign(pooling=pooling_of(methods)).to_dict("records"):
        anchor = free.pop(_kind(row), None)
        if anchor is None:
            spare = SPARE[n_spare % len(SPARE)]
            dash = DASHES[n_spare // len(SPARE) % len(DASHES)]
            anchor = Mark(light=spare.light, dark=spare.dark, marker=spare.marker, dash=dash)
            n_spare += 1
        marks[str(row["method"])] = anchor
    return marks


def name_marks(names: list[str]) -> dict[str, Mark]:
    """Return marks for methods of which nothing but the name is known."""
    return assign_marks(pd.DataFrame({"method": names}))


def ramp_marks(names: list[str]) -> dict[str, Mark]:
    """Return marks whose colors have an order, as the names have: from light green to dark violet.

    More names than the ramp has steps go through it again with another dash.

    >>> [mark.light for mark in ramp_marks(["narrow", "wide"]).values()] == [RAMP[0].light, RAMP[-1].light]
    True
    """
    n, most = len(names), len(RAMP)
    if n > most:
        steps = [(i % most, DASHES[i // most % len(DASHES)]) for i in range(n)]
    else:
        steps = [(round(i * (most - 1) / max(n - 1, 1)), DASHES[0]) for i in range(n)]
    return {name: replace(RAMP[step], dash=dash) for name, (step, dash) in zip(names, steps, strict=True)}


def css_variables() -> dict[str, tuple[str, str]]:
    """Return every color of a report by the name of its CSS variable, as (light, dark).

    >>> css_variables()["ink"]
    ('#1d2330', '#e7e9ee')
    """
    marks = [*ANCHORS.values(), *SPARE, *RAMP]
    return {**INKS, **{f"mark-{i}": (mark.light, mark.dark) for i, mark in enumerate(marks)}}


def variable_of(color: str) -> str | None:
    """Return the CSS variable of a light color, or None for a color that is the same on light and dark paper."""
    names = {light: name for name, (light, _) in css_variables().items()}
    return names.get(color.lower())


def _kind(row: Mapping[Any, Any]) -> tuple[str | None, str | None]:
    pooling, parameterization = row.get("pooling"), row.get("parameterization")
    return (
        pooling if isinstance(pooling, str) else None,
        parameterization if pooling == "partial" and isinstance(parameterization, str) else None,
    )
