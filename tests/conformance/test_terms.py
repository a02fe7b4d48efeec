"""Every registered structure of a term keeps its promises, and structures that do not are caught."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest

from simstudy.models.design import Factor
from simstudy.models.estimands import MU
from simstudy.models.terms import ICAR, TERM_STRUCTURES, Exchangeable, GaussianProcess, RandomWalk, Separate, Slopes
from simstudy.testing import ConformanceError, check_term
from tests.conformance.registered import variants
from tests.user_models import name_of

EDGES = np.array([[0, 1], [1, 2], [2, 0], [2, 3], [4, 5]])
"""Two components."""
FACTOR = Factor(name="g", level=np.arange(6), n_levels=6)
LAYOUTS = {
    "levels": [FACTOR],
    "order": [FACTOR],
    "graph": [replace(FACTOR, edges=EDGES)],
    "points": [replace(FACTOR, points=np.random.default_rng(0).normal(size=(6, d))) for d in (1, 2)],
}
OTHERS = [
    *(Slopes(covariates=x, correlated=r) for x in (("x",), ("x", "w", "v")) for r in (True, False)),
    Separate(covariates=("x",)),
    *(GaussianProcess(kernel=k, basis=b) for k in ("squared_exponential", "matern32") for b in (0, 3)),
]
REGISTERED = [v for family in TERM_STRUCTURES.values() if family is not Slopes for v in variants(family)]
CASES = [(structure, factor) for structure in [*REGISTERED, *OTHERS] for factor in LAYOUTS[structure.layout]]


@pytest.mark.parametrize(("structure", "factor"), CASES, ids=[name_of(structure) for structure, _ in CASES])
def test_registered_structures_conform(structure, factor):
    """Every kind and option, on a factor laid out as it needs."""
    check_term(structure, factor)


def test_an_island_is_no_reason_to_fail():
    """Level 6 has no neighbor."""
    island = Factor(name="g", level=np.arange(7), n_levels=7, edges=EDGES)
    for kind in ("icar", "bym2"):
        check_term(TERM_STRUCTURES[kind](), island)


@dataclass(frozen=True, kw_only=True)
class Speechless(Exchangeable):
    """It does not say what it is."""

    words: ClassVar[str] = ""


@dataclass(frozen=True, kw_only=True)
class Unscaled(Exchangeable):
    """Its first parameter is a location."""

    parameters = (MU,)


@dataclass(frozen=True, kw_only=True)
class Shifted(Exchangeable):
    """Effects lie around 1."""

    def effects(self, p, z, constants, xp):
        return {"effect": 1 + p["tau"] * z["z"]}


@dataclass(frozen=True, kw_only=True)
class Cubed(Exchangeable):
    """Effects have long tails."""

    def effects(self, p, z, constants, xp):
        return {"effect": p["tau"] * z["z"] ** 3}


@dataclass(frozen=True, kw_only=True)
class NeverFlat(Exchangeable):
    """It has effects at a scale of 0."""

    def effects(self, p, z, constants, xp):
        return {"effect": (p["tau"] + 0.01) * z["z"]}


@dataclass(frozen=True, kw_only=True)
class LanesPulled(Exchangeable):
    """Lanes depend on one another."""

    def effects(self, p, z, constants, xp):
        return {"effect": xp.mean(p["tau"]) * z["z"]}


@dataclass(frozen=True, kw_only=True)
class OtherInNumPy(Exchangeable):
    """What draws have is not what the program had."""

    def effects(self, p, z, constants, xp):
        return {"effect": p["tau"] * z["z"] * (2 if xp is np else 1)}


@dataclass(frozen=True, kw_only=True)
class Precise(ICAR):
    """Constants are rounded before they are used."""

    def constants(self, factor):
        return {name: value.astype(np.float32) for name, value in super().constants(factor).items()}


@dataclass(frozen=True, kw_only=True)
class VarianceOfSteps(RandomWalk):
    """The variance is that of a step."""

    def variance(self, p, constants, xp):
        return p["tau"] ** 2


@dataclass(frozen=True, kw_only=True)
class NoMode(RandomWalk):
    """The constant is a mode of scale 0."""

    def scale(self, p, constants, xp):
        return {"z": np.r_[0.0, constants["sd"][1:]][:, None] * p["tau"]}


@dataclass(frozen=True, kw_only=True)
class Undeclared(Exchangeable):
    """It derives what it does not declare."""

    def derive(self, p, xp):
        return {"icc": p["tau"]}


@dataclass(frozen=True, kw_only=True)
class SaidToHaveNew(ICAR):
    """A new level, said to be there."""

    has_new: ClassVar[bool] = True


@dataclass(frozen=True, kw_only=True)
class Skewed(Exchangeable):
    """New effects are squares."""

    def new_effect(self, p, z, effects, constants, noise):
        return p["tau"] * noise**2


BROKEN = {
    Speechless: "words that say what it is",
    Unscaled: "a positive scale as the first parameter",
    Shifted: "effect to be linear in the noise",
    Cubed: "effect to be linear in the noise",
    NeverFlat: "no effects where tau is 0",
    LanesPulled: "effect of a lane alone to be that beside others",
    OtherInNumPy: "effect to be the same in JAX",
    Precise: "constants in double precision",
    VarianceOfSteps: "an average variance of",
    NoMode: "scales of z above 0",
    Undeclared: "estimands that are declared; got",
    SaidToHaveNew: "new effects; got",
    Skewed: "new effects that are linear in their noise",
}


@pytest.mark.parametrize("family", BROKEN, ids=lambda family: family.__name__)
def test_broken_structures_are_caught(family):
    """Each broken promise is named."""
    with pytest.raises(ConformanceError, match=BROKEN[family]):
        check_term(family(), LAYOUTS[family.layout][0])
