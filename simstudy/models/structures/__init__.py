"""Structures: how much the groups share. One file each."""

from simstudy.models.families import family_of
from simstudy.models.structures.complete import Complete
from simstudy.models.structures.independent import Independent
from simstudy.models.structures.partial import Partial
from simstudy.models.structures.structure import Structure
from simstudy.registry import Registry

STRUCTURES: Registry[type[Structure]] = Registry(
    "structure",
    {family.kind: family for family in (Independent, Complete, Partial)},
    adapt=family_of("structure", Structure),
)

__all__ = ["STRUCTURES", "Complete", "Independent", "Partial", "Structure"]
