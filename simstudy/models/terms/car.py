"""Proper conditional autoregression: precision (D - alpha W) / tau^2, D the numbers of neighbors, W the graph.

With D^-1/2 W D^-1/2 = U diag(m) U', u = D^-1/2 U diag(tau / sqrt(1 - alpha m)) z (Jin, Carlin & Banerjee 2005): modes
with a scale each. alpha in (0, 1) is how alike neighbors are; at 0 the effects are independent with standard deviations
tau / sqrt(neighbors), and near 1 they are those of an intrinsic autoregression. Every level needs a neighbor.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any, ClassVar

import numpy as np

from simstudy.errors import StudyError
from simstudy.models.design import Factor
from simstudy.models.estimands import TAU, Parameter
from simstudy.models.graphs import neighbors_of
from simstudy.models.shapes import Array
from simstudy.models.terms.structure import EFFECT, NOISE, Constants, Layout, TermStructure, Values, of_modes, product

ALPHA = Parameter(
    name="alpha",
    role="correlation",
    symbol="α",
    words="how alike neighbors are, α",
    lower=0.0,
    upper=1.0,
    support="unit",
    default="Uniform(0, 1)",
    value=0.9,
    moves="none",
)


@dataclass(frozen=True, kw_only=True)
class CAR(TermStructure):
    """Effects that are alike for neighbors to a degree."""

    kind: ClassVar[str] = "car"
    words: ClassVar[str] = "a proper autoregression on the graph of the levels"
    formula: ClassVar[str] = "u ~ Normal(0, τ² (D − α W)⁻¹)"
    layout: ClassVar[Layout] = "graph"

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The standard deviation of a level with one neighbor, given it, and how alike neighbors are."""
        return TAU, ALPHA

    def check(self, factor: Factor) -> None:
        """Refuse a factor without a graph, or with an island."""
        islands = np.flatnonzero(neighbors_of(factor).degree == 0)
        if len(islands):
            name = factor.labels[islands[0]] if factor.labels else islands[0]
            raise StudyError(
                f"a proper autoregression has no variance for a level without neighbors, and {name!r} has none; give "
                "it one, or take bym2"
            )

    def constants(self, factor: Factor) -> dict[str, np.ndarray]:
        """Return D^-1/2 U, and the eigenvalues m."""
        neighbors = neighbors_of(factor)
        root = 1 / np.sqrt(neighbors.degree)
        m, vectors = np.linalg.eigh(root[:, None] * neighbors.weights * root)
        # The largest is 1, and rounding must not push it beyond.
        return {"basis": root[:, None] * vectors, "m": np.clip(m, -1.0, 1.0)}

    def scale(self, p: Values, constants: Constants, xp: ModuleType) -> dict[str, Array]:
        """Return tau / sqrt(1 - alpha m_k)."""
        return {NOISE: p["tau"] / xp.sqrt(1 - p["alpha"] * of_modes(constants["m"], p["alpha"]))}

    def effects(self, p: Values, z: Mapping[str, Array], constants: Constants, xp: ModuleType) -> dict[str, Any]:
        """Return D^-1/2 U times the modes."""
        return {EFFECT: product(constants["basis"], self.scale(p, constants, xp)[NOISE] * z[NOISE], xp)}

    def variance(self, p: Values, constants: Constants, xp: ModuleType) -> Array:
        """Return the average variance of a level: squares of the basis times those of the scales."""
        weights = of_modes((constants["basis"] ** 2).mean(0), p["alpha"])
        return (weights * self.scale(p, constants, xp)[NOISE] ** 2).sum(0)
