"""A model: structure x likelihood x priors -> a NumPyro program and the estimands of its posterior.

The program runs on a single data set, and, given arrays with lanes on the last axis, on a batch of them by plain
broadcasting. A user's own NumPyro function is a model on equal terms: see ``UserModel``.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
import numpyro

from simstudy.estimands import groups_first, groups_outermost, of_effects, of_observations, scale_of
from simstudy.likelihoods import Likelihood
from simstudy.noise import Noise
from simstudy.priors import Prior
from simstudy.structures import Structure
from simstudy.types import GroupedData, PyTree

Observations = Literal["sufficient", "raw"]

REAL = "biuf"  # kinds of NumPy types: truth values, whole and real numbers


class Model(ABC):
    """What a sampler and the runner need of a model. Subclasses are hashable."""

    lanes_last: bool = False
    """Whether the program broadcasts over lanes on the last axis by itself."""

    @abstractmethod
    def __call__(self, data: PyTree) -> None:
        """Run the NumPyro program on the arrays that ``arrays`` made."""

    @abstractmethod
    def arrays(self, data: Sequence[Any]) -> PyTree:
        """Stack the data of a block of fits of one shape: leaves (fit, ...), float64."""

    @abstractmethod
    def shape(self, data: Any) -> Hashable:
        """Return what a compiled program depends on: fits of one shape share a program."""

    @abstractmethod
    def estimands(
        self, sites: Mapping[str, np.ndarray], data: Sequence[Any], keys: np.ndarray
    ) -> dict[str, np.ndarray]:
        """Return the estimands of a block.

        Args:
            sites: latent site -> (fit, chain, draw, *site), constrained.
            data: the data of each fit.
            keys: (fit, 2) uint32 keys for predictions.

        Returns:
            estimand -> (fit, chain, draw, *group).
        """

    def scale_of(self, estimand: str) -> str:
        """Return the scale an estimand is on, ``natural`` or ``link``."""
        return "natural"


@dataclass(frozen=True, kw_only=True)
class HierarchicalModel(Model):
    """A built-in model: one structure, one likelihood, and a prior for each of their parameters.

    Args:
        structure: how much the groups share.
        likelihood: how observations arise from effects.
        priors: (parameter, prior) pairs, one for each of the parameters of structure and likelihood.
        observations: the form of the likelihood, on ``sufficient`` statistics or on ``raw`` observations.
    """

    structure: Structure
    likelihood: Likelihood
    priors: tuple[tuple[str, Prior], ...]
    observations: Observations = "sufficient"
    lanes_last = True

    def __call__(self, data: Mapping[str, Any]) -> None:
        """Sample the effects and the scale, and add the log likelihood as the factor ``log_lik``."""
        priors = dict(self.priors)
        shape = jnp.shape(data["n"])
        theta = self.structure.effects(priors, shape, data.get("mask"))
        scale = self.likelihood.scale_parameters(priors, shape)
        if self.observations == "raw":
            log_lik = self.likelihood.raw_log_likelihood(theta, scale, data)
        else:
            log_lik = self.likelihood.log_likelihood(theta, scale, data)
        numpyro.factor("log_lik", log_lik)

    def arrays(self, data: Sequence[GroupedData]) -> dict[str, np.ndarray]:
        """Stack sufficient statistics, or raw observations, of data sets of one shape."""
        return _stack([self._arrays(d) for d in data])

    def shape(self, data: GroupedData) -> Hashable:
        """Return the number of groups, and of observations where the raw ones are used."""
        return (data.n_groups, int(data.n_obs.sum())) if self.observations == "raw" else (data.n_groups,)

    def estimands(
        self, sites: Mapping[str, np.ndarray], data: Sequence[GroupedData], keys: np.ndarray
    ) -> dict[str, np.ndarray]:
        """Return every estimand of ``estimands.py`` that the structure and the likelihood have, and predictions."""
        priors = dict(self.priors)
        shape = (*next(iter(sites.values())).shape[:3], data[0].n_groups)
        sites = {name: groups_outermost(draws) for name, draws in sites.items()}
        effects = self.structure.restore(sites, priors, shape)
        scale = self.likelihood.restore(sites, priors, shape)
        stats = _stack([self.likelihood.statistics(d) for d in data])
        noise = Noise(keys, shape[1:3])
        theta_new = self.structure.new_effect(effects, priors, noise)
        scale_first = {k: groups_first(v) if v.ndim == len(shape) else v for k, v in scale.items()}
        return {
            **of_effects(effects, effects_differ=self.structure.effects_differ),
            **scale,
            **of_observations(effects, scale, stats, self.likelihood),
            "theta_new": theta_new,
            "y_new": self.likelihood.new_observation(theta_new, scale_first, noise),
        }

    def scale_of(self, estimand: str) -> str:
        """Return ``link`` for effects under a link function."""
        return scale_of(estimand, self.likelihood)

    def _arrays(self, data: GroupedData) -> dict[str, np.ndarray]:
        if self.observations == "raw":
            return {"n": data.n_obs.astype(np.float64), **self.likelihood.raw(data)}
        return self.likelihood.statistics(data)


@dataclass(frozen=True, kw_only=True)
class UserModel(Model):
    """A NumPyro function that a user brings.

    Args:
        name: the name that study files and tables use.
        program: ``model(data)``, a NumPyro function of any pytree.
        posterior_estimands: ``estimands(posterior) -> {name: array}``; it is given, for one fit, site -> (chain, draw,
            *site) arrays on the constrained scale and returns (chain, draw) or (chain, draw, group) arrays.
        source_hash: identity of the source text.
    """

    name: str
    program: Callable[[PyTree], None]
    posterior_estimands: Callable[[Mapping[str, np.ndarray]], Mapping[str, np.ndarray]]
    source_hash: str = ""

    def __call__(self, data: PyTree) -> None:
        """Run the user's program."""
        self.program(data)

    def arrays(self, data: Sequence[PyTree]) -> PyTree:
        """Stack the leaves of the data sets."""
        if len(shapes := {_leaf_shapes(one) for one in data}) > 1:
            first, second = sorted(map(str, shapes))[:2]
            raise ValueError(
                f"the data of a scenario's replicates differ in shape, {first} and {second}: a program is compiled for "
                "one shape; pad the data, or make their size a factor"
            )
        return jax.tree.map(lambda *leaves: np.stack([np.asarray(leaf) for leaf in leaves]), *map(_plain, data))

    def shape(self, data: PyTree) -> Hashable:
        """Return the structure of the pytree and the shape of every leaf."""
        leaves, tree = jax.tree.flatten(_plain(data))
        return (str(tree), *(np.shape(leaf) for leaf in leaves))

    def estimands(
        self, sites: Mapping[str, np.ndarray], data: Sequence[Any], keys: np.ndarray
    ) -> dict[str, np.ndarray]:
        """Return the user's estimands, fit by fit."""
        n_fits = len(data)
        chain_and_draw = next(iter(sites.values())).shape[1:3]
        posteriors = ({name: draws[i] for name, draws in sites.items()} for i in range(n_fits))
        return _stack([_checked(self.posterior_estimands(one), chain_and_draw) for one in posteriors])


