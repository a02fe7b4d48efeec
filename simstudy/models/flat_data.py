"""Normal observations that do not vary: whether their posterior has a finite integral.

Where observations equal what is fitted to them, their density goes to infinity with their standard deviation to 0. Each
rule follows a corner of the parameters in which it does, and holds its order to that of the priors there; orders are
``Prior.order_at_zero``. Leaves to the likelihood which rule is its own.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from simstudy.late import jax
from simstudy.models.priors import Prior
from simstudy.types import GroupedData

FAR = 1e8  # where the tail of a prior is measured: its square is large against what any other term is there
MORE_DIGITS = "or data with more digits"


def of_sigma(data: GroupedData, priors: Mapping[str, Prior], *, effects_differ: bool, by_group: bool) -> str:
    """Return why the posterior with one sigma, or one for each group, is improper, or an empty text.

    With the effects integrated out the density goes as sigma^-(N - J), J the number of effects, for it is largest where
    every effect is what its group shows; a prior that goes as sigma^a at 0 makes it a distribution if a + 1 > N - J.
    Where all observations are equal and effects are Normal(mu, tau), it goes as r^-(N - 1) where sigma and tau go to 0
    together as r, since mu is integrated out; priors that go as sigma^a and tau^b make it one if a + b + 2 > N - 1.
    """
    repeats, sigma = _repeats(data, effects_differ=effects_differ, by_group=by_group), priors["sigma"]
    if repeats and sigma.order_at_zero + 1 <= repeats:
        return _of_sigma("in a group" if by_group else "within groups" if effects_differ else "at all", sigma)
    if by_group or not effects_differ or not _is_free("mu", priors) or not _is_free("tau", priors):
        return ""
    n_equal, tau = _repeats(data, effects_differ=False, by_group=False), priors["tau"]
    if n_equal and sigma.order_at_zero + tau.order_at_zero + 2 <= n_equal:
        return (
            f"the posterior is improper: the observations do not vary at all, so that sigma and tau go to 0 under "
            f"their priors {sigma.text} and {tau.text}; give sigma one that keeps it from 0, such as LogNormal, "
            f"{MORE_DIGITS}"
        )
    return ""


def of_omega(data: GroupedData, priors: Mapping[str, Prior], *, effects_differ: bool) -> str:
    """Return why the posterior with log sigma_j ~ Normal(log m, omega) is improper, or an empty text.

    A group of n_j equal observations gives sigma_j^-k with k = n_j - 1, whose mean is m^-k exp(k^2 omega^2 / 2). With K
    the sum of all k the density goes as m^-K where no group varies, so that the prior of m must have a + 1 > K. Where
    omega grows it goes as exp(S omega^2 / 2), S the sum of all k^2, which a prior as exp(-c omega^2) makes finite if
    2 c > S. At equality it depends on the other groups, and nothing is said. Around one mean for all groups K is N - 1,
    and S is the largest k^2, since it can be what one of the groups shows.
    """
    if not effects_differ and not _is_free("mu", priors):
        return ""
    k = np.where(_are_flat(data), np.maximum(data.n_obs - 1, 0), 0).astype(float)
    repeats = _repeats(data, effects_differ=effects_differ, by_group=False)
    if repeats and priors["sigma"].order_at_zero + 1 <= repeats:
        return _of_sigma("within groups" if effects_differ else "at all", priors["sigma"])
    if ((k**2).sum() if effects_differ else (k**2).max()) > 2 * _fall(priors["omega"]):
        return (
            "the posterior is improper: the observations do not vary in a group, so that its sigma goes to 0 as omega "
            f"grows under its prior {priors['omega'].text}; give omega one that ends, such as Uniform(0, 2), "
            f"{MORE_DIGITS}"
        )
    return ""


def _of_sigma(where: str, sigma: Prior) -> str:
    return (
        f"the posterior is improper: the observations do not vary {where}, so that sigma goes to 0 under its prior "
        f"{sigma.text}; give one that keeps it from 0, such as LogNormal, {MORE_DIGITS}"
    )


def _is_free(name: str, priors: Mapping[str, Prior]) -> bool:
    return name in priors and not priors[name].is_constant


def _fall(prior: Prior) -> float:
    """Return the c for which a density falls as exp(-c x^2) far out; infinite where it ends or falls faster."""
    if prior.is_constant:
        return math.inf
    with jax.enable_x64(True):
        built = prior.distribution()
        if not np.all(built.support(np.array(FAR))):
            return math.inf
        fall = -float(built.log_prob(np.array(FAR))) / FAR**2
    return math.inf if math.isnan(fall) else fall


def _repeats(data: GroupedData, *, effects_differ: bool, by_group: bool) -> int:
    """Return how many observations repeat another around an effect that fits all exactly; 0 where they vary."""
    n, is_flat = data.n_obs, _are_flat(data)
    if by_group:
        return int(n[is_flat].max(initial=1)) - 1
    if not is_flat.all():
        return 0
    if effects_differ:
        return int(n.sum()) - int(np.count_nonzero(n))
    # Means of equal numbers differ by rounding where groups differ in size.
    return int(n.sum()) - 1 if np.ptp(data.y_mean if data.y is None else data.y) == 0 else 0


def _are_flat(data: GroupedData) -> np.ndarray:
    """Return (group,) whether all observations of a group are equal; a group without any has none that differ."""
    if data.y is None:
        return data.y_ss == 0
    is_flat, is_seen = np.ones(len(data.n_obs), bool), data.n_obs > 0
    starts = np.concatenate([[0], np.cumsum(data.n_obs)[:-1]])[is_seen]
    is_flat[is_seen] = np.maximum.reduceat(data.y, starts) == np.minimum.reduceat(data.y, starts)
    return is_flat
