"""Likelihoods: how observations arise from the effects of their groups. One file each."""

from simstudy.errors import StudyError
from simstudy.models.likelihoods.binomial import Binomial
from simstudy.models.likelihoods.likelihood import Likelihood
from simstudy.models.likelihoods.normal import Normal
from simstudy.models.likelihoods.normal_known_se import NormalKnownSE

LIKELIHOODS: dict[str, type[Likelihood]] = {family.kind: family for family in (Normal, NormalKnownSE, Binomial)}


def likelihood_of(kind: str, sigma_by: str | None, where: str) -> Likelihood:
    """Return a likelihood by the names that a study file has.

    Args:
        kind: one of ``LIKELIHOODS``.
        sigma_by: for the normal likelihood; its default when None.
        where: the section of the study file, for the message.

    Raises:
        StudyError: ``sigma_by`` is given for a likelihood without sigma.
    """
    if kind == Normal.kind:
        return Normal(sigma_by=sigma_by or "shared")  # type: ignore[arg-type]
    if sigma_by not in (None, "shared"):
        raise StudyError(f"{where} sigma_by: the likelihood {kind!r} has no sigma; leave the key out")
    return LIKELIHOODS[kind]()


__all__ = ["LIKELIHOODS", "Binomial", "Likelihood", "Normal", "NormalKnownSE", "likelihood_of"]
