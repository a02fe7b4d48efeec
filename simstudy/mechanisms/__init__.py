"""Mechanisms: where the data of a replicate come from. One file each."""

from typing import Any

from simstudy.mechanisms.dataset import Dataset
from simstudy.mechanisms.exchangeable import Exchangeable
from simstudy.mechanisms.fitted import Fitted
from simstudy.mechanisms.grouped import GroupedMechanism
from simstudy.mechanisms.mechanism import Mechanism
from simstudy.mechanisms.multilevel import Multilevel
from simstudy.mechanisms.student_t import StudentT
from simstudy.mechanisms.two_component import TwoComponent
from simstudy.mechanisms.user import UserMechanism, UserMechanismFamily, simulator_of
from simstudy.models.families import family_of
from simstudy.registry import Extension, Registry

MechanismFamily = type[Mechanism] | UserMechanismFamily
FAMILIES = (Exchangeable, StudentT, TwoComponent, Fitted, Multilevel, Dataset)


def _adapt(name: str, found: Any) -> Extension[Any]:
    """Return the extension of a class of grouped effects, or of a function that simulates a replicate."""
    if isinstance(found, type):
        return family_of("mechanism", GroupedMechanism, beyond=GroupedMechanism)(name, found)
    return simulator_of(name, found)


MECHANISMS: Registry[MechanismFamily] = Registry(
    "mechanism", {family.kind: family for family in FAMILIES}, adapt=_adapt
)

__all__ = [
    "MECHANISMS",
    "Dataset",
    "Exchangeable",
    "Fitted",
    "GroupedMechanism",
    "Mechanism",
    "MechanismFamily",
    "Multilevel",
    "StudentT",
    "TwoComponent",
    "UserMechanism",
    "UserMechanismFamily",
]
