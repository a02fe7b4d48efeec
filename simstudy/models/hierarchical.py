"""The built-in model: structure x likelihood x priors -> a NumPyro program and the estimands of its posterior.

The program runs on a single data set, and, given arrays with lanes on the last axis, on a batch of them by plain
broadcasting.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from simstudy.late import jnp, numpyro
from simstudy.models.derived import derived_estimands, groups_first, groups_outermost, of_effects, of_observations
from simstudy.models.estimands import Estimand, Parameter, listed
from simstudy.models.likelihoods import Likelihood
from simstudy.models.model import GROUP, Axes, Model, stacked
from simstudy.models.noise import Noise
from simstudy.models.priors import Prior
from simstudy.models.structures import Structure
from simstudy.models.unit import Unit
from simstudy.types import GroupedData

Observations = Literal["sufficient", "raw"]


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
        return stacked([self._arrays(d) for d in data])

    def shape(self, data: GroupedData) -> Hashable:
        """Return the number of groups, and of observations where the raw ones are used."""
        return self.known_shape(data.n_obs)

    def known_shape(self, sizes: Sequence[int] | np.ndarray) -> Hashable:
        """Return the shape of data whose groups have so many observations."""
        if self.observations == "raw":
            return (len(sizes), int(sum(sizes)))
        return (len(sizes), *self.likelihood.known_shape(sizes))

    def padded_shape(self, shape: Hashable, pad: Callable[[int], int]) -> Hashable:
        """Return a shape whose groups are padded, where observations are sufficient statistics."""
        return (pad(shape[0]), *shape[1:]) if self.axes.padded and isinstance(shape, tuple) else shape

    @property
    def has_short_trajectories(self) -> bool:
        """A model whose groups are all alike has few parameters."""
        return not self.structure.effects_differ

    @property
    def axes(self) -> Axes:
        """Axes of structure and likelihood; raw observations cannot be padded."""
        fixed = {name for name, prior in self.priors if prior.is_constant}
        sites = {**self.structure.site_axes, **self.likelihood.site_axes}
        sites = {name: axes for name, axes in sites.items() if name not in fixed}
        if self.observations == "raw":
            return Axes(sites=sites)
        return Axes(sites=sites, data=self.likelihood.statistic_axes, padded=(GROUP,))

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Every parameter that has a prior."""
        return (*self.structure.parameters, *self.likelihood.parameters)

    def unit_of(self, data: GroupedData) -> Unit | None:
        """Return what default priors are made of: the unit of the groups."""
        return self.likelihood.unit_of(data)

    def unit_words(self, unit: Unit) -> str:
        """Return what a unit's center and spread are."""
        return self.likelihood.unit_words

    @property
    def described(self) -> tuple[Estimand, ...]:
        """What structure and likelihood declare, and what is derived from both."""
        derived = derived_estimands(effects_differ=self.structure.effects_differ)
        return tuple(listed([*self.structure.described, *self.likelihood.described, *derived]))

    @property
    def words(self) -> str:
        """Structure and likelihood."""
        return f"{self.structure.words}, {self.likelihood.words}"

    @property
    def pooling(self) -> str:
        """The part that the structure plays."""
        return self.structure.pooling

    @property
    def effect_scale(self) -> str:
        """The likelihood's."""
        return self.likelihood.scale

    @property
    def family(self) -> Likelihood:
        """The likelihood."""
        return self.likelihood

    @property
    def hierarchy(self) -> HierarchicalModel:
        """The model itself."""
        return self

    def estimands(
        self, sites: Mapping[str, np.ndarray], data: Sequence[GroupedData], keys: np.ndarray
    ) -> dict[str, np.ndarray]:
        """Return every estimand that the structure and the likelihood have, and predictions."""
        priors = dict(self.priors)
        shape = (*next(iter(sites.values())).shape[:3], data[0].n_groups)
        sites = {name: groups_outermost(draws) for name, draws in sites.items()}
        effects = self.structure.restore(sites, priors, shape)
        scale = self.likelihood.restore(sites, priors, shape)
        stats = stacked([self.likelihood.statistics(d) for d in data])
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

    def _arrays(self, data: GroupedData) -> dict[str, np.ndarray]:
        if self.observations == "raw":
            return {"n": data.n_obs.astype(np.float64), **self.likelihood.raw(data)}
        return self.likelihood.statistics(data)
