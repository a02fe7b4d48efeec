"""Samplers: how draws from a posterior are made. One file, or folder, each."""

from simstudy.samplers.exact.sampler import Exact
from simstudy.samplers.numpyro import NumPyro
from simstudy.samplers.nuts.sampler import NUTS
from simstudy.samplers.sampler import Program, Sampler

SAMPLERS: dict[str, type[Sampler]] = {family.kind: family for family in (NUTS, NumPyro, Exact)}

__all__ = ["NUTS", "SAMPLERS", "Exact", "NumPyro", "Program", "Sampler"]
