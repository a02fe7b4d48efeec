"""What the structure of a term is: how the effects of a factor's levels hang together, made of white noise.

Effects are linear in independent standard normal numbers z at given parameters. Most structures have the modal form

    effects = basis @ (scale * z),    basis (level, mode) a constant of the design, scale (mode, *lane) of parameters,

so that one text serves the simulator (z is drawn), programs (z, or scale * z, is sampled), draws on the host, and
everything that is linear algebra. Levels and modes lie on axis 0 and lanes behind, whether these are the lanes of a
program, (fit, chain, draw) of draws, or none. What depends on the design alone is computed once, in float64.

A constraint such as a sum of zero is exact: its direction is not among the modes. Units, ranges and sources of each
structure stand in its own file.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import ModuleType
from typing import Any, ClassVar, Literal

import numpy as np

from simstudy.models.design import Factor
from simstudy.models.estimands import Estimand, Parameter
from simstudy.models.shapes import Array

Layout = Literal["levels", "order", "graph", "points"]
Constants = Mapping[str, np.ndarray]
Values = Mapping[str, Any]
"""Parameter, by the name that the structure gives it -> (*lane) values."""

EFFECT = "effect"
"""Name of the only column of a structure whose effects are multiplied with nothing."""
FIT_CHAIN_DRAW = 4
"""Axes of modes on the host: the mode, and those of draws."""
NOISE = "z"
"""Name of the only part of the white noise of most structures."""


class TermStructure(ABC):
    """A prior of the effects of a factor's levels. Subclasses are frozen dataclasses; their fields are options."""

    kind: ClassVar[str]
    """Its name in study files."""
    words: ClassVar[str]
    """What it is, for a report."""
    formula: ClassVar[str]
    """The prior of its effects u, for a report."""
    layout: ClassVar[Layout] = "levels"
    """What it needs of its factor: ``levels`` alone, their ``order``, a ``graph`` of neighbors, or ``points``."""
    parameterized: ClassVar[bool] = True
    """Whether it can be sampled centered and non-centered; where its scales are fixed both are one."""
    has_new: ClassVar[bool] = False
    """Whether ``new_effect`` gives the effect of a level that is not in the design."""
    new_words: ClassVar[str] = "a new level"
    """What ``new_effect`` is the effect of: ``a new level``, ``the next point in time``, ``an unvisited point``."""
    covariates: tuple[str, ...] = ()
    """Covariates by which its columns after the first are multiplied."""

    @property
    @abstractmethod
    def parameters(self) -> tuple[Parameter, ...]:
        """Its parameters, each of which needs a prior and, in a mechanism, a value; the first is the scale."""

    @property
    def scales(self) -> tuple[str, ...]:
        """Names of the parameters that the effects are proportional to, all together: the first one alone."""
        return (self.parameters[0].name,)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of its effects, one for each number that a level has: ``effect``, and the slope of each covariate."""
        return (EFFECT,)

    def check(self, factor: Factor) -> None:  # noqa: B027 - most structures take any factor
        """Refuse a factor for which the structure has no effects.

        Raises:
            StudyError: says what is wrong with its levels, graph or points.
        """

    @property
    def simulated(self) -> "TermStructure":
        """The structure that a simulator draws from: itself, or the exact one that it approximates."""
        return self

    def parts(self, factor: Factor) -> dict[str, int]:
        """Return part of the white noise -> how many numbers it has."""
        return {NOISE: factor.n_levels}

    def n_noise(self, factor: Factor) -> int:
        """Return how many numbers the white noise has."""
        return sum(self.parts(factor).values())

    def by_part(self, factor: Factor, noise: np.ndarray) -> dict[str, np.ndarray]:
        """Return part -> its rows of white noise (mode, *lane) that has all parts one after the other."""
        parts = self.parts(factor)
        pieces = np.split(noise, np.cumsum([*parts.values()])[:-1]) if parts else []
        return dict(zip(parts, pieces, strict=True))

    def constants(self, factor: Factor) -> dict[str, np.ndarray]:
        """Return what depends on the design alone, float64: the basis, eigenvalues, distances."""
        return {}

    @abstractmethod
    def scale(self, p: Values, constants: Constants, xp: ModuleType) -> dict[str, Any]:
        """Return part -> standard deviations of its modes, (mode, *lane) or what broadcasts to it.

        Centered programs sample scale * z in the place of z. Given the parts before it, that is: a part that depends on
        others has the conditional standard deviation here and its mean in ``conditional_mean``.
        """

    def conditional_mean(self, part: str, p: Values, z: Mapping[str, Array], xp: ModuleType) -> Array | None:
        """Return the mean of a part's centered form given the noise of the parts before it, or None for 0."""
        return None

    @abstractmethod
    def effects(self, p: Values, z: Mapping[str, Array], constants: Constants, xp: ModuleType) -> dict[str, Any]:
        """Return column -> (level, *lane) effects.

        Args:
            p: parameters by name, (*lane).
            z: part -> (mode, *lane) independent standard normal numbers.
            constants: what ``constants`` returned, in the precision of z.
            xp: ``jax.numpy`` or ``numpy``.
        """

    @abstractmethod
    def variance(self, p: Values, constants: Constants, xp: ModuleType) -> Array:
        """Return the prior variance of the first column's effects, averaged over levels, (*lane)."""

    @property
    def derived(self) -> tuple[Estimand, ...]:
        """Estimands that are functions of its parameters, declared by the names that the structure gives them."""
        return ()

    def derive(self, p: Values, xp: ModuleType) -> dict[str, Any]:
        """Return the estimands of ``derived``, (*lane) each."""
        return {}

    def new_effect(
        self,
        p: Values,
        z: Mapping[str, np.ndarray],
        effects: Mapping[str, Any],
        constants: Constants,
        noise: np.ndarray,
    ) -> np.ndarray | None:
        """Return the effect of a level that is not in the design, or None where there is no such level.

        Args:
            p: parameters by name, (*lane).
            z: part -> (mode, *lane) noise that the effects of the levels at hand were made of.
            effects: column -> (level, *lane) effects of the levels at hand.
            constants: what ``constants`` returned.
            noise: (*lane) standard normal numbers.
        """
        return None


def product(basis: Array, modes: Array, xp: ModuleType) -> Array:
    """Return basis (level, mode) times modes (mode, *lane), one matrix product for all lanes.

    On the host the lanes are (fit, chain, draw), and each fit has a product of its own: the rounding of a product
    depends on its number of columns, and a fit must not depend on those beside it.
    """
    if xp is np and modes.ndim == FIT_CHAIN_DRAW:
        return np.stack([np.tensordot(basis, of_fit, 1) for of_fit in np.moveaxis(np.asarray(modes), 1, 0)], 1)
    return xp.tensordot(basis, modes, 1)


def of_modes(sd: np.ndarray, like: Array) -> Array:
    """Return (mode,) numbers with an axis of length 1 for each axis of (*lane)."""
    return sd.reshape(-1, *[1] * np.ndim(like))


def slope_name(covariate: str, covariates: tuple[str, ...]) -> str:
    """Return the name of a column of slopes: ``slope`` where there is one covariate, else with the covariate's.

    >>> slope_name("day", ("day",)), slope_name("day", ("day", "dose"))
    ('slope', 'slope_day')
    """
    return "slope" if len(covariates) == 1 else f"slope_{covariate}"
