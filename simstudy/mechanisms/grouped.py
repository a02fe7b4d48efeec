"""Simulation of grouped data, whatever the distribution of the groups' effects.

theta_j = mu + tau * e_j with effects e_j of mean 0 and standard deviation 1, then observations from the likelihood.
So mu and tau are the mean and the standard deviation of the effects under every mechanism. Hyperparameters are
numbers, or priors drawn anew in each replicate. Simulation runs on the CPU in float64 on every platform, so that runs
on different devices see the same data.
"""

from __future__ import annotations

import functools
import hashlib
from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from simstudy.late import compiled, jax, jnp
from simstudy.mechanisms.mechanism import Mechanism
from simstudy.models.derived import of_effects, of_observations
from simstudy.models.estimands import MU, TAU
from simstudy.models.likelihoods import Likelihood, Normal
from simstudy.models.options import changed_options, option_fields
from simstudy.models.priors import Prior, constant
from simstudy.models.structures.partial import effect
from simstudy.types import GroupedData, Replicate

Effects = Literal["random", "fixed"]
PURPOSES = {"data": 0, "mu": 1, "tau": 2, "sigma": 3, "omega": 4}  # of the keys folded from a replicate's
MEAN, SPREAD = constant(MU.value), constant(TAU.value)
LETTERS = {"groups": "J", "group_size": "n", "standard_error": "se"}
EFFECTS_TEXT = {
    "random": "group effects drawn anew in each replicate",
    "fixed": "group effects the same in every replicate, μ + τ times normal scores",
}
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
        scale: (parameter, value or prior) of the likelihood's scale parameters; what is not given has the value that
            the parameter declares. Under ``sigma_by = "hierarchical"`` sigma is the median of the groups' sigmas; under
            ``"group"`` it is drawn for each group where it is a prior.
        standard_errors: known standard errors by group, for the likelihood ``normal_known_se``.
        effects: ``random``: new effects in each replicate; ``fixed``: theta_j = mu + tau * score_j in all of them.
    """

    likelihood: Likelihood = field(default_factory=Normal)
    sizes: tuple[int, ...]
    mu: Prior = MEAN
    tau: Prior = SPREAD
    scale: tuple[tuple[str, Prior], ...] = ()
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
    def priors(self) -> dict[str, Prior]:
        """Parameter -> its value or prior: mu, tau and those of the likelihood."""
        given = dict(self.scale)
        of_scale = {p.name: given.get(p.name, constant(p.value)) for p in self.likelihood.parameters}
        return {"mu": self.mu, "tau": self.tau, **of_scale}

    @property
    def truth(self) -> Mapping[str, float]:
        """The parameters that are numbers."""
        return {name: prior.value for name, prior in self.priors.items() if prior.is_constant}

    @property
    def symbols(self) -> Mapping[str, str]:
        """Letters of the design, of the parameters, and of the effects' own options."""
        of_parameters = {p.name: p.symbol for p in (MU, TAU, *self.likelihood.parameters)}
        return {**LETTERS, **of_parameters, **self.letters}

    @property
    def effects_text(self) -> str:
        """Random or fixed."""
        return EFFECTS_TEXT[self.effects]

    @property
    def fields(self) -> Mapping[str, Any]:
        """Every choice that is not at its default."""
        fields: dict[str, Any] = {"kind": self.kind, "likelihood": self.likelihood.kind, "sizes": list(self.sizes)}
        for name, prior in self.priors.items():
            fields[name] = prior.value if prior.is_constant else prior.text
        if self.standard_errors is not None:
            fields["standard_errors"] = list(self.standard_errors)
        if self.effects != "random":
            fields["effects"] = self.effects
        return {**fields, **changed_options(self.likelihood), **self.own_options}

    @property
    def own_options(self) -> dict[str, Any]:
        """The options of the effects' distribution, which other grouped mechanisms do not have."""
        return {f.name: getattr(self, f.name) for f in option_fields(type(self), beyond=GroupedMechanism)}

    def simulate(self, keys: np.ndarray) -> list[Replicate]:
        """Return one replicate for each (2,) key."""
        return in_chunks(self._replicates, keys, n_observations=sum(self.sizes))

    def _replicates(self, keys: np.ndarray) -> list[Replicate]:
        """Simulate a chunk: parameters, then effects and observations, then the truth of every estimand."""
        with jax.enable_x64(True), jax.default_device(jax.devices("cpu")[0]):
            parameters = self.hyperparameters(keys)
            drawn = jax.tree.map(np.asarray, _simulate(self._program, keys, parameters))
        data = [self._grouped(y) for y in drawn["y"]]
        truth = self._truth(drawn, data)
        return [Replicate(data=d, truth={name: value[i] for name, value in truth.items()}) for i, d in enumerate(data)]

    def hyperparameters(self, keys: np.ndarray) -> dict[str, np.ndarray]:
        """Return parameter -> (replicate, value) its values, one or one for each group, for (replicate, 2) keys."""
        return {name: values_of(prior, keys, name, self._n_values(name)) for name, prior in self.priors.items()}

    def _n_values(self, parameter: str) -> int:
        return self.likelihood.n_values(parameter, len(self.sizes))

    @property
    def _program(self) -> GroupedMechanism:
        """The mechanism without the values that are arguments of its program, so that scenarios share it."""
        return replace(self, mu=MEAN, tau=SPREAD, scale=())

    def _grouped(self, y: np.ndarray) -> GroupedData:
        """Reduce raw observations to their groups' mean and within sum of squares, in two passes."""
        n = np.asarray(self.sizes)
        starts = np.concatenate([[0], np.cumsum(n)[:-1]])
        mean = np.add.reduceat(y, starts) / n
        ss = np.add.reduceat((y - np.repeat(mean, n)) ** 2, starts)
        known_se = None if self.standard_errors is None else np.asarray(self.standard_errors)
        return GroupedData(n_obs=n, y_mean=mean, y_ss=np.where(n > 1, ss, 0.0), known_se=known_se, y=y)

    def _truth(self, drawn: Mapping[str, Any], data: list[GroupedData]) -> dict[str, np.ndarray]:
        """Return the truth of every estimand, (replicate, *group)."""
        effects = {name: drawn[name][:, None, None] for name in ("theta", "mu", "tau")}
        scale = {name: value[:, None, None] for name, value in drawn["scale"].items()}
        stats = [self.likelihood.statistics(d) for d in data]
        stacked = {name: np.stack([s[name] for s in stats]) for name in stats[0]}
        truth = of_effects(effects) | scale | of_observations(effects, scale, stacked, self.likelihood)
        true = {name: value[:, 0, 0] for name, value in truth.items()}
        if "prob_best" in true:
            # At tau = 0 all groups are best, and none is.
            is_tied = true["prob_best"].sum(-1, keepdims=True) > 1
            true["prob_best"] = np.where(is_tied, np.nan, true["prob_best"])
        return true | {name: drawn[name] for name in ("theta_new", "y_new")}