def _leaf_shapes(data: Any) -> tuple[tuple[int, ...], ...]:
    return tuple(np.shape(leaf) for leaf in jax.tree.leaves(_plain(data)))


def _plain(data: Any) -> PyTree:
    """Grouped data as the dictionary of arrays that a user's model gets."""
    if not isinstance(data, GroupedData):
        return data
    arrays = {"n_obs": data.n_obs, "y_mean": data.y_mean, "y_ss": data.y_ss, "known_se": data.known_se}
    if data.y is not None:
        arrays |= {"y": data.y, "group_of": data.group_of}
    return {name: value for name, value in arrays.items() if value is not None}


def _checked(estimands: Any, chain_and_draw: tuple[int, ...]) -> dict[str, np.ndarray]:
    """Return what a user's ``estimands`` gave for one fit as arrays of real numbers.

    Raises:
        TypeError: it gave something else than names with real numbers.
        ValueError: an array is not (chain, draw) or (chain, draw, group), or there is none.
    """
    if not isinstance(estimands, Mapping) or not all(isinstance(name, str) for name in estimands):
        raise TypeError(f"estimands(posterior) gave {type(estimands).__name__}; expected a mapping from name to array")
    if not estimands:
        raise ValueError("estimands(posterior) gave no estimand; expected at least one")
    arrays = {name: np.asarray(value) for name, value in estimands.items()}
    for name, array in arrays.items():
        if array.dtype.kind not in REAL:
            raise TypeError(f"estimand {name!r} is of type {array.dtype}; expected real numbers")
        if array.shape[:2] != chain_and_draw or array.ndim > 3:
            raise ValueError(
                f"estimand {name!r} has shape {array.shape}; expected (chain, draw) or (chain, draw, group) with "
                f"{chain_and_draw[0]} chains and {chain_and_draw[1]} draws"
            )
    return arrays


def _stack(each: Sequence[Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    return {name: np.stack([fit[name] for fit in each]) for name in each[0]}
