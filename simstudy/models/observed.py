"""The log density of what a NumPyro program observes, as a function of the sites that it depends on.

It is a test quantity for simulation-based calibration: any function of parameters and data has uniform ranks under the
right posterior (Modrak et al. 2023). So that data which the program leaves out by a mask or a scale show, every
observation counts here in full; what is masked because it is missing adds nothing where its density is not finite.
"""

from collections.abc import Callable, Mapping

import jax
import jax.numpy as jnp
from numpyro import distributions as dist

from simstudy.models.latent import inputs_used, latent_sites, traced
from simstudy.models.model import Model
from simstudy.types import PyTree

Values = Mapping[str, jax.Array]
ObservedDensity = Callable[[Values, PyTree], jax.Array]
"""(site -> (draw, *site), the arrays of one data set) -> (draw,) log densities."""


def observed_density(model: Model, example: PyTree, known: Values) -> ObservedDensity | None:
    """Return the log density of the observations given some sites, or None where it depends on others, or on none.

    Args:
        model: any model.
        example: the arrays of one data set; the function is for data of its shape.
        known: site, latent or deterministic -> any value of it.

    Raises:
        StudyError: as for ``latent_sites``.
    """
    latent = latent_sites(model, example)
    others = {name: site["value"] for name, site in latent.items() if name not in known}

    def of_all(known: Values, others: Values, example: PyTree) -> list[jax.Array]:
        return [_log_density(model, {**others, **known}, example)]

    (used,) = inputs_used(of_all, dict(known), others, example)
    by_known, by_others = used[: len(known)], used[len(known) : len(known) + len(others)]
    if any(by_others) or not any(by_known):
        return None

    @jax.jit
    def of_draws(values: Values, data: PyTree) -> jax.Array:
        return jax.vmap(lambda draw: _log_density(model, {**others, **draw}, data))(dict(values))

    return of_draws


def _log_density(model: Model, values: Values, data: PyTree) -> jax.Array:
    sites = traced(model, values, data).values()
    observed = [site for site in sites if site["type"] == "sample" and site["is_observed"]]
    return sum((_of_site(site["fn"], site["value"]) for site in observed), start=jnp.zeros(()))


def _of_site(distribution: dist.Distribution, value: jax.Array) -> jax.Array:
    if not isinstance(distribution, dist.MaskedDistribution):
        return distribution.log_prob(value).sum()
    each = distribution.base_dist.log_prob(value)
    return jnp.where(distribution._mask | jnp.isfinite(each), each, 0.0).sum()
