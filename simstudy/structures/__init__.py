"""Structures: how much the groups share. One file each."""

from simstudy.structures.complete import Complete
from simstudy.structures.independent import Independent
from simstudy.structures.partial import Partial
from simstudy.structures.structure import Structure

STRUCTURES: dict[str, type[Structure]] = {family.kind: family for family in (Independent, Complete, Partial)}

__all__ = ["STRUCTURES", "Complete", "Independent", "Partial", "Structure"]
