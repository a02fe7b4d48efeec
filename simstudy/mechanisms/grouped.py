"""Simulation of grouped data, whatever the distribution of the groups' effects.

theta_j = mu + tau * e_j with effects e_j of mean 0 and standard deviation 1, then observations from the likelihood.
So mu and tau are the mean and the standard deviation of the effects under every mechanism. Hyperparameters are
numbers, or priors drawn anew in each replicate. Simulation runs on the CPU in float64 on every platform, so that runs
on different devices see the same data.
"""

import functools
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np

from simstudy.mechanisms.mechanism import Mechanism
from simstudy.models.estimands import of_effects, of_observations
from simstudy.models.likelihoods import Likelihood, Normal
from simstudy.models.priors import Prior, parse_prior
from simstudy.types import GroupedData, Replicate

Effects = Literal["random", "fixed"]
ZERO, HALF, ONE = (parse_prior(value, "mu") for value in (0.0, 0.5, 1.0))
PURPOSES = {"data": 0, "mu": 1, "tau": 2, "sigma": 3, "omega": 4}  # of the keys folded from a replicate's
MAX_CHUNK = 64  # replicates simulated in one call
MAX_CHUNK_OBSERVATIONS = 2**21  # 16 MiB of float64 in one call


@dataclass(frozen=True, kw_only=True)
class GroupedMechanism(Mechanism):
    """Groups of observations around effects that share a mean and a standard deviation.

    Args:
        likelihood: how observations arise from effects.
        sizes: observations (or trials) in each group, at least 1.
        mu: mean of the effects.
        tau: standard deviation of the effects, at least 0.
        sigma: standard deviation of observations; median of the groups' under ``sigma_by = "hierarchical"``; drawn
            for each group when it is a prior and ``sigma_by = "group"``.
        omega: standard deviation of the groups' log sigma under ``sigma_by = "hierarchical"``.
        standard_errors: known standard errors by group, for the likelihood ``normal_known_se``.
        effects: ``random``: new effects in each replicate; ``fixed``: theta_j = mu + tau * score_j in all of them.
    """

    likelihood: Likelihood = field(default_factory=Normal)
    sizes: tuple[int, ...]
    mu: Prior = ZERO
    tau: Prior = ONE
    sigma: Prior = ONE
    omega: Prior = HALF
    standard_errors: tuple[float, ...] | None = None
    effects: Effects = "random"

    @abstractmethod
    def standard_effects(self, key: jax.Array, n: int) -> jax.Array:
        """Draw n effects with mean 0 and standard deviation 1."""

    @abstractmethod
    def effect_scores(self, n: int) -> np.ndarray:
        """Return the n fixed effects with mean 0: quantiles of the effects' distribution at (j - 1/2) / n."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Observations in each group."""
        return self.sizes

    @property
    def fields(self) -> Mapping[str, Any]:
        """Every choice that is not at its default."""
        fields: dict[str, Any] = {"kind": self.kind, "likelihood": self.likelihood.kind, "sizes": list(self.sizes)}
        for name in ("mu", "tau", *self.likelihood.parameters):
            prior = getattr(self, name)
            fields[name] = prior.value if prior.is_constant else prior.text
        if self.standard_errors is not None:
            fields["standard_errors"] = list(self.standard_errors)
        if self.effects != "random":
            fields["effects"] = self.effects
        if getattr(self.likelihood, "sigma_by", "shared") != "shared":
            fields["sigma_by"] = self.likelihood.sigma_by  # type: ignore[attr-defined]
        return {**fields, **self.effect_fields}

    @property
    def effect_fields(self) -> Mapping[str, Any]:
        """Fields of the effects' distribution beyond its kind."""
        return {}

    def simulate(self, keys: np.ndarray) -> list[Replicate]:
        """Return one replicate for each (2,) key."""
        chunk = max(1, min(MAX_CHUNK, MAX_CHUNK_OBSERVATIONS // sum(self.sizes)))
        replicates: list[Replicate] = []
        for start in range(0, len(keys), chunk):
            some = keys[start : start + chunk]
            # A chunk is always full, so one compiled program serves every number of replicates.
            full = np.concatenate([some, np.repeat(some[-1:], chunk - len(some), axis=0)])
            replicates += self._replicates(full)[: len(some)]
        return replicates

    def _replicates(self, keys: np.ndarray) -> list[Replicate]:
        """Simulate a chunk: parameters, then effects and observations, then the truth of every estimand."""
        with jax.enable_x64(True), jax.default_device(jax.devices("cpu")[0]):
            parameters = {name: _hyperparameters(getattr(self, name), keys, name) for name in ("mu", "tau", "omega")}
            n_sigma = len(self.sizes) if self._sigma_per_group else 1
            parameters["sigma"] = _hyperparameters(self.sigma, keys, "sigma", n_sigma)
            drawn = _simulate(self._program, keys, parameters)
            drawn = {name: np.asarray(value) for name, value in drawn.items()}
        data = [self._grouped(y) for y in drawn["y"]]
        truth = self._truth(drawn, data)
        return [Replicate(data=d, truth={name: value[i] for name, value in truth.items()}) for i, d in enumerate(data)]

    @property
    def _sigma_per_group(self) -> bool:
        return getattr(self.likelihood, "sigma_by", "shared") == "group"

    @property
    def _program(self) -> "GroupedMechanism":
        """The mechanism without the values that are arguments of its program, so that scenarios share it."""
        return replace(self, mu=ONE, tau=ONE, sigma=ONE, omega=ONE)

    def _grouped(self, y: np.ndarray) -> GroupedData:
        """Reduce raw observations to their groups' mean and within sum of squares, in two passes."""
        n = np.asarray(self.sizes)
        starts = np.concatenate([[0], np.cumsum(n)[:-1]])
        mean = np.add.reduceat(y, starts) / n
        ss = np.add.reduceat((y - np.repeat(mean, n)) ** 2, starts)
        known_se = None if self.standard_errors is None else np.asarray(self.standard_errors)
        return GroupedData(n_obs=n, y_mean=mean, y_ss=np.where(n > 1, ss, 0.0), known_se=known_se, y=y)

    def _truth(self, drawn: Mapping[str, np.ndarray], data: list[GroupedData]) -> dict[str, np.ndarray]:
        """Return the truth of every estimand, (replicate, *group)."""
        names = ("theta", "mu", "tau")
        effects = {name: drawn[name][:, None, None] for name in names}
        scale = {name: drawn[name][:, None, None] for name in drawn if name in ("sigma", "sigma_median", "omega")}
        stats = [self.likelihood.statistics(d) for d in data]
        stacked = {name: np.stack([s[name] for s in stats]) for name in stats[0]}
        truth = of_effects(effects) | scale | of_observations(effects, scale, stacked, self.likelihood)
        true = {name: value[:, 0, 0] for name, value in truth.items()}
        if "prob_best" in true:
            # At tau = 0 all groups are best, and none is.
            is_tied = true["prob_best"].sum(-1, keepdims=True) > 1
            true["prob_best"] = np.where(is_tied, np.nan, true["prob_best"])
        return true | {name: drawn[name] for name in ("theta_new", "y_new")}


def _hyperparameters(prior: Prior, keys: np.ndarray, name: str, n: int = 1) -> np.ndarray:
    """Return (replicate, n) values of a hyperparameter: the constant, or draws of its prior."""
    if prior.is_constant:
        return np.full((len(keys), n), prior.value)
    return np.asarray(_prior_values(prior, name, n, keys))


@functools.partial(jax.jit, static_argnums=(0, 1, 2))
def _prior_values(prior: Prior, name: str, n: int, keys: jax.Array) -> jax.Array:
    distribution = prior.distribution()

    def draw(key: jax.Array) -> jax.Array:
        return distribution.sample(jax.random.fold_in(_key(key), PURPOSES[name]), (n,))

    return jax.vmap(draw)(keys)


@functools.partial(jax.jit, static_argnums=0)
def _simulate(
    mechanism: GroupedMechanism, keys: jax.Array, parameters: Mapping[str, jax.Array]
) -> dict[str, jax.Array]:
    return jax.vmap(functools.partial(_simulate_one, mechanism))(keys, parameters)


def _simulate_one(
    mechanism: GroupedMechanism, key: jax.Array, parameters: Mapping[str, jax.Array]
) -> dict[str, jax.Array]:
    """Draw effects, scales and observations of one replicate; y is (observation,)."""
    # A split key equals a folded one of the same number, so the split has a purpose of its own.
    key_effects, key_scale, key_y, key_new = jax.random.split(jax.random.fold_in(_key(key), PURPOSES["data"]), 4)
    n_groups = len(mechanism.sizes)
    mu, tau = parameters["mu"][0], parameters["tau"][0]
    # The last effect is a new group's, which no method sees.
    effects = mechanism.standard_effects(key_effects, n_groups + 1)
    fixed = mechanism.effects == "fixed"
    theta = mu + tau * (jnp.asarray(mechanism.effect_scores(n_groups)) if fixed else effects[:-1])
    theta_new = mu + tau * effects[-1]
    scale, sigma_group, sigma_new = _scales(mechanism, key_scale, parameters)
    group_of = np.repeat(np.arange(n_groups), mechanism.sizes)
    known_se = None if mechanism.standard_errors is None else jnp.asarray(mechanism.standard_errors)
    y = mechanism.likelihood.draw(key_y, theta[group_of], {"sigma": sigma_group[group_of]}, known_se)
    y_new = mechanism.likelihood.draw(key_new, theta_new[None], {"sigma": sigma_new[None]}, jnp.zeros(1))[0]
    return {"mu": mu, "tau": tau, "theta": theta, "theta_new": theta_new, "y": y, "y_new": y_new} | scale


def _scales(
    mechanism: GroupedMechanism, key: jax.Array, parameters: Mapping[str, jax.Array]
) -> tuple[dict[str, jax.Array], jax.Array, jax.Array]:
    """Return the true scale parameters, and sigma of the groups and of a new group."""
    n_groups, sigma = len(mechanism.sizes), parameters["sigma"]
    if "sigma" not in mechanism.likelihood.parameters:
        return {}, jnp.ones(n_groups), jnp.ones(())
    if "omega" in mechanism.likelihood.parameters:
        omega = parameters["omega"][0]
        each = sigma[0] * jnp.exp(omega * jax.random.normal(key, (n_groups + 1,)))
        return {"sigma": each[:-1], "sigma_median": sigma[0], "omega": omega}, each[:-1], each[-1]
    if len(sigma) == n_groups and mechanism._sigma_per_group:
        chosen = jax.random.randint(key, (), 0, n_groups)
        return {"sigma": sigma}, sigma, sigma[chosen]
    return {"sigma": sigma[0]}, jnp.full(n_groups, sigma[0]), sigma[0]


def _key(words: jax.Array) -> jax.Array:
    return jax.random.wrap_key_data(words, impl="threefry2x32")
