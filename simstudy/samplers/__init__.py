"""Samplers: how draws from a posterior are made. One file, or folder, each."""

from simstudy.samplers.numpyro import NumPyro
from simstudy.samplers.nuts.sampler import NUTS
from simstudy.samplers.sampler import Program, Sampler

SAMPLERS: dict[str, type[Sampler]] = {family.kind: family for family in (NUTS, NumPyro)}

__all__ = ["NUTS", "SAMPLERS", "NumPyro", "Program", "Sampler"]
