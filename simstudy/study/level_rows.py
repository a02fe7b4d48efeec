"""The factors of a scenario as rows of a run's tables: what reports and readers know of levels and cells."""

from typing import Any

import numpy as np

from simstudy.mechanisms import Mechanism
from simstudy.models.design import Factor

PLACES = ("x", "y")
"""Columns of the coordinates of a level; further dimensions are not stored."""


def level_rows(scenario: str, mechanism: Mechanism) -> list[dict[str, Any]]:
    """Return one row per factor and level, as ``schema.LEVELS``; none for data with a single grouping.

    ``layout`` is what the structure of the factor's term needs of it: ``levels``, ``order``, ``graph`` or ``points``.
    """
    if mechanism.design is None:
        return []
    layouts = {term.factor: term.structure.layout for term in mechanism.assumed_terms}
    return [
        {"scenario": scenario, "factor": factor.name, "layout": layouts.get(factor.name, "levels"), **row}
        for factor in mechanism.design.factors
        for row in _levels(factor)
    ]


def cell_rows(scenario: str, mechanism: Mechanism) -> list[dict[str, Any]]:
    """Return one row per cell, and factor or covariate, as ``schema.CELLS``; none for data with a single grouping."""
    if mechanism.design is None:
        return []
    levels = [
        {"scenario": scenario, "cell": cell, "name": factor.name, "level": level, "value": None}
        for factor in mechanism.design.factors
        for cell, level in enumerate(factor.level.tolist())
    ]
    return levels + [
        {"scenario": scenario, "cell": cell, "name": name, "level": None, "value": value}
        for name, values in mechanism.covariates
        for cell, value in enumerate(np.asarray(values, float).tolist())
    ]


def _levels(factor: Factor) -> list[dict[str, Any]]:
    neighbors: list[list[int]] | None = None
    if factor.edges is not None:
        neighbors = [[] for _ in range(factor.n_levels)]
        for a, b in factor.edges.tolist():
            neighbors[a].append(b)
            neighbors[b].append(a)
    return [
        {
            "within": factor.within,
            "level": level,
            "label": factor.labels[level] if factor.labels else None,
            "parent": None if factor.parent is None else int(factor.parent[level]),
            **_place(factor, level),
            "neighbors": None if neighbors is None else sorted(neighbors[level]),
        }
        for level in range(factor.n_levels)
    ]


def _place(factor: Factor, level: int) -> dict[str, float | None]:
    at = [] if factor.points is None else factor.points[level].tolist()
    return {name: at[i] if i < len(at) else None for i, name in enumerate(PLACES)}
