"""Likelihoods: how observations arise from the effects of their groups. One file each."""

from simstudy.models.likelihoods.binomial import Binomial
from simstudy.models.likelihoods.likelihood import Likelihood
from simstudy.models.likelihoods.normal import Normal
from simstudy.models.likelihoods.normal_known_se import NormalKnownSE

LIKELIHOODS: dict[str, type[Likelihood]] = {family.kind: family for family in (Normal, NormalKnownSE, Binomial)}

__all__ = ["LIKELIHOODS", "Binomial", "Likelihood", "Normal", "NormalKnownSE"]
