"""Calibration studies: the priors of the methods must be those that the truth is drawn from.

Ranks of the truth among posterior draws are uniform only if truth and data come from the model that is fitted (Talts
et al. 2018). A mechanism with tau = 0 is the model of complete pooling, one with constant mu and tau that of no pooling
with theta ~ Normal(mu, tau), any other that of partial pooling.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from simstudy.errors import StudyError
from simstudy.mechanisms import Mechanism
from simstudy.models.priors import Prior
from simstudy.study.design import Scenario
from simstudy.study.methods import Method


def check_matching(scenarios: Iterable[Scenario], methods: Iterable[Method]) -> None:
    """Refuse methods whose model is not the one that the truth of every scenario is drawn from.

    A model that has no parts to compare, such as a user's, is taken at its word.

    Raises:
        StudyError: names the method, the scenario and the parameter.
    """
    pairs = [(scenario, method) for scenario in scenarios for method in methods]
    for scenario, method in pairs:
        model, mechanism = method.model, scenario.mechanism
        if model.family is None:
            continue
        where = f"[[method]] {method.name!r} in scenario {scenario.label!r}"
        if not method.sampler.has_posterior:
            raise StudyError(
                f"{where}: the sampler {method.sampler.kind!r} has no posterior that ranks could be taken of; give the "
                'method another sampler, or the study kind = "simulation"'
            )
        population = mechanism.population
        if population is None:
            kind = "'exchangeable'" if mechanism.design is None else "'multilevel' with normal noise"
            raise StudyError(f"{where}: a calibration study needs the mechanism {kind} and random effects")
        if mechanism.design is None:
            _check_priors(model.hierarchy, population, where)
        else:
            _check_terms(model, mechanism, population, where)
        if model.family != mechanism.likelihood:
            raise StudyError(
                f"{where}: the method's likelihood is not the mechanism's; a calibration study needs the same"
            )


def _check_priors(model: Any, population: Mapping[str, Prior], where: str) -> None:
    try:
        of_effects = model.structure.priors_of(population["mu"], population["tau"])
    except StudyError as error:
        raise StudyError(f"{where}: {error}") from None
    expected = of_effects | {name: prior.text for name, prior in population.items() if name not in ("mu", "tau")}
    _check_equal(model, expected, where)


def _check_terms(model: Any, mechanism: Mechanism, population: Mapping[str, Prior], where: str) -> None:
    """Refuse a sum of other terms: every term of the mechanism has its structure, or no spread and no place."""
    own = {term.factor: term for term in model.terms}
    for term in mechanism.assumed_terms:
        spread = population[term.parameters[0].name]
        if term.factor not in own and not spread.is_zero:
            raise StudyError(
                f"{where}: the term of {term.factor!r} is left out, but its effects have a standard deviation of "
                f"{spread.text}; a calibration study needs it, or 0"
            )
        if term.factor in own and own[term.factor].structure.kind != term.structure.kind:
            raise StudyError(
                f"{where}: the term of {term.factor!r} is {own[term.factor].structure.kind!r}, but the truth is drawn "
                f"from {term.structure.kind!r}; a calibration study needs the same"
            )
    given = {name for name, _ in model.priors}
    for name in mechanism.covariate_names:
        beta = population.get(f"beta[{name}]")
        if beta is not None and f"beta[{name}]" not in given and not beta.is_zero:
            raise StudyError(
                f"{where}: the covariate {name!r} is left out, but its coefficient is {beta.text}; a calibration study "
                "needs it, or 0"
            )
    _check_equal(model, {name: prior.text for name, prior in population.items()}, where)


def _check_equal(model: Any, expected: Mapping[str, str], where: str) -> None:
    for name, prior in model.priors:
        if prior.text != expected.get(name):
            raise StudyError(
                f"{where}: priors.{name} is {prior.text}, but the truth is drawn from {expected.get(name, 'none')}; a "
                "calibration study needs the same"
            )
