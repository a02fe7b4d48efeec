"""A first-order random walk over ordered levels: u_t - u_(t-1) ~ Normal(0, tau), and the effects sum to zero.

In the eigenvectors of the path graph, cosines, the modes are independent with standard deviations tau / sqrt(w_k),
w_k = 4 sin^2(pi k / 2n), k = 1 ... n - 1 (Rue & Held 2005, Gaussian Markov Random Fields, sections 2.6 and 3.3). The
constant is not among them: it is the intercept's. tau is the standard deviation of a step between neighbors in time.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any, ClassVar

import numpy as np

from simstudy.errors import StudyError
from simstudy.models.design import Factor
from simstudy.models.estimands import TAU, Parameter
from simstudy.models.shapes import Array
from simstudy.models.terms.structure import EFFECT, NOISE, Constants, Layout, TermStructure, Values, of_modes, product

STEP = replace(TAU, words="the sd of a step τ")


@dataclass(frozen=True, kw_only=True)
class RandomWalk(TermStructure):
    """Effects that move from level to level."""

    kind: ClassVar[str] = "random_walk"
    words: ClassVar[str] = "a first-order random walk over the levels in their order"
    formula: ClassVar[str] = "u_t ~ Normal(u_(t-1), τ), Σ u_t = 0"
    layout: ClassVar[Layout] = "order"
    has_new: ClassVar[bool] = True
    new_words: ClassVar[str] = "the next point in time"

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The standard deviation of a step."""
        return (STEP,)

    def check(self, factor: Factor) -> None:
        """Refuse a factor with one level, which cannot walk."""
        if factor.n_levels < 2:
            raise StudyError("a random walk needs at least two levels")

    def parts(self, factor: Factor) -> dict[str, int]:
        """Return one mode less than there are levels."""
        return {NOISE: factor.n_levels - 1}

    def constants(self, factor: Factor) -> dict[str, np.ndarray]:
        """Return the cosines, and the modes' standard deviations under tau = 1."""
        n = factor.n_levels
        return {"basis": cosines(n), "sd": 1 / (2 * np.sin(np.pi * np.arange(1, n) / (2 * n)))}

    def scale(self, p: Values, constants: Constants, xp: ModuleType) -> dict[str, Array]:
        """Return tau / sqrt(w_k)."""
        return {NOISE: p["tau"] * of_modes(constants["sd"], p["tau"])}

    def effects(self, p: Values, z: Mapping[str, Array], constants: Constants, xp: ModuleType) -> dict[str, Any]:
        """Return the cosines times the modes."""
        return {EFFECT: p["tau"] * product(constants["basis"] * constants["sd"], z[NOISE], xp)}

    def variance(self, p: Values, constants: Constants, xp: ModuleType) -> Array:
        """Return tau^2 (n - 1/n) / 6, the average over levels of their variance around their mean."""
        return p["tau"] ** 2 * (constants["sd"] ** 2).sum() / (len(constants["sd"]) + 1)

    def new_effect(
        self,
        p: Values,
        z: Mapping[str, np.ndarray],
        effects: Mapping[str, Any],
        constants: Constants,
        noise: np.ndarray,
    ) -> np.ndarray:
        """Take one step from the last level."""
        return effects[EFFECT][-1] + p["tau"] * noise


def cosines(n: int) -> np.ndarray:
    """Return (n, n - 1) orthonormal columns that each sum to zero: cosines of rising frequency.

    >>> cosines(2).round(3).tolist()
    [[0.707], [-0.707]]
    """
    k, j = np.arange(1, n), np.arange(n)[:, None]
    return np.sqrt(2 / n) * np.cos(np.pi * k * (j + 0.5) / n)
