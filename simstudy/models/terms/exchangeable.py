"""Exchangeable effects: u_j ~ Normal(0, tau), independently. What "random intercepts" mean, nested or crossed alike."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any, ClassVar

import numpy as np

from simstudy.models.estimands import TAU, Parameter
from simstudy.models.shapes import Array
from simstudy.models.terms.structure import EFFECT, NOISE, Constants, TermStructure, Values


@dataclass(frozen=True, kw_only=True)
class Exchangeable(TermStructure):
    """Independent normal effects with one standard deviation."""

    kind: ClassVar[str] = "exchangeable"
    words: ClassVar[str] = "exchangeable levels"
    formula: ClassVar[str] = "u_j ~ Normal(0, τ)"
    has_new: ClassVar[bool] = True

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The standard deviation of the effects."""
        return (TAU,)

    def scale(self, p: Values, constants: Constants, xp: ModuleType) -> dict[str, Array]:
        """Return tau."""
        return {NOISE: p["tau"]}

    def effects(self, p: Values, z: Mapping[str, Array], constants: Constants, xp: ModuleType) -> dict[str, Array]:
        """Return tau z."""
        return {EFFECT: p["tau"] * z[NOISE]}

    def variance(self, p: Values, constants: Constants, xp: ModuleType) -> Array:
        """Return tau^2."""
        return p["tau"] ** 2

    def new_effect(
        self,
        p: Values,
        z: Mapping[str, np.ndarray],
        effects: Mapping[str, Any],
        constants: Constants,
        noise: np.ndarray,
    ) -> np.ndarray:
        """Draw from Normal(0, tau)."""
        return p["tau"] * noise
