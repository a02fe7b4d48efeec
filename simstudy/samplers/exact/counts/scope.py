"""Which additive models have an exact posterior by recursive quadrature, and their data as it takes them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeGuard

import numpy as np

from simstudy.errors import StudyError
from simstudy.models.additive import AdditiveModel
from simstudy.models.model import Model
from simstudy.models.predictor import Term
from simstudy.models.priors import Prior, constant
from simstudy.models.terms import Exchangeable
from simstudy.models.terms.structure import NOISE
from simstudy.samplers.exact.axis import location_and_scale
from simstudy.samplers.exact.counts.data import CountData
from simstudy.samplers.exact.counts.positive import PositiveAxis
from simstudy.samplers.exact.effect import COUNTS, NEGATIVE_BINOMIAL, TRIALS

FAMILIES = {"binomial": TRIALS, "poisson": COUNTS, "negative_binomial": NEGATIVE_BINOMIAL}
"""Exact form of a likelihood -> what its integrals are."""
SUPPORTED = (
    "expected a sum of an intercept with a Normal prior and at most one exchangeable term, with the likelihood "
    "bernoulli, binomial, poisson or negative_binomial"
)


@dataclass(frozen=True, kw_only=True)
class CountModel:
    """An additive model that has an exact posterior.

    Args:
        model: the model.
        term: its term; None where all groups are alike.
    """

    model: AdditiveModel
    term: Term | None

    @property
    def priors(self) -> Mapping[str, Prior]:
        """Prior by parameter."""
        return dict(self.model.priors)

    @property
    def tau(self) -> str:
        """Name of the standard deviation of the effects."""
        return "tau" if self.term is None else self.term.name_of("tau")

    @property
    def noise_site(self) -> str | None:
        """Name of the latent site of the effects."""
        return None if self.term is None else self.term.site(NOISE)

    def data(self, arrays: Mapping[str, np.ndarray], fit: int) -> CountData:
        """Return one data set.

        Args:
            arrays: what ``AdditiveModel.arrays`` made.
            fit: which of them.
        """
        priors, stats = self.priors, {name: leaf[fit] for name, leaf in arrays.items()}
        family = FAMILIES[str(self.model.likelihood.exact_form)]
        n = stats["n"]
        zeros = np.zeros_like(n)
        if family == NEGATIVE_BINOMIAL:
            size = stats["size"]
            groups = (zeros, stats["total"], size, np.log(n / size))
        else:
            groups = (n, stats["k" if family == TRIALS else "total"], zeros, zeros)
        phi = priors["phi"] if family == NEGATIVE_BINOMIAL else constant(1.0)
        return CountData(
            family=family,
            groups=groups,
            of_phi=_OfPhi(model=self.model, stats=stats, groups=groups, family=family),
            mu=np.array(location_and_scale(priors["mu"])),
            tau=PositiveAxis(name=self.tau, prior=constant(0.0) if self.term is None else priors[self.tau]),
            phi=PositiveAxis(name="phi", prior=phi),
        )


def is_of_counts(model: Model) -> TypeGuard[AdditiveModel]:
    """Whether a model is a sum of terms with a likelihood whose effects are integrated one by one."""
    return isinstance(model, AdditiveModel) and model.likelihood.exact_form in FAMILIES


def supported(model: AdditiveModel) -> CountModel:
    """Return the parts of a model that has an exact posterior.

    Raises:
        StudyError: it has none here; the message names what is supported.
    """
    words = None
    if model.likelihood.exact_form not in FAMILIES:
        words = f"the likelihood {model.likelihood.kind!r}"
    elif model.location.covariates:
        words = f"covariates ({', '.join(model.location.covariates)})"
    elif len(model.terms) > 1:
        words = f"{len(model.terms)} terms"
    elif any(type(term.structure) is not Exchangeable for term in model.terms):
        words = f"the structure {model.terms[0].structure.kind!r}"
    elif any(model.design is not None and not _is_cells(model, term) for term in model.terms):
        words = "several cells in a level"
    elif dict(model.priors)["mu"].name != "Normal":
        words = f"the prior {dict(model.priors)['mu'].text} of mu"
    if words is not None:
        raise StudyError(f"sampler 'exact': no exact posterior of counts with {words}; {SUPPORTED}")
    return CountModel(model=model, term=model.terms[0] if model.terms else None)


def _is_cells(model: AdditiveModel, term: Term) -> bool:
    return model.design is None or model.design.factor(term.factor).is_cells


@dataclass(frozen=True, kw_only=True)
class _OfPhi:
    """The part of a log likelihood that depends on phi alone: all of it, less what the integrals have.

    Args:
        model: the model.
        stats: sufficient statistics of one data set.
        groups: the same as columns.
        family: of the likelihood.
    """

    model: AdditiveModel
    stats: Mapping[str, np.ndarray]
    groups: tuple[np.ndarray, ...]
    family: int

    def __call__(self, phi: np.ndarray) -> np.ndarray:
        """Return it at values of phi, (value,)."""
        if self.family != NEGATIVE_BINOMIAL:
            return np.zeros_like(phi)
        lanes = {name: leaf[..., None] for name, leaf in self.stats.items()}
        _, total, size, log_each = (column[:, None] for column in self.groups)
        theta = np.broadcast_to(lanes["center"], (len(total), len(phi)))
        with np.errstate(all="ignore"):  # the search looks at shapes near 0 too
            whole = self.model.likelihood.log_likelihood(theta, {"phi": phi}, lanes, xp=np)
        shifted = theta + log_each - np.log(phi)
        return np.asarray(whole - (total * shifted - (total + size * phi) * np.logaddexp(0.0, shifted)).sum(0))
