"""Structures: how much the groups share. One file each."""

from simstudy.models.structures.complete import Complete
from simstudy.models.structures.independent import Independent
from simstudy.models.structures.partial import Partial
from simstudy.models.structures.structure import Structure

STRUCTURES: dict[str, type[Structure]] = {family.kind: family for family in (Independent, Complete, Partial)}

__all__ = ["STRUCTURES", "Complete", "Independent", "Partial", "Structure"]
