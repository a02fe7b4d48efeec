"""BYM2 (Riebler, Soerbye, Simpson & Rue 2016, eq. 7): a structured and an unstructured part with one scale.

u = tau (sqrt(share) B z + sqrt(1 - share) v), B the scaled modes of the intrinsic autoregression, z and v standard
normal. tau is the standard deviation of a typical level whatever the share, and the share of the variance that
neighbors explain lies from 0 (exchangeable) to 1 (``icar``). An island has its unstructured part alone.
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
from simstudy.models.terms.structure import EFFECT, Constants, Layout, TermStructure, Values, product

SHARE = Parameter(
    name="share",
    role="share",
    symbol="φ",
    words="the share of the variance that neighbors explain",
    lower=0.0,
    upper=1.0,
    support="unit",
    default="Uniform(0, 1)",
    value=0.5,
    moves="none",
)
STRUCTURED, UNSTRUCTURED = "structured", "unstructured"


@dataclass(frozen=True, kw_only=True)
class BYM2(TermStructure):
    """Effects of which a share is alike for neighbors."""

    kind: ClassVar[str] = "bym2"
    words: ClassVar[str] = "BYM2 on the graph of the levels: a structured and an unstructured part"
    formula: ClassVar[str] = "u = τ (√φ structured + √(1 − φ) unstructured)"
    layout: ClassVar[Layout] = "graph"

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The standard deviation of a typical level, and the share of the structured part."""
        return TAU, SHARE

    def check(self, factor: Factor) -> None:
        """Refuse a factor without a graph of its levels."""
        check_edges(factor)

    def parts(self, factor: Factor) -> dict[str, int]:
        """Return the modes of the structured part, and a number for each level."""
        n = factor.n_levels
        return {STRUCTURED: n - neighbors_of(factor).n_components, UNSTRUCTURED: n}

    def constants(self, factor: Factor) -> dict[str, np.ndarray]:
        """Return the modes of the structured part at tau = 1."""
        return {"basis": intrinsic_modes(neighbors_of(factor))}

    def scale(self, p: Values, constants: Constants, xp: ModuleType) -> dict[str, Array]:
        """Return tau sqrt(share) and tau sqrt(1 - share)."""
        return {
            STRUCTURED: p["tau"] * xp.sqrt(p["share"]),
            UNSTRUCTURED: p["tau"] * xp.sqrt(1 - p["share"]),
        }

    def effects(self, p: Values, z: Mapping[str, Array], constants: Constants, xp: ModuleType) -> dict[str, Any]:
        """Return both parts together."""
        scale = self.scale(p, constants, xp)
        structured = scale[STRUCTURED] * product(constants["basis"], z[STRUCTURED], xp)
        return {EFFECT: structured + scale[UNSTRUCTURED] * z[UNSTRUCTURED]}

    def variance(self, p: Values, constants: Constants, xp: ModuleType) -> Array:
        """Return the average variance of a level."""
        of_structured = (constants["basis"] ** 2).sum() / constants["basis"].shape[0]
        return p["tau"] ** 2 * (p["share"] * of_structured + (1 - p["share"]))
