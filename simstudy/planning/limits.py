"""What no size helps against: goals that cannot be reached, and the limits that a measure approaches.

Closed forms for known hyperparameters; what is not known of these makes intervals wider than they say.
"""

import math
from collections.abc import Mapping

import numpy as np
from scipy.special import ndtr, ndtri

from simstudy.mechanisms import GroupedMechanism
from simstudy.planning.goal import Goal
from simstudy.planning.question import Question
from simstudy.planning.words import given
from simstudy.report.reading.wording import number, symbol
from simstudy.streams import random_key

DRAWS = 10_000


def hopeless(question: Question, goal: Goal) -> str | None:
    """Return why no design of any size can reach a goal, or None."""
    if goal.kind != "power" or goal.estimand not in ("mu", "tau", "sigma"):
        return None
    letter, claim = symbol(goal.estimand), f"{symbol(goal.estimand)} {goal.side} {given(goal.null)}"
    if not question.hyperparameters:
        return _of_draws(question, goal, claim)
    value = question.hyperparameters.get(goal.estimand)
    if value is None or (value > goal.null if goal.side == ">" else value < goal.null):
        return None
    if goal.is_homogeneity:
        return (
            f"τ is 0: the groups do not differ, and a test at {100 * (1 - goal.level):g} % finds that they do with "
            "that probability, whatever the design."
        )
    return (
        f"{letter} is {number(value)} here, so that {claim} does not hold: the interval lies on that side by chance "
        "alone, and ever more rarely with more data."
    )


def _of_draws(question: Question, goal: Goal, claim: str) -> str | None:
    """Return why averaged power cannot reach its target: the claim does not hold often enough."""
    mechanism = question.template.scenarios[0].mechanism
    if not isinstance(mechanism, GroupedMechanism):
        return None
    keys = np.stack([random_key(question.template.section.seed, "", i, "limit") for i in range(DRAWS)])
    drawn = hyperparameters(mechanism, keys)[goal.estimand]
    holds = float(np.mean(drawn > goal.null if goal.side == ">" else drawn < goal.null))
    if holds + 2 * math.sqrt(holds * (1 - holds) / DRAWS) >= goal.target:
        return None
    return (
        f"{claim} holds in {100 * holds:.1f} % of what is held possible: power averaged over that comes to no more, "
        "however many groups and observations there are."
    )


def hyperparameters(mechanism: GroupedMechanism, keys: np.ndarray) -> Mapping[str, np.ndarray]:
    """Return (replicate,) values of the hyperparameters, in float64."""
    import jax

    with jax.enable_x64(True), jax.default_device(jax.devices("cpu")[0]):
        return {name: np.asarray(values)[:, 0] for name, values in mechanism.hyperparameters(keys).items()}


def limit(question: Question, goal: Goal) -> str | None:
    """Return the limit that a measure approaches as the open number grows, and why; None where none is known."""
    values, opens = question.hyperparameters, question.opens
    tau, z = values.get("tau"), float(ndtri((1 + goal.level) / 2))
    if tau is None:
        return None
    if goal.kind == "width" and goal.estimand == "theta_new":
        return (
            f"The effect of a new group varies with τ itself: no design makes its interval shorter than about "
            f"2 · {z:.2f} · τ = {number(2 * z * tau)}."
        )
    if opens == ("group_size",) and question.groups is not None:
        return _by_groups(question.groups, values, goal, z)
    if opens == ("groups",) and goal.kind == "width" and goal.estimand == "theta" and tau > 0:
        within = _within(question)
        if within is None:
            return None
        known = 2 * z / math.sqrt(1 / within + 1 / tau**2)
        return (
            f"More groups tell μ and τ, but of a group’s own effect only its own data speak: with μ, τ and σ known its "
            f"interval is still {number(known)} wide. More observations in each group would help."
        )
    return None


def _by_groups(groups: int, values: Mapping[str, float], goal: Goal, z: float) -> str | None:
    """Return the limit that the number of groups sets, whatever their size."""
    tau, error = values["tau"], values["tau"] / math.sqrt(groups)
    known = f"{groups} groups with τ = {number(tau)} tell their mean no better than τ/√J = {number(error)}"
    if goal.estimand == "mu" and goal.kind == "width":
        return (
            f"{known}, an interval of {number(2 * z * error)}, however many observations each has. More groups would "
            "help."
        )
    if goal.estimand == "mu" and goal.kind == "power" and error > 0:
        most = float(ndtr(abs(values["mu"] - goal.null) / error - z))
        return (
            f"{known}: with τ known the probability would come to {100 * most:.0f} %, however many observations each "
            "has. More groups would help."
        )
    if goal.estimand == "tau" and goal.kind == "width" and groups > 1:
        about = 2 * z * tau / math.sqrt(2 * (groups - 1))
        return (
            f"{groups} groups tell their sd no better than about τ/√(2 (J − 1)), an interval of about "
            f"{number(about)}, however many observations each has. More groups would help."
        )
    return None


def _within(question: Question) -> float | None:
    """Return the squared standard error of a group's own mean, or None where groups differ in it."""
    if question.likelihood == "normal" and question.group_size and "sigma" in question.hyperparameters:
        return question.hyperparameters["sigma"] ** 2 / question.group_size
    return None
