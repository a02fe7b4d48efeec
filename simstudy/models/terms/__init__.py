"""Structures of a term: how the effects of a factor's levels hang together. One file each."""

from simstudy.models.families import family_of
from simstudy.models.terms.bym2 import BYM2
from simstudy.models.terms.car import CAR
from simstudy.models.terms.exchangeable import Exchangeable
from simstudy.models.terms.gaussian_process import GaussianProcess
from simstudy.models.terms.icar import ICAR
from simstudy.models.terms.random_walk import RandomWalk
from simstudy.models.terms.separate import Separate
from simstudy.models.terms.slopes import Slopes
from simstudy.models.terms.structure import TermStructure
from simstudy.registry import Registry

FAMILIES = (Exchangeable, Slopes, RandomWalk, ICAR, BYM2, CAR, GaussianProcess, Separate)
TERM_STRUCTURES: Registry[type[TermStructure]] = Registry(
    "term", {family.kind: family for family in FAMILIES}, adapt=family_of("term", TermStructure)
)

__all__ = [
    "BYM2",
    "CAR",
    "ICAR",
    "TERM_STRUCTURES",
    "Exchangeable",
    "GaussianProcess",
    "RandomWalk",
    "Separate",
    "Slopes",
    "TermStructure",
]
