"""A model's log density on the unconstrained scale, for samplers that move lanes.

The density takes q (n_dims, lane) and data with lanes on the last axis, and returns (lane,). A program that broadcasts
over lanes by itself is traced once for all of them, and its sites are summed over every axis but the last; any other
goes through ``vmap``. Constrained parameters go through NumPyro's transforms, with their log Jacobians.
"""

from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float
from numpyro import handlers
from numpyro.distributions import biject_to
from numpyro.distributions.transforms import IdentityTransform
from numpyro.infer.util import constrain_fn, potential_energy

from simstudy.models.latent import LatentSites, latent_sites, moving_supports
from simstudy.models.model import Model
from simstudy.models.shapes import Array
from simstudy.types import PyTree

Positions = Float[Array, "dim lane"]
"""An unconstrained vector for each lane."""
LogDensities = Float[jax.Array, "lane"]
"""A log density for each lane."""
FreeDraws = Float[np.ndarray, "fit chain draw dim"]
"""Draws of the unconstrained vector."""


@dataclass(frozen=True, kw_only=True)
class Site:
    """A latent site: where it lies in the unconstrained vector.

    Args:
        name: name of the NumPyro site.
        shape: unconstrained shape for one data set.
        value_shape: constrained shape for one data set.
        start: index of its first dimension.
    """

    name: str
    shape: tuple[int, ...]
    value_shape: tuple[int, ...]
    start: int

    @property
    def size(self) -> int:
        """Number of its dimensions."""
        return int(np.prod(self.shape))

    @property
    def dims(self) -> slice:
        """The dimensions of the unconstrained vector that hold the site."""
        return slice(self.start, self.start + self.size)


@dataclass(frozen=True, kw_only=True)
class LogDensity:
    """Log density of a posterior in unconstrained coordinates, up to a constant.

    Args:
        n_dims: dimensions of the unconstrained vector.
        sites: the latent sites in the order of their dimensions.
        log_density: (q (n_dims, lane), data (..., lane)) -> (lane,).
        constrain: (draws (fit, chain, draw, n_dims), arrays (fit, ...)), both NumPy -> site -> (fit, chain, draw,
            *site) on the constrained scale.
    """

    n_dims: int
    sites: tuple[Site, ...]
    log_density: Callable[[Positions, PyTree], LogDensities]
    constrain: Callable[[FreeDraws, PyTree], dict[str, np.ndarray]]


def density_of(model: Model, example: PyTree) -> LogDensity:
    """Return the log density of a model.

    Args:
        model: any model.
        example: the arrays of one data set; shapes and dtypes count.

    Raises:
        StudyError: the model has a latent site that is discrete or a point mass, or none that is latent at all, or
            something else in it is random.
    """
    latent = latent_sites(model, example)
    if model.lanes_last and _is_elementwise(latent) and not moving_supports(model, latent, example):
        return _lanes_last(model, latent)
    return _mapped(model, latent)


def _is_elementwise(latent: LatentSites) -> bool:
    """Whether every transform takes each number by itself, wherever the lanes lie."""
    transforms = [biject_to(site["fn"].support) for site in latent.values()]
    return not any(t.domain.event_dim or t.codomain.event_dim for t in transforms) and not any(
        site["fn"].event_dim for site in latent.values()
    )


def _lanes_last(model: Model, latent: LatentSites) -> LogDensity:
    """Trace the program once for all lanes; scalar sites come first so that padding moves no scalar's dimension."""
    transforms = {name: biject_to(site["fn"].support) for name, site in latent.items()}
    sites = _placed(latent, sorted(latent, key=lambda name: (jnp.ndim(latent[name]["value"]), name)))

    def log_density(q: Positions, data: PyTree) -> LogDensities:
        free = _unpacked(q, sites)
        values = {name: transforms[name](u) for name, u in free.items()}
        trace = handlers.trace(handlers.substitute(model, data=values)).get_trace(data)
        terms = [s["fn"].log_prob(s["value"]) for s in trace.values() if s["type"] == "sample"]
        terms += [transforms[name].log_abs_det_jacobian(u, values[name]) for name, u in free.items()]
        return sum(term.reshape(-1, q.shape[-1]).sum(0) for term in terms)

    def constrain(draws: FreeDraws, arrays: PyTree) -> dict[str, np.ndarray]:
        free = {s.name: draws[..., s.dims].reshape(*draws.shape[:-1], *s.shape) for s in sites}
        real = {name: isinstance(transforms[name], IdentityTransform) for name in free}
        return {name: u if real[name] else np.asarray(transforms[name](u)) for name, u in free.items()}

    return LogDensity(n_dims=sites[-1].dims.stop, sites=sites, log_density=log_density, constrain=constrain)


def _mapped(model: Model, latent: LatentSites) -> LogDensity:
    """Any NumPyro model: its potential for one data set, mapped over the last axis of everything."""
    sites = _placed(latent, sorted(latent))
    # Programs may ask for a key as long as nothing depends on it.
    seeded = handlers.seed(model, jax.random.key(0))

    def log_density(q: Positions, data: PyTree) -> LogDensities:
        def of_one(q: Array, data: PyTree) -> jax.Array:
            return -potential_energy(seeded, (data,), {}, _unpacked(q, sites))

        return jax.vmap(of_one, in_axes=-1, out_axes=-1)(q, data)

    @jax.jit
    def constrain_one(draws: jax.Array, data: PyTree) -> dict[str, jax.Array]:
        def of_one_draw(q: jax.Array) -> dict[str, jax.Array]:
            return constrain_fn(seeded, (data,), {}, _unpacked(q, sites), return_deterministic=True)

        return jax.vmap(jax.vmap(of_one_draw))(draws)

    def constrain(draws: FreeDraws, arrays: PyTree) -> dict[str, np.ndarray]:
        each = [
            jax.tree.map(np.asarray, constrain_one(one, jax.tree.map(lambda leaf, i=i: leaf[i], arrays)))
            for i, one in enumerate(draws)
        ]
        return {name: np.stack([values[name] for values in each]) for name in each[0]}

    return LogDensity(n_dims=sites[-1].dims.stop, sites=sites, log_density=log_density, constrain=constrain)


def _placed(latent: LatentSites, names: list[str]) -> tuple[Site, ...]:
    """Return the sites one after the other in an order of their names."""
    sites: list[Site] = []
    for name in names:
        value_shape = jnp.shape(latent[name]["value"])
        shape = biject_to(latent[name]["fn"].support).inverse_shape(value_shape)
        start = sites[-1].dims.stop if sites else 0
        sites.append(Site(name=name, shape=tuple(shape), value_shape=value_shape, start=start))
    return tuple(sites)


def _unpacked(q: Array, sites: tuple[Site, ...]) -> dict[str, jax.Array]:
    """Return the unconstrained value of each site, lanes behind where the vector (n_dims, *lane) has them."""
    parts = jax.lax.split(q, [site.size for site in sites])
    return {s.name: part.reshape(*s.shape, *q.shape[1:]) for s, part in zip(sites, parts, strict=True)}
