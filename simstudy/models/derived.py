"""Estimands from draws of a model's parameters, or from their true values.

Draws and truth go through the same functions, so an estimate and its truth mean the same thing: the truth is a block
with one chain of one draw. Arrays are (fit, chain, draw, *group). NumPy alone.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from simstudy.models.estimands import (
    LOG_LIK,
    PROB_BEST,
    THETA_MEAN,
    THETA_NEW,
    THETA_SD,
    THETA_VAR,
    Y_NEW,
    Estimand,
)

if TYPE_CHECKING:
    from simstudy.models.likelihoods import Likelihood

Arrays = Mapping[str, np.ndarray]


def derived_estimands(*, effects_differ: bool) -> tuple[Estimand, ...]:
    """Return what is derived for every structure and likelihood, given whether groups can differ."""
    of_differences = (THETA_VAR, PROB_BEST) if effects_differ else ()
    return (THETA_MEAN, THETA_SD, *of_differences, THETA_NEW, Y_NEW, LOG_LIK)


def of_effects(effects: Arrays, *, effects_differ: bool = True) -> dict[str, np.ndarray]:
    """Return what is asked about the effects of the groups at hand.

    Args:
        effects: ``theta`` (fit, chain, draw, group), and ``mu``, ``tau`` where the structure has them.
        effects_differ: whether the structure lets groups differ; if not, their spread is exactly 0.

    Returns:
        The effects, and over the groups of each draw (Gelman 2005): ``theta_mean``; ``theta_sd``, with one degree of
        freedom lost; ``theta_var``, its square; ``prob_best``, the indicator of the largest effect.
    """
    theta = effects["theta"]
    if not effects_differ:
        mean = theta[..., 0]
        return {**effects, "theta_mean": mean, "theta_sd": np.zeros_like(mean)}
    estimands = {**effects, "theta_mean": theta.mean(-1)}
    if theta.shape[-1] > 1:
        estimands["theta_sd"] = theta.std(-1, ddof=1)
        estimands["theta_var"] = estimands["theta_sd"] ** 2
        estimands["prob_best"] = theta == theta.max(-1, keepdims=True)
    return estimands


def of_observations(effects: Arrays, scale: Arrays, stats: Arrays, likelihood: "Likelihood") -> dict[str, np.ndarray]:
    """Return what is asked about effects and observations together.

    Args:
        effects: as for ``of_effects``.
        scale: the likelihood's scale parameters, (fit, chain, draw) or (fit, chain, draw, group).
        stats: sufficient statistics, (fit,) or (fit, group).
        likelihood: of the model, or of the mechanism for the truth.

    Returns:
        ``log_lik``, the log likelihood of all observations; the mean of an observation under a link function, by the
        likelihood's name of it; ``shrinkage_weight`` where there is a tau.
    """
    theta = groups_first(effects["theta"])
    n_draw_axes = theta.ndim - 1
    scale_first = {name: groups_first(value) if value.ndim > n_draw_axes else value for name, value in scale.items()}
    stats_first = {name: against_draws(value) for name, value in stats.items()}
    estimands: dict[str, Any] = {"log_lik": likelihood.log_likelihood(theta, scale_first, stats_first, xp=np)}
    if likelihood.mean is not None:
        estimands[likelihood.mean.name] = likelihood.inverse_link(effects["theta"])
    if "tau" in effects:
        weight = likelihood.shrinkage_weight(effects["tau"], effects["mu"], scale_first, stats_first)
        estimands["shrinkage_weight"] = np.moveaxis(np.asarray(weight), 0, -1)
    return estimands


def groups_first(array: np.ndarray) -> np.ndarray:
    """Return (fit, chain, draw, group) as (group, fit, chain, draw)."""
    return np.moveaxis(array, -1, 0)


def groups_outermost(draws: np.ndarray) -> np.ndarray:
    """Return the same (fit, chain, draw, *group) with groups outermost in memory: what is done over groups runs along.

    Sums and maxima over a last axis of a few groups would take ten times as long.
    """
    n_axes = draws.ndim - 3
    first = np.ascontiguousarray(draws.transpose(*range(3, draws.ndim), 0, 1, 2))
    return first.transpose(*range(n_axes, draws.ndim), *range(n_axes))


def against_draws(stats: np.ndarray) -> np.ndarray:
    """Return (fit,) as (fit, 1, 1) and (fit, group, ...) as (group, ..., fit, 1, 1)."""
    return np.moveaxis(stats, 0, -1)[..., None, None]
