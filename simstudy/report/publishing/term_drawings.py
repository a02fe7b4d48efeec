"""The figures of the levels of a factor, each drawn by its name of one data set of one scenario."""

from __future__ import annotations

from collections.abc import Callable

from matplotlib.figure import Figure

from simstudy.errors import TableError
from simstudy.report.levels import level_figures
from simstudy.report.publishing.wish import Wish
from simstudy.report.reading.replicate import drawn_replicate

Draw = Callable[..., Figure]


def level_lines(wish: Wish) -> Draw:
    """The line of each level over a covariate, in one data set: truth and what each method makes of it."""
    return _first(wish, "level_lines", "a factor with slopes")


def level_map(wish: Wish) -> Draw:
    """The map of a factor's levels in one data set: truth, estimates and errors."""
    return _first(wish, "level_map", "a factor whose levels have neighbors or lie in a plane")


def level_series(wish: Wish) -> Draw:
    """The series or curve of a factor's levels in one data set, with each method's band."""
    return _first(wish, "level_series", "a factor whose levels follow one another or lie along a line")


def level_tree(wish: Wish) -> Draw:
    """The tree of nested levels in one data set, under the truth and each method."""
    return _first(wish, "level_tree", "a factor that is nested in another")


def _first(wish: Wish, kind: str, needs: str) -> Draw:
    """Return what draws the first figure of a kind.

    Raises:
        TableError: the run has none.
    """
    drawn = drawn_replicate(wish.evidence, scenario=wish.ids[0] if len(wish.ids) == 1 else None)
    found = [] if drawn is None else [one.draw for one in level_figures(drawn) if one.kind == kind]
    if not found:
        raise TableError(f"needs {needs}")
    return found[0]
