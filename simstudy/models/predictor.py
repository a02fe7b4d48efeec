"""The linear predictor as a sum of terms: eta = location + sum over terms of the effect of the cell's level.

One text serves programs (``jax.numpy``), simulators and draws on the host (``numpy``). Cells and levels lie on axis 0,
lanes behind.
"""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any, Literal

import numpy as np

from simstudy.models.design import Design, Factor
from simstudy.models.estimands import Parameter
from simstudy.models.terms.structure import TermStructure

Parameterization = Literal["noncentered", "centered", "partial"]
WORDS = {"noncentered": "non-centered", "centered": "centered", "partial": "partially centered"}


@dataclass(frozen=True, kw_only=True)
class Term:
    """An addend of the predictor: effects of a factor's levels under a structure.

    Args:
        factor: name of the factor.
        structure: how the effects hang together.
        parameterization: what a sampler moves: ``noncentered`` white noise z, ``centered`` the effects' modes, or
            ``partial``, each mode between both by what the data say of it (Papaspiliopoulos, Roberts & Skoeld 2007).
            A simulator has no use for it.
        alone: whether it is the only term of its design, so that its parameters have no factor in their names.
        within: factor that its own is nested in; None for a crossed one.
    """

    factor: str
    structure: TermStructure
    parameterization: Parameterization = "noncentered"
    alone: bool = False
    within: str | None = None

    def name_of(self, parameter: str) -> str:
        """Return what a parameter of the structure is called in the study.

        >>> from simstudy.models.terms import Exchangeable
        >>> Term(factor="school", structure=Exchangeable()).name_of("tau")
        'tau[school]'
        """
        return parameter if self.alone else f"{parameter}[{self.factor}]"

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The structure's parameters by the names that they have in the study."""
        return tuple(named(p, self.name_of(p.name), self.factor) for p in self.structure.parameters)

    @property
    def columns(self) -> list[tuple[str, str | None]]:
        """Columns of the structure's effects, each with the covariate that multiplies it; None for the first."""
        return list(zip(self.structure.columns, (None, *self.structure.covariates), strict=True))

    @property
    def estimated(self) -> tuple[Parameter, ...]:
        """The parameters that are asked about: none of those that are fixed by what the structure is."""
        return self.parameters if self.structure.parameterized else ()

    def values(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the values of its parameters by the names that the structure gives them."""
        return {p.name: values[self.name_of(p.name)] for p in self.structure.parameters}

    def site(self, part: str) -> str:
        """Return the name of the latent site of a part of the white noise."""
        return f"{part}[{self.factor}]"

    def constants(self, factor: Factor, like: Any, xp: ModuleType) -> dict[str, Any]:
        """Return the structure's constants in the precision of an array."""
        return {name: xp.asarray(value, like.dtype) for name, value in constants_of(self.structure, factor).items()}


@functools.lru_cache(maxsize=256)
def constants_of(structure: TermStructure, factor: Factor) -> dict[str, np.ndarray]:
    """Return the structure's constants in double precision; of a large graph they are eigenvectors, made once."""
    return structure.constants(factor)


GROUPS = "groups"
"""What the levels of a factor are called in the words of a parameter that grouped models have as well."""


def named(parameter: Parameter, name: str, factor: str) -> Parameter:
    """Return a parameter of a structure as one of a factor: its name, and the factor's in its letter and words."""
    symbol, words = parameter.symbol or parameter.name, parameter.words or parameter.name
    of_levels = words.replace(GROUPS, f"levels of {factor}")
    if name == parameter.name:
        return replace(parameter, factor=factor, words=of_levels)
    letter, text = f"{symbol}_{factor}", of_levels.removesuffix(symbol).rstrip()
    told = f"{text if GROUPS in words else f'{text} of {factor}'}{f' {letter}' if words.endswith(symbol) else ''}"
    return replace(parameter, name=name, factor=factor, symbol=letter, words=told)


def predictor(
    location: Any,
    terms: Sequence[Term],
    effects: Mapping[str, Mapping[str, Any]],
    design: Design,
    covariates: Mapping[str, Any],
) -> Any:
    """Return the linear predictor of every cell.

    Args:
        location: (cell, *lane), or what broadcasts to it.
        terms: the addends.
        effects: factor -> column -> (level, *lane).
        design: of the cells.
        covariates: name -> (cell, *lane), or what broadcasts to it.
    """
    eta = location
    for term in terms:
        factor = design.factor(term.factor)
        for column, covariate in term.columns:
            of_cells = factor.at_cells(effects[term.factor][column])
            eta = eta + (of_cells if covariate is None else of_cells * covariates[covariate])
    return eta


def by_level(values: np.ndarray, factor: Factor) -> np.ndarray:
    """Return the (level,) sums of (cell,) values.

    >>> by_level(np.array([1.0, 2.0, 4.0]), Factor(name="row", level=np.array([0, 0, 1]), n_levels=2))
    array([3., 4.])
    """
    return np.bincount(factor.level, weights=values, minlength=factor.n_levels)
