"""Structures of a term: how the effects of a factor's levels hang together. One file each."""

from simstudy.models.terms.exchangeable import Exchangeable
from simstudy.models.terms.structure import TermStructure

TERM_STRUCTURES: dict[str, type[TermStructure]] = {family.kind: family for family in (Exchangeable,)}

__all__ = ["TERM_STRUCTURES", "Exchangeable", "TermStructure"]
