"""Samplers: how draws from a posterior are made. One file, or folder, each."""

from simstudy.models.families import family_of
from simstudy.registry import Registry
from simstudy.samplers.exact.sampler import Exact
from simstudy.samplers.likelihood.sampler import ML, REML
from simstudy.samplers.numpyro import NumPyro
from simstudy.samplers.nuts.sampler import NUTS
from simstudy.samplers.sampler import Program, Sampler

SAMPLERS: Registry[type[Sampler]] = Registry(
    "sampler", {family.kind: family for family in (NUTS, NumPyro, Exact, REML, ML)}, adapt=family_of("sampler", Sampler)
)

__all__ = ["ML", "NUTS", "REML", "SAMPLERS", "Exact", "NumPyro", "Program", "Sampler"]
