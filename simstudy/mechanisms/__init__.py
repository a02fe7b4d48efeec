"""Mechanisms: where the data of a replicate come from. One file each."""

from simstudy.mechanisms.dataset import Dataset
from simstudy.mechanisms.exchangeable import Exchangeable
from simstudy.mechanisms.fitted import Fitted
from simstudy.mechanisms.grouped import GroupedMechanism
from simstudy.mechanisms.mechanism import Mechanism
from simstudy.mechanisms.multilevel import Multilevel
from simstudy.mechanisms.student_t import StudentT
from simstudy.mechanisms.two_component import TwoComponent
from simstudy.mechanisms.user import UserMechanism

MECHANISMS: dict[str, type[Mechanism]] = {
    family.kind: family for family in (Exchangeable, StudentT, TwoComponent, Fitted, Multilevel, Dataset)
}

__all__ = [
    "MECHANISMS",
    "Dataset",
    "Exchangeable",
    "Fitted",
    "GroupedMechanism",
    "Mechanism",
    "Multilevel",
    "StudentT",
    "TwoComponent",
    "UserMechanism",
]
