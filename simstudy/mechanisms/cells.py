"""Cells of crossed and nested factors, and of covariates that are crossed with them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from simstudy.errors import StudyError, shown, suggestion
from simstudy.models.design import Design, Factor, nested_levels


@dataclass(frozen=True, kw_only=True)
class Crossed:
    """A factor before there are cells.

    Args:
        n_levels: number of levels; of a nested factor in each level of the outer one.
        within: factor that it is nested in.
        edges: (edge, 2) pairs of neighbors.
        points: (level, dimension) where the levels lie.
        labels: names of the levels.
    """

    n_levels: int
    within: str | None = None
    edges: np.ndarray | None = None
    points: np.ndarray | None = None
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Cells:
    """Cells, and what covariates are in them.

    Args:
        design: the cells' factors.
        covariates: name -> (cell,) values.
    """

    design: Design
    covariates: Mapping[str, np.ndarray]


def cells_of(factors: Mapping[str, Crossed], covariates: Mapping[str, Mapping[str, Any]]) -> Cells:
    """Return one cell for every combination of levels, and of covariates' values that belong to no factor.

    Args:
        factors: name -> its levels, in the order in which cells are counted, the last one fastest.
        covariates: name -> ``values`` and ``of``: the values of the levels of a factor, or, where ``of`` is None,
            values that every combination of levels is observed at. Without values, standard normal ones are drawn,
            the same in every replicate, for each level or cell.

    Raises:
        StudyError: a factor is nested in one that is not there or in itself, or a covariate has too few values.

    >>> factors = {"school": Crossed(n_levels=2), "class": Crossed(n_levels=2, within="school")}
    >>> [factor.level.tolist() for factor in cells_of(factors, {}).design.factors]
    [[0, 0, 1, 1], [0, 1, 2, 3]]
    """
    levels: dict[str, np.ndarray] = {}
    made: dict[str, Factor] = {}
    n_cells = 1
    for name in nesting_order(factors):
        one = factors[name]
        repeated = {other: np.repeat(level, one.n_levels) for other, level in levels.items()}
        within = np.tile(np.arange(one.n_levels), n_cells)
        parent, n_levels = None, one.n_levels
        if one.within is not None:
            outer = repeated[one.within]
            within = outer * one.n_levels + within
            n_outer = int(made[one.within].n_levels)
            parent, n_levels = nested_levels(n_outer, [one.n_levels] * n_outer), n_outer * one.n_levels
        levels, n_cells = {**repeated, name: within}, n_cells * one.n_levels
        made[name] = Factor(
            name=name,
            level=within,
            n_levels=n_levels,
            labels=one.labels,
            within=one.within,
            parent=parent,
            edges=one.edges,
            points=one.points,
        )
    crossed = {name: table["values"] for name, table in covariates.items() if table["of"] is None and table["values"]}
    x: dict[str, np.ndarray] = {}
    for name, values in crossed.items():
        levels = {factor: np.repeat(level, len(values)) for factor, level in levels.items()}
        x = {other: np.repeat(old, len(values)) for other, old in x.items()}
        x[name], n_cells = np.tile(np.asarray(values, float), n_cells), n_cells * len(values)
    for name, table in covariates.items():
        if name not in x:
            x[name] = _of_levels(name, table, levels, made, n_cells)
    design = Design(n_cells=n_cells, factors=tuple(replace(made[name], level=levels[name]) for name in factors))
    return Cells(design=design, covariates={name: x[name] for name in covariates})


class Nested(Protocol):
    """A factor that may be nested in another."""

    @property
    def within(self) -> str | None:
        """Factor that it is nested in."""


def nesting_order(factors: Mapping[str, Nested]) -> list[str]:
    """Return the factors, every one after the one that it is nested in.

    Raises:
        StudyError: one is nested in a factor that is not there, or they are nested in a circle.
    """
    done: list[str] = []
    waiting = list(factors)
    for name, one in factors.items():
        if one.within is not None and one.within not in factors:
            others = [other for other in factors if other != name]
            known = f"expected one of {', '.join(others)}" if others else "there is no other term"
            near = suggestion(one.within, others)
            raise StudyError(f"[mechanism.terms.{name}] within: no factor {shown(one.within)}{near}; {known}")
    while waiting:
        ready = [name for name in waiting if factors[name].within is None or factors[name].within in done]
        if not ready:
            raise StudyError(
                f"[mechanism.terms.{waiting[0]}] within: {', '.join(waiting)} are nested in each other in a circle"
            )
        done.append(ready[0])
        waiting.remove(ready[0])
    return done


def _of_levels(
    name: str, table: Mapping[str, Any], levels: Mapping[str, np.ndarray], made: Mapping[str, Factor], n_cells: int
) -> np.ndarray:
    """Return the (cell,) values of a covariate of a factor's levels, or of one that is drawn."""
    of = table["of"]
    n = n_cells if of is None else made[of].n_levels
    if table["values"] is None:
        values = np.random.default_rng(list(f"{name}/{n}".encode())).standard_normal(n)
    else:
        values = np.asarray(table["values"], float)
        if len(values) != n:
            raise StudyError(
                f"[mechanism.covariates.{name}] values: expected {n} numbers, one for each level of {of}, got "
                f"{len(values)}"
            )
    return values if of is None else values[levels[of]]
