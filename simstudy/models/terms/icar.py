"""Intrinsic conditional autoregression on a graph (Besag, York & Mollie 1991): neighbors are alike.

u = tau B z with B the scaled eigenvectors of ``graphs.intrinsic_modes``: p(u) is proportional to exp(-sum over edges of
(u_i - u_j)^2 s / (2 tau^2)), s the scaling factor, and the effects of every component sum to zero exactly. tau is the
standard deviation of a typical level, so that priors mean the same on every graph. An island has no structured part:
its effect is 0. The precision matrix has the rank levels minus components.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any, ClassVar

import numpy as np

from simstudy.models.design import Factor
from simstudy.models.estimands import TAU, Parameter
from simstudy.models.graphs import check_edges, intrinsic_modes, neighbors_of
from simstudy.models.shapes import Array
from simstudy.models.terms.structure import EFFECT, NOISE, Constants, Layout, TermStructure, Values, product


@dataclass(frozen=True, kw_only=True)
class ICAR(TermStructure):
    """Effects that are alike for neighbors, and sum to zero."""

    kind: ClassVar[str] = "icar"
    words: ClassVar[str] = "an intrinsic autoregression on the graph of the levels"
    formula: ClassVar[str] = "u_i | neighbors ~ Normal(mean of the neighbors, ∝ τ / √neighbors), Σ u_i = 0"
    layout: ClassVar[Layout] = "graph"

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The standard deviation of a typical level."""
        return (TAU,)

    def check(self, factor: Factor) -> None:
        """Refuse a factor without a graph of its levels."""
        check_edges(factor)

    def parts(self, factor: Factor) -> dict[str, int]:
        """Return the rank of the precision matrix."""
        return {NOISE: factor.n_levels - neighbors_of(factor).n_components}

    def constants(self, factor: Factor) -> dict[str, np.ndarray]:
        """Return the modes at tau = 1."""
        return {"basis": intrinsic_modes(neighbors_of(factor))}

    def scale(self, p: Values, constants: Constants, xp: ModuleType) -> dict[str, Array]:
        """Return tau."""
        return {NOISE: p["tau"]}

    def effects(self, p: Values, z: Mapping[str, Array], constants: Constants, xp: ModuleType) -> dict[str, Any]:
        """Return tau B z."""
        return {EFFECT: p["tau"] * product(constants["basis"], z[NOISE], xp)}

    def variance(self, p: Values, constants: Constants, xp: ModuleType) -> Array:
        """Return tau^2 times the average variance of a level at tau = 1."""
        return p["tau"] ** 2 * (constants["basis"] ** 2).sum() / constants["basis"].shape[0]
