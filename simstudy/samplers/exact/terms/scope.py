"""Which sums of terms have an exact posterior here, and which of their parameters are integrated where."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from simstudy.errors import StudyError
from simstudy.models.additive import AdditiveModel
from simstudy.models.predictor import Term
from simstudy.models.priors import Prior
from simstudy.samplers.exact.axis import Axis

MOST_OUTER = 2
"""Coordinates around the grid of total and sigma: with three a fit would take minutes."""
SUPPORTED = (
    "expected terms with normal effects, the likelihood normal (one sigma) or normal_known_se, Normal priors or "
    f"constants for mu and beta, and at most {MOST_OUTER + 1} hyperparameters of terms that are not held constant"
)


@dataclass(frozen=True, kw_only=True)
class Scale:
    """A standard deviation that effects of a term are proportional to.

    Args:
        term: whose it is.
        own: its name in the structure.
        prior: its prior, no constant.
    """

    term: Term
    own: str
    prior: Prior

    @property
    def name(self) -> str:
        """Its name in the study."""
        return self.term.name_of(self.own)

    @property
    def axis(self) -> Axis:
        """Its coordinate and prior."""
        return Axis(name=self.name, prior=self.prior)


@dataclass(frozen=True, kw_only=True)
class Hyperparameters:
    """The parameters of the terms of a model, by how they are integrated.

    Args:
        scales: standard deviations with a prior.
        others: correlations, shares, lengths with a prior: outer axes.
        constants: parameter -> value, for those held constant.
        sigma: prior or constant of the residual standard deviation; None where standard errors are known.
    """

    scales: tuple[Scale, ...]
    others: tuple[Axis, ...]
    constants: Mapping[str, float]
    sigma: Prior | None

    @cached_property
    def n_outer(self) -> int:
        """Number of outer coordinates: the scales' shares of their total, and all that is no scale."""
        return max(len(self.scales) - 1, 0) + len(self.others)


def hyperparameters(model: AdditiveModel) -> Hyperparameters:
    """Return the hyperparameters of a model.

    Raises:
        StudyError: the model has no exact posterior here; the message says which have.
    """
    priors = dict(model.priors)
    likelihood = model.likelihood
    if likelihood.exact_form != "normal":
        raise StudyError(
            f"sampler 'exact': no exact posterior for terms with the likelihood {likelihood.kind!r}; {SUPPORTED}"
        )
    for parameter in model.location.parameters:
        prior = priors[parameter.name]
        if not (prior.is_constant or prior.name == "Normal"):
            raise StudyError(
                f"sampler 'exact': the prior {prior.text} of {parameter.name} is out of scope; {SUPPORTED}"
            )
    scales, others, constants = [], [], {}
    for term in model.terms:
        for parameter in term.structure.parameters:
            name = term.name_of(parameter.name)
            if priors[name].is_constant:
                constants[name] = priors[name].value
            elif parameter.name in term.structure.scales:
                scales.append(Scale(term=term, own=parameter.name, prior=priors[name]))
            else:
                others.append(Axis(name=name, prior=priors[name]))
    found = Hyperparameters(scales=tuple(scales), others=tuple(others), constants=constants, sigma=priors.get("sigma"))
    if found.n_outer > MOST_OUTER:
        names = ", ".join([*(s.name for s in scales), *(a.name for a in others)])
        raise StudyError(
            f"sampler 'exact': {names} are {found.n_outer + 1} hyperparameters of terms, more than {MOST_OUTER + 1}; "
            f"hold some constant, or take the sampler 'nuts'; {SUPPORTED}"
        )
    return found
