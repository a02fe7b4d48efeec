"""Priors against the truth of simulated data: a value that a mechanism sets where a method's prior is as good as never.

Of simulated data the parameters are known, so that a prior is held against them and not against data: a two-sided
p-value below 0.001 is a conflict, one-sided above where a small value is none (a scale near 0 lets the data speak, and
of a spread between groups they do so at 0 too). A parameter is compared where mechanism and method mean the same by it:
on one scale of the effects, of a term with one structure. Without pooling the prior is of each group, and groups one
spread from their mean are held against it.

Parameters that a mechanism draws from priors are left alone, and so are scenarios of a user's own simulator.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from simstudy.mechanisms import Mechanism
from simstudy.models.additive import AdditiveModel
from simstudy.models.estimands import Parameter
from simstudy.models.model import Model
from simstudy.models.priors import Prior
from simstudy.study.conflict import Conflict
from simstudy.study.design import Scenario
from simstudy.study.methods import Method
from simstudy.study.predictive import against, in_digits, prior_draws, reaches_zero
from simstudy.study.prior_quantiles import quantiles_of

CONTRADICTS = "the truth contradicts"
REMEDY = "give priors in the unit of the data"
UNBOUNDED = ("real", "positive")
"""Supports in which a truth can be far from a prior; at the end of an interval it is as near as the prior reaches."""
N_DRAWS = 20_000


def truth_conflicts(scenarios: Sequence[Scenario], methods: Iterable[Method]) -> dict[str, list[Conflict]]:
    """Return for each method whose priors the truth contradicts the conflicts, each told of the scenario where most.

    Args:
        scenarios: of a study that simulates.
        methods: of the study.
    """
    mechanisms = [scenario.mechanism for scenario in scenarios]
    found = {method.name: list(_of_method(method.model, mechanisms)) for method in methods}
    return {name: some for name, some in found.items() if some}


def _of_method(model: Model, mechanisms: Sequence[Mechanism]) -> Iterator[Conflict]:
    judged = model.declared
    if judged is None:
        return
    priors = dict(judged.priors)
    for parameter in judged.parameters:
        prior = priors[parameter.name]
        told = [_against(judged, parameter, prior, mechanism) for mechanism in mechanisms]
        beyond = [one for one in told if one[1]]
        if not beyond:
            continue
        _, words = max(beyond, key=lambda one: one[0])
        where = f", in {len(beyond)} of {len(told)} scenarios" if len(told) > 1 else ""
        is_default = prior.text == parameter.default_prior(judged.effect_scale)
        yield Conflict(
            parameter=parameter.name,
            prior=prior.text,
            words=f"{words}{where}; {REMEDY}" if is_default else f"{words}{where}",
            verdict=f"{CONTRADICTS} the default prior" if is_default else f"{CONTRADICTS} the prior",
        )


def _against(model: Model, parameter: Parameter, prior: Prior, mechanism: Mechanism) -> tuple[float, str]:
    """Return how far the truth is from a prior's median, and what is to be said of it, empty where nothing is."""
    seen = _truth(model, parameter, mechanism)
    if seen is None or prior.is_constant or parameter.support not in UNBOUNDED:
        return 0.0, ""
    what, value = seen
    predicted = _draws(prior)
    middle = float(np.median(predicted))
    if parameter.support == "positive" and value < middle and parameter.may_be_zero:
        return 0.0, ""
    words = against(what, value, predicted, above_only=parameter.support == "positive" and value >= middle)
    if words and parameter.support == "positive" and value < middle and reaches_zero(prior):
        return 0.0, ""
    return abs(value - middle), words


def _truth(model: Model, parameter: Parameter, mechanism: Mechanism) -> tuple[str, float] | None:
    """Return what a parameter of a model is in truth, in words and as a number; None where it is not known."""
    likelihood, truth = mechanism.likelihood, mechanism.truth
    if likelihood is None or not _same_scale(model, mechanism):
        return None
    structure = getattr(model, "structure", None)
    if structure is not None and structure.groups_are_apart and parameter in structure.parameters:
        if not {"mu", "tau"} <= set(truth):
            return None
        away = truth["mu"] + np.copysign(truth["tau"], truth["mu"])
        return f"groups with mu = {_text(truth['mu'])} and tau = {_text(truth['tau'])} lie at", float(away)
    if isinstance(model, AdditiveModel) and parameter.name in _strange(model, mechanism):
        return None
    return (f"{parameter.name} =", truth[parameter.name]) if parameter.name in truth else None


def _same_scale(model: Model, mechanism: Mechanism) -> bool:
    """Whether effects are on one scale: that of the observations, or that of one link function."""
    own, true = model.family, mechanism.likelihood
    return (
        own is not None
        and true is not None
        and own.scale == true.scale
        and (own.scale == "natural" or own.kind == true.kind)
    )


def _strange(model: AdditiveModel, mechanism: Mechanism) -> set[str]:
    """Return the parameters of a model's terms whose structure is not that of the truth."""
    true = {term.factor: term.structure.kind for term in mechanism.assumed_terms}
    return {p.name for term in model.terms for p in term.parameters if true.get(term.factor) != term.structure.kind}


@functools.lru_cache(maxsize=256)
def _draws(prior: Prior) -> np.ndarray:
    known = quantiles_of(prior, N_DRAWS)
    return prior_draws(prior, (N_DRAWS,), 0) if known is None else known


def _text(value: float) -> str:
    return in_digits(value, 4)