def in_chunks(
    simulate: Callable[[np.ndarray], list[Replicate]], keys: np.ndarray, *, n_observations: int
) -> list[Replicate]:
    """Return one replicate for each (2,) key, simulated some at a time.

    A chunk is always full, so that one compiled program serves every number of replicates.

    Args:
        simulate: keys of a chunk -> its replicates.
        keys: (replicate, 2) uint32.
        n_observations: of a replicate.
    """
    chunk = max(1, min(MAX_CHUNK, MAX_CHUNK_OBSERVATIONS // max(1, n_observations)))
    replicates: list[Replicate] = []
    for start in range(0, len(keys), chunk):
        some = keys[start : start + chunk]
        full = np.concatenate([some, np.repeat(some[-1:], chunk - len(some), axis=0)])
        replicates += simulate(full)[: len(some)]
    return replicates


def values_of(prior: Prior, keys: np.ndarray, name: str, n: int = 1) -> np.ndarray:
    """Return (replicate, n) values of a hyperparameter: the constant, or draws of its prior."""
    if prior.is_constant:
        return np.full((len(keys), n), prior.value)
    return np.asarray(_prior_values(prior, name, n, keys))


@compiled(static=(0, 1, 2))
def _prior_values(prior: Prior, name: str, n: int, keys: jax.Array) -> jax.Array:
    distribution = prior.distribution()

    def draw(key: jax.Array) -> jax.Array:
        return distribution.sample(jax.random.fold_in(wrapped_key(key), purpose_of(name)), (n,))

    return jax.vmap(draw)(keys)


@compiled(static=0)
def _simulate(mechanism: GroupedMechanism, keys: jax.Array, parameters: Mapping[str, jax.Array]) -> dict[str, Any]:
    return jax.vmap(functools.partial(_simulate_one, mechanism))(keys, parameters)


def _simulate_one(mechanism: GroupedMechanism, key: jax.Array, parameters: Mapping[str, jax.Array]) -> dict[str, Any]:
    """Draw effects, scales and observations of one replicate; y is (observation,)."""
    # A split key equals a folded one of the same number, so the split has a purpose of its own.
    key_effects, key_scale, key_y, key_new = jax.random.split(jax.random.fold_in(wrapped_key(key), PURPOSES["data"]), 4)
    n_groups, likelihood = len(mechanism.sizes), mechanism.likelihood
    mu, tau = parameters["mu"][0], parameters["tau"][0]
    # The last effect is a new group's, which no method sees.
    standard = mechanism.standard_effects(key_effects, n_groups + 1)
    fixed = mechanism.effects == "fixed"
    theta = effect(mu, tau, jnp.asarray(mechanism.effect_scores(n_groups)) if fixed else standard[:-1])
    theta_new = effect(mu, tau, standard[-1])
    scale = likelihood.simulate_scale(key_scale, parameters, n_groups)
    group_of = np.repeat(np.arange(n_groups), mechanism.sizes)
    known_se = None if mechanism.standard_errors is None else jnp.asarray(mechanism.standard_errors)
    of_observation = {name: value[group_of] for name, value in scale.of_groups.items()}
    of_new = {name: value[None] for name, value in scale.of_new.items()}
    y = likelihood.draw(key_y, theta[group_of], of_observation, known_se)
    y_new = likelihood.draw(key_new, theta_new[None], of_new, jnp.zeros(1))[0]
    drawn = {"mu": mu, "tau": tau, "theta": theta, "theta_new": theta_new, "y": y, "y_new": y_new}
    return {**drawn, "scale": dict(scale.truth)}


def purpose_of(parameter: str) -> int:
    """Return the number that a parameter's key is folded with; of one that came later, a digest of its name."""
    return PURPOSES.get(parameter, number_of(parameter))


def number_of(text: str) -> int:
    """Return a number below 2^32 that stands for a text."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=4).digest(), "big")


def wrapped_key(words: jax.Array) -> jax.Array:
    """Return the JAX key of (2,) uint32 words."""
    return jax.random.wrap_key_data(words, impl="threefry2x32")
