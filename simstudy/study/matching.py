"""Calibration studies: the priors of the methods must be those that the truth is drawn from.

Ranks of the truth among posterior draws are uniform only if truth and data come from the model that is fitted (Talts
et al. 2018). A mechanism with tau = 0 is the model of complete pooling, one with constant mu and tau that of no pooling
with theta ~ Normal(mu, tau), any other that of partial pooling.
"""

from collections.abc import Iterable

from simstudy.errors import StudyError
from simstudy.mechanisms import Exchangeable
from simstudy.models.hierarchical import HierarchicalModel
from simstudy.models.priors import Prior
from simstudy.models.user import UserModel
from simstudy.study.design import Scenario
from simstudy.study.methods import Method


def check_matching(scenarios: Iterable[Scenario], methods: Iterable[Method]) -> None:
    """Refuse methods whose model is not the one that the truth of every scenario is drawn from.

    A user's model is taken at the user's word.

    Raises:
        StudyError: names the method, the scenario and the parameter.
    """
    pairs = [(scenario, method) for scenario in scenarios for method in methods]
    for scenario, method in pairs:
        if isinstance(method.model, UserModel):
            continue
        where = f"[[method]] {method.name!r} in scenario {scenario.label!r}"
        if not isinstance(scenario.mechanism, Exchangeable) or scenario.mechanism.effects != "random":
            raise StudyError(f"{where}: a calibration study needs the mechanism 'exchangeable' with random effects")
        if isinstance(method.model, HierarchicalModel):
            _check_priors(method.model, _priors_of(scenario.mechanism, method.model.structure.kind, where), where)
            _check_likelihood(method.model, scenario.mechanism, where)


def _priors_of(mechanism: Exchangeable, structure: str, where: str) -> dict[str, str]:
    """Return the priors, as text, that a method of a structure needs for the mechanism to be its model."""
    scale = {name: getattr(mechanism, name).text for name in mechanism.likelihood.parameters}
    mu, tau = mechanism.mu, mechanism.tau
    if structure == "complete":
        if not _is_zero(tau):
            raise StudyError(
                f"{where}: complete pooling is calibrated where tau = 0; the mechanism has tau = {tau.text}"
            )
        return {"mu": mu.text} | scale
    if _is_zero(tau):
        raise StudyError(f"{where}: with tau = 0 only complete pooling is calibrated")
    if structure == "none":
        if not (mu.is_constant and tau.is_constant):
            raise StudyError(
                f"{where}: no pooling is calibrated where mu and tau are numbers, with the prior theta ~ Normal(mu, "
                f"tau); the mechanism has mu = {mu.text} and tau = {tau.text}"
            )
        return {"theta": f"Normal({mu.text}, {tau.text})"} | scale
    return {"mu": mu.text, "tau": tau.text} | scale


def _check_priors(model: HierarchicalModel, expected: dict[str, str], where: str) -> None:
    for name, prior in model.priors:
        if prior.text != expected[name]:
            raise StudyError(
                f"{where}: priors.{name} is {prior.text}, but the truth is drawn from {expected[name]}; a calibration "
                "study needs the same"
            )


def _check_likelihood(model: HierarchicalModel, mechanism: Exchangeable, where: str) -> None:
    if model.likelihood != mechanism.likelihood:
        raise StudyError(f"{where}: the method's likelihood is not the mechanism's; a calibration study needs the same")


def _is_zero(tau: Prior) -> bool:
    return tau.is_constant and tau.value == 0
