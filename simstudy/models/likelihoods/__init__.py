"""Likelihoods: how observations arise from the effects of their groups. One file each."""

from simstudy.models.families import family_of
from simstudy.models.likelihoods.bernoulli import Bernoulli
from simstudy.models.likelihoods.binomial import Binomial
from simstudy.models.likelihoods.likelihood import Likelihood
from simstudy.models.likelihoods.negative_binomial import NegativeBinomial
from simstudy.models.likelihoods.normal import Normal
from simstudy.models.likelihoods.normal_known_se import NormalKnownSE
from simstudy.models.likelihoods.poisson import Poisson
from simstudy.models.likelihoods.student_t import StudentT
from simstudy.registry import Registry

FAMILIES = (Normal, NormalKnownSE, Binomial, Bernoulli, Poisson, NegativeBinomial, StudentT)
LIKELIHOODS: Registry[type[Likelihood]] = Registry(
    "likelihood", {family.kind: family for family in FAMILIES}, adapt=family_of("likelihood", Likelihood)
)

__all__ = [
    "LIKELIHOODS",
    "Bernoulli",
    "Binomial",
    "Likelihood",
    "NegativeBinomial",
    "Normal",
    "NormalKnownSE",
    "Poisson",
    "StudentT",
]
