"""Pieces of NumPyro programs on their own: a structure or a likelihood run outside any model."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from numpyro import handlers

from simstudy.priors import POSITIVE, Prior

Array = Any
ON_POSITIVE = Prior(name="Gamma", args=(4.0, 4.0))  # mean 1, sd 1/2: away from 0, where scales have no gradient
ON_REAL = Prior(name="Normal", args=(0.5, 1.5))
CONSTANT = Prior(name="Constant", args=(1.25,))
REAL_NAMES = ("theta", "mu")


def priors_of(parameters: Iterable[str]) -> dict[str, Prior]:
    """Return a prior for each parameter: normal for locations, gamma for all others.

    >>> priors_of(("mu", "tau"))["tau"].text
    'Gamma(4, 4)'
    """
    return {name: ON_REAL if name in REAL_NAMES and name not in POSITIVE else ON_POSITIVE for name in parameters}


def constants_of(parameters: Iterable[str]) -> dict[str, Prior]:
    """Return priors that fix every parameter at 1.25."""
    return dict.fromkeys(parameters, CONSTANT)


@dataclass(frozen=True, kw_only=True)
class Traced:
    """One run of a program.

    Args:
        returned: what it returned.
        sites: latent site -> value, constrained.
        terms: log densities of the sites, each of the shape of its site.
    """

    returned: Any
    sites: dict[str, Array]
    terms: list[Array]

    def log_density(self, n_lane_axes: int = 0) -> Array:
        """Return the log density of the sites, summed over all axes but the last ones."""
        return sum(term.reshape(-1, *term.shape[term.ndim - n_lane_axes :]).sum(0) for term in self.terms)

    def posterior(self, n_lane_axes: int = 0) -> dict[str, np.ndarray]:
        """Return the values of the sites as (fit, chain, draw, *site): one chain, its draws the lanes."""
        return {name: as_draws(value, n_lane_axes) for name, value in self.sites.items()}


def run_program(program: Callable[[], Any], *, values: Mapping[str, Array] | None = None, seed: int = 0) -> Traced:
    """Run a NumPyro program with its latent sites drawn, or set to the values given."""

    @jax.jit
    def run(values: dict[str, Array]) -> tuple[Any, dict[str, Array], list[Array]]:
        with handlers.trace() as trace, handlers.seed(rng_seed=seed), handlers.substitute(data=values):
            returned = program()
        latent = {name: site for name, site in trace.items() if site["type"] == "sample" and not site["is_observed"]}
        terms = [site["fn"].log_prob(site["value"]) for site in latent.values()]
        return returned, {name: site["value"] for name, site in latent.items()}, terms

    returned, sites, terms = run(dict(values or {}))
    return Traced(returned=returned, sites=sites, terms=terms)


def as_draws(value: Array, n_lane_axes: int) -> np.ndarray:
    """Return (*site, lane), or (*site) without lanes, as (1, 1, draw, *site)."""
    value = np.asarray(value)
    return (np.moveaxis(value, -1, 0) if n_lane_axes else value[None])[None, None]
