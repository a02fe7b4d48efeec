"""The built-in model: structure x likelihood x priors -> a NumPyro program and the estimands of its posterior.

The program runs on a single data set, and, given arrays with lanes on the last axis, on a batch of them by plain
broadcasting.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import jax.numpy as jnp
import numpy as np
import numpyro

from simstudy.models.estimands import groups_first, groups_outermost, of_effects, of_observations, scale_of
from simstudy.models.likelihoods import Likelihood
from simstudy.models.model import Model
from simstudy.models.noise import Noise
from simstudy.models.priors import Prior
from simstudy.models.structures import Structure
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


def _stack(each: Sequence[Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    return {name: np.stack([fit[name] for fit in each]) for name in each[0]}
