"""Pieces of NumPyro programs on their own: a structure or a likelihood run outside any model."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Shaped
from numpyro import handlers

from simstudy.models.estimands import Parameter
from simstudy.models.priors import Prior
from simstudy.models.shapes import Array

Value = Shaped[Array, "*site"]
"""A site's value, with lanes behind where the program runs on several."""
LogDensity = Float[Array, "*lane"]
"""A log density, of each lane where there are any."""
ON_POSITIVE = Prior(name="LogNormal", args=(0.0, 0.5))  # rarely near 0, where scales have no gradient
ON_REAL = Prior(name="Normal", args=(0.5, 1.5))
CONSTANT = Prior(name="Constant", args=(1.25,))


def priors_of(parameters: Iterable[Parameter]) -> dict[str, Prior]:
    """Return a prior for each parameter: log-normal for positive ones, normal for all others.

    >>> from simstudy.models.estimands import MU, TAU
    >>> priors_of((MU, TAU))["tau"].text
    'LogNormal(0, 0.5)'
    """
    return {p.name: ON_POSITIVE if p.support == "positive" else ON_REAL for p in parameters}


def constants_of(parameters: Iterable[Parameter]) -> dict[str, Prior]:
    """Return priors that fix every parameter at 1.25."""
    return {p.name: CONSTANT for p in parameters}


@dataclass(frozen=True, kw_only=True)
class Traced:
    """One run of a program.

    Args:
        returned: what it returned.
        sites: latent site -> value, constrained.
        distributions: latent site -> its NumPyro distribution.
    """

    returned: Any
    sites: dict[str, Value]
    distributions: dict[str, Any]

    def log_density(self, n_lane_axes: int) -> LogDensity:
        """Return the log density of the sites, summed over all axes but the lanes', of which there are 0 or 1."""
        terms = [self.distributions[name].log_prob(value) for name, value in self.sites.items()]
        return sum(term.reshape(-1, *term.shape[term.ndim - n_lane_axes :]).sum(0) for term in terms)

    @property
    def draws(self) -> dict[str, np.ndarray]:
        """Sites as a posterior has them, (fit, chain, draw, *site): one chain, its draws the lanes on the last axis."""
        return {name: as_draws(value) for name, value in self.sites.items()}


def run_program(program: Callable[[], Any], values: Mapping[str, Value] | None = None) -> Traced:
    """Run a NumPyro program with its latent sites set to the values given, or drawn where there are none."""
    with handlers.trace() as sites, handlers.seed(rng_seed=0), handlers.substitute(data=dict(values or {})):
        returned = program()
    latent = {name: site for name, site in sites.items() if site["type"] == "sample" and not site["is_observed"]}
    return Traced(
        returned=returned,
        sites={name: site["value"] for name, site in latent.items()},
        distributions={name: site["fn"] for name, site in latent.items()},
    )


def as_draws(value: Shaped[Array, "*site lane"]) -> Shaped[np.ndarray, "1 1 lane *site"]:
    """Return (*site, lane) as (1, 1, draw, *site)."""
    return np.moveaxis(np.asarray(value), -1, 0)[None, None]
