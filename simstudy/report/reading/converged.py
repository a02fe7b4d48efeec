"""A run without the fits that did not converge: what its answer becomes."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from simstudy.types import RunTables

FIT = ["scenario", "replicate", "method"]
OF_FITS = ("fits", "chains", "estimates")


@dataclass(frozen=True, kw_only=True)
class Converged:
    """The tables of a run without some of its fits, for some of its estimands. Satisfies ``types.RunTables``.

    Args:
        run: the run.
        is_kept: (fit,) bool, rows of ``run.fits`` that stay.
        kept_estimands: names of those that stay.
    """

    run: RunTables
    is_kept: np.ndarray
    kept_estimands: frozenset[str]

    def __getattr__(self, name: str) -> Any:
        """Return what belongs to no fit as the run has it."""
        return getattr(object.__getattribute__(self, "run"), name)

    @cached_property
    def fits(self) -> pd.DataFrame:
        """The fits that stay."""
        return self.run.fits[self.is_kept].reset_index(drop=True)

    @cached_property
    def groups(self) -> pd.DataFrame:
        """The groups of the replicates that some fit is left of."""
        return self._seen(self.run.groups)

    def _seen(self, groups: pd.DataFrame) -> pd.DataFrame:
        return groups[groups["replicate"].isin(self.fits["replicate"])].reset_index(drop=True)

    @cached_property
    def _keys(self) -> pd.MultiIndex:
        return _keys_of(self.fits)

    @property
    def estimates(self) -> pd.DataFrame:
        """Their estimates."""
        return pd.concat(list(self.parts("estimates")), ignore_index=True)

    def parts(
        self, table: str, columns: Sequence[str] | None = None, *, where: Mapping[str, Collection[Any]] | None = None
    ) -> Iterator[pd.DataFrame]:
        """Yield what is kept of a table in pieces, as ``RunTables.parts`` does."""
        where = dict(where or {})
        if table == "estimates":
            where["estimand"] = self.kept_estimands & set(where.get("estimand", self.kept_estimands))
        keys = FIT if table in OF_FITS else FIT[:2]
        needed = columns if columns is None else [*dict.fromkeys((*columns, *keys))]
        for piece in self.run.parts(table, needed, where=where):
            kept = piece[_keys_of(piece).isin(self._keys)] if table in OF_FITS else self._seen(piece)
            yield kept if columns is None else kept[list(columns)]


def _keys_of(table: pd.DataFrame) -> pd.MultiIndex:
    return pd.MultiIndex.from_arrays([table["scenario"].astype(str), table["replicate"], table["method"].astype(str)])
