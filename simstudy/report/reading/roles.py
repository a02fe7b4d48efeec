"""Which methods of a study play the parts that a report on pooling speaks about."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from simstudy.store.traits import pooling_of


@dataclass(frozen=True, kw_only=True)
class Roles:
    """The first method of each kind, or None, and all of partial pooling.

    Attributes:
        separate: no pooling.
        complete: complete pooling.
        partial: partial pooling, non-centered where there is one.
        centered: partial pooling, centered.
        noncentered: partial pooling, non-centered.
        pooling: every method of partial pooling.
    """

    separate: str | None = None
    complete: str | None = None
    partial: str | None = None
    centered: str | None = None
    noncentered: str | None = None
    pooling: tuple[str, ...] = ()

    @property
    def rivals(self) -> list[str]:
        """What partial pooling is compared with."""
        return [name for name in (self.separate, self.complete) if name]

    @property
    def peers(self) -> list[str]:
        """The other methods of partial pooling."""
        return [name for name in self.pooling if name != self.partial]


def read_roles(methods: pd.DataFrame) -> Roles:
    """Return the parts that the methods play.

    Args:
        methods: columns ``method``, and ``pooling`` and ``parameterization`` where known; without ``pooling``, as in
            runs made before, ``structure`` serves.

    >>> table = pd.DataFrame({"method": ["a", "b"], "pooling": ["none", "partial"]})
    >>> read_roles(table).partial
    'b'
    """
    centered = _first(methods, "partial", "centered")
    noncentered = _first(methods, "partial", "noncentered")
    return Roles(
        separate=_first(methods, "none"),
        complete=_first(methods, "complete"),
        partial=noncentered or centered or _first(methods, "partial"),
        centered=centered,
        noncentered=noncentered,
        pooling=tuple(methods.loc[pooling_of(methods) == "partial", "method"].astype(str)),
    )


def _first(methods: pd.DataFrame, pooling: str, parameterization: str | None = None) -> str | None:
    here = pooling_of(methods) == pooling
    if parameterization is not None:
        here &= methods.get("parameterization", pd.Series(None, index=methods.index)) == parameterization
    return str(methods.loc[here, "method"].iloc[0]) if here.any() else None
