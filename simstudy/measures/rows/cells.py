"""Cells of a performance table: rows put together by scenario, method, estimand, and group or bin."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from simstudy.measures.rows.replicates import Replicates
from simstudy.measures.rows.rows import Rows

AVERAGE = "average"
NAMES = ("scenario", "method", "estimand", "group", "bin")
BIN_WIDTH = 0.5
LAST_BIN = 3.0
DIVERGENCES = ("divergences=none", "divergences=some")


@dataclass(frozen=True, kw_only=True)
class Cells:
    """Cells and what they are called.

    Args:
        replicates: rows nested in replicates nested in cells.
        names: one row per cell with the columns ``NAMES``, None where a name does not apply; ``role``, the part that
            the estimand plays, and ``reference``.
        n_replicates: (cell,) replicates that were attempted.
        n_left_out: (cell,) replicates that do not count; None where all others but those used do not.
    """

    replicates: Replicates
    names: pd.DataFrame
    n_replicates: np.ndarray
    n_left_out: np.ndarray | None = None

    @property
    def all(self) -> Replicates:
        """All rows."""
        return self.replicates

    @cached_property
    def truth(self) -> Replicates:
        """The replicates whose truth is known."""
        known = np.isfinite(self.replicates["truth"])
        gaps = np.bincount(self.replicates.unit, weights=~known, minlength=len(self.replicates.cell))
        return self.replicates.select(gaps == 0)

    @cached_property
    def interior(self) -> Replicates:
        """Those of the cells in which no truth lies at the end of its range."""
        return self.truth.select(~self.truth.over_units(self._has_end))

    @cached_property
    def boundary(self) -> Replicates:
        """Those of the cells in which a truth does."""
        return self.truth.select(self.truth.over_units(self._has_end))

    def with_roles(self, replicates: Replicates, roles: Sequence[str], *, names: Sequence[str]) -> Replicates:
        """Return the replicates of the estimands that play some roles, with the named columns."""
        chosen = self.names["role"].isin(roles).to_numpy()
        return replicates.select(replicates.over_units(chosen), names=names)

    def with_references(self, references: Mapping[str, str], *, by: str = "estimand") -> "Cells":
        """Return the cells with the reference method of their estimand, or of another of their names, as a name."""
        return replace(self, names=self.names.assign(reference=self.names[by].map(references).astype(object)))

    @cached_property
    def _has_end(self) -> np.ndarray:
        rows = self.replicates.cell[self.replicates.unit]
        return np.bincount(rows, weights=self.replicates["at_end"], minlength=self.replicates.n_cells) > 0


def nest(
    cell: np.ndarray, replicate: np.ndarray, columns: Mapping[str, np.ndarray], *, n_cells: int, **options: Any
) -> Replicates:
    """Return rows nested in replicates nested in cells.

    Args:
        cell: (row,) index of the row's cell.
        replicate: (row,) integer of the row's replicate, at least 0.
        columns: name -> (row,) values.
        n_cells: number of cells, those without rows included.
        options: passed on to ``Replicates``.
    """
    n = int(replicate.max(initial=0)) + 1
    unit, units = pd.factorize(cell * n + replicate)
    of_cell, of_replicate = np.divmod(np.asarray(units), n)
    return Replicates(columns=columns, unit=unit, cell=of_cell, n_cells=n_cells, replicate=of_replicate, **options)


def average_cells(rows: Rows, attempted: np.ndarray, *, effects: str = "random") -> Cells:
    """Return one cell per scenario, method and estimand: the groups of a replicate together.

    Args:
        rows: of estimates.
        attempted: (scenario, method) number of fits.
        effects: ``fixed`` where groups keep their effects over replicates: errors then vary around the mean of their
            group.
    """
    stratum = np.maximum(rows.keys.group, 0) if effects == "fixed" else None
    return _cells(rows, _is_grouped(rows), [(None, None), (AVERAGE, None)], attempted, stratum=stratum)


def group_cells(rows: Rows, attempted: np.ndarray) -> Cells:
    """Return one cell per scenario, method, estimand and group, for the estimands that have groups."""
    rows = rows.take(np.flatnonzero(rows.keys.group >= 0))
    parts = [(str(group), None) for group in range(rows.keys.labels.n_groups)]
    return _cells(rows, rows.keys.group, parts, attempted)


def distance_cells(rows: Rows, attempted: np.ndarray, counted: np.ndarray) -> Cells:
    """Return one cell per scenario, method and bin of the distance from the center, half a spread wide.

    A replicate counts by its number of groups in the bin.
    """
    rows = rows.take(np.flatnonzero(np.isfinite(rows["distance"])))
    last = round(LAST_BIN / BIN_WIDTH)
    part = np.minimum(rows["distance"] / BIN_WIDTH, last).astype(np.int64)
    names = [f"distance={i * BIN_WIDTH:g}-{(i + 1) * BIN_WIDTH:g}" for i in range(last)] + [f"distance={LAST_BIN:g}+"]
    cells = _cells(rows, part, [(AVERAGE, name) for name in names], attempted, by_rows=True)
    return _with_left_out(cells, rows, counted)


def divergence_cells(rows: Rows, attempted: np.ndarray, counted: np.ndarray) -> Cells:
    """Return two cells per scenario, method and estimand: fits without a divergent draw, and fits with one."""
    rows = rows.take(np.flatnonzero(np.isfinite(rows["has_divergence"])))
    part = 2 * _is_grouped(rows) + rows["has_divergence"].astype(np.int64)
    names = [(group, bin_) for group in (None, AVERAGE) for bin_ in DIVERGENCES]
    return _with_left_out(_cells(rows, part, names, attempted), rows, counted)


def size_cells(rows: Rows, attempted: np.ndarray, counted: np.ndarray) -> Cells:
    """Return one cell per scenario, method and group size, in unbalanced designs."""
    n_obs = rows["n_obs"]
    scenario = rows.keys.scenario
    n_scenarios = len(rows.keys.labels.scenarios)
    low, high = np.full(n_scenarios, np.inf), np.full(n_scenarios, -np.inf)
    known = np.flatnonzero(np.isfinite(n_obs))
    np.minimum.at(low, scenario[known], n_obs[known])
    np.maximum.at(high, scenario[known], n_obs[known])
    rows = rows.take(known[(low < high)[scenario[known]]])
    sizes, part = np.unique(rows["n_obs"], return_inverse=True)
    cells = _cells(rows, part, [(AVERAGE, f"n_obs={size:g}") for size in sizes], attempted, by_rows=True)
    return _with_left_out(cells, rows, counted)


def _is_grouped(rows: Rows) -> np.ndarray:
    """Return (row,) 1 where the estimand has groups, else 0."""
    return rows.keys.labels.is_grouped[rows.keys.estimand].astype(np.int64)


def _cells(
    rows: Rows,
    part: np.ndarray,
    part_names: Sequence[tuple[str | None, str | None]],
    attempted: np.ndarray,
    **options: Any,
) -> Cells:
    keys, labels = rows.keys, rows.keys.labels
    pair = keys.scenario * len(labels.methods) + keys.method
    code = (pair * len(labels.estimands) + keys.estimand) * len(part_names) + part
    cell, index = np.unique(code, return_inverse=True)
    replicates = nest(index, keys.replicate, rows.columns, n_cells=len(cell), **options)
    pair_estimand, part_of_cell = np.divmod(cell, max(len(part_names), 1))
    pair_of_cell, estimand = np.divmod(pair_estimand, max(len(labels.estimands), 1))
    scenario, method = np.divmod(pair_of_cell, len(labels.methods))
    names = pd.DataFrame(
        {
            "scenario": labels.scenarios.to_numpy()[scenario],
            "method": labels.methods.to_numpy()[method],
            "estimand": labels.estimands.to_numpy()[estimand],
            "group": _take([group for group, _ in part_names], part_of_cell),
            "bin": _take([bin_ for _, bin_ in part_names], part_of_cell),
            "role": _take([labels.declared[name].role for name in labels.estimands], estimand),
        },
        dtype=object,
    )
    return Cells(replicates=replicates, names=names, n_replicates=attempted[scenario, method])


def _take(names: Sequence[str | None], code: np.ndarray) -> np.ndarray:
    return np.array([*names, None], dtype=object)[code]


def _with_left_out(cells: Cells, rows: Rows, counted: np.ndarray) -> Cells:
    labels = rows.keys.labels
    scenario = labels.scenarios.get_indexer(pd.Index(cells.names["scenario"]))
    method = labels.methods.get_indexer(pd.Index(cells.names["method"]))
    return replace(cells, n_left_out=cells.n_replicates - counted[scenario, method])
