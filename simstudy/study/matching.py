"""Calibration studies: the priors of the methods must be those that the truth is drawn from.

Ranks of the truth among posterior draws are uniform only if truth and data come from the model that is fitted (Talts
et al. 2018). A mechanism with tau = 0 is the model of complete pooling, one with constant mu and tau that of no pooling
with theta ~ Normal(mu, tau), any other that of partial pooling.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from simstudy.errors import StudyError
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
        model = method.model.hierarchy
        if model is None:
            continue
        where = f"[[method]] {method.name!r} in scenario {scenario.label!r}"
        population = scenario.mechanism.population
        if population is None:
            raise StudyError(f"{where}: a calibration study needs the mechanism 'exchangeable' with random effects")
        _check_priors(model, population, where)
        if model.likelihood != scenario.mechanism.likelihood:
            raise StudyError(
                f"{where}: the method's likelihood is not the mechanism's; a calibration study needs the same"
            )


def _check_priors(model: Any, population: Mapping[str, Prior], where: str) -> None:
    try:
        of_effects = model.structure.priors_of(population["mu"], population["tau"])
    except StudyError as error:
        raise StudyError(f"{where}: {error}") from None
    expected = of_effects | {name: prior.text for name, prior in population.items() if name not in ("mu", "tau")}
    for name, prior in model.priors:
        if prior.text != expected.get(name):
            raise StudyError(
                f"{where}: priors.{name} is {prior.text}, but the truth is drawn from {expected.get(name, 'none')}; a "
                "calibration study needs the same"
            )
