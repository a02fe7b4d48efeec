"""No pooling of a factor: each level has an effect of its own, and nothing is learned of one from another.

The effects are contrasts that sum to zero, so that they and the intercept are told apart: u = spread * C z with C an
orthonormal (level, level - 1) basis of them, C C' = I - 11'/n. Their prior is fixed and wide, that of independent
Normal(0, spread) effects around their mean. With covariates, each level has slopes of its own as well.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any, ClassVar

import numpy as np

from simstudy.errors import StudyError
from simstudy.models.design import Factor
from simstudy.models.estimands import Parameter
from simstudy.models.shapes import Array
from simstudy.models.terms.structure import EFFECT, NOISE, Constants, TermStructure, Values, slope_name

SPREAD = Parameter(
    name="spread",
    role="scale",
    words="the fixed sd of the levels' own effects",
    lower=0.0,
    support="positive",
    on_effect_scale=True,
    default="10",
    default_on_link="2.5",
    default_of_data="2.5 s",
    value=10.0,
    moves="difference",
)


@dataclass(frozen=True, kw_only=True)
class Separate(TermStructure):
    """Contrasts of the levels with a fixed prior.

    Args:
        covariates: of the levels' own slopes.
    """

    kind: ClassVar[str] = "none"
    words: ClassVar[str] = "no pooling: every level by itself"
    formula: ClassVar[str] = "u_j ~ Normal(0, fixed), Σ u_j = 0"
    parameterized: ClassVar[bool] = False
    covariates: tuple[str, ...] = ()

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The fixed standard deviation of the effects, in the unit of the intercept's and of each slope's."""
        return (SPREAD,)

    @property
    def columns(self) -> tuple[str, ...]:
        """The effect, and the slope of each covariate."""
        return (EFFECT, *(slope_name(name, self.covariates) for name in self.covariates))

    def check(self, factor: Factor) -> None:
        """Refuse a factor with one level: it is the intercept."""
        if factor.n_levels < 2:
            raise StudyError("no pooling needs at least two levels: a single one is the intercept")

    def parts(self, factor: Factor) -> dict[str, int]:
        """Return one contrast less than there are levels, for each column."""
        return dict.fromkeys(self._parts, factor.n_levels - 1)

    def constants(self, factor: Factor) -> dict[str, np.ndarray]:
        """Return the number of levels."""
        return {"n_levels": np.array(float(factor.n_levels))}

    def scale(self, p: Values, constants: Constants, xp: ModuleType) -> dict[str, Any]:
        """Return the spread of every part."""
        return dict.fromkeys(self._parts, p["spread"])

    def effects(self, p: Values, z: Mapping[str, Array], constants: Constants, xp: ModuleType) -> dict[str, Any]:
        """Return spread C z for each column."""
        each = zip(self.columns, self._parts, strict=True)
        return {column: p["spread"] * centered_rotation(z[part], xp) for column, part in each}

    def variance(self, p: Values, constants: Constants, xp: ModuleType) -> Array:
        """Return spread^2 (1 - 1/n)."""
        return p["spread"] ** 2 * (1 - 1 / constants["n_levels"])

    @property
    def _parts(self) -> tuple[str, ...]:
        return (NOISE, *(f"{NOISE}{k}" for k in range(1, len(self.columns))))


def centered_rotation(z: Array, xp: ModuleType) -> Array:
    """Return (level, *lane) numbers of sum zero made of (level - 1, *lane), by an isometry.

    The Householder reflection that takes the last axis to the constant one, its last column left out: a sum in the
    place of a matrix product.

    >>> centered_rotation(np.array([1.0, 0.0, 0.0]), np).round(3).tolist()
    [0.5, -0.5, -0.5, 0.5]
    """
    n = z.shape[0] + 1
    root, total = math.sqrt(n), z.sum(0)
    return xp.concatenate([z - total / (n - root), (total / root)[None]])
