"""A model's log density on the unconstrained scale, for samplers that move lanes.

The density takes q (n_dims, lane) and data with lanes on the last axis, and returns (lane,). A built-in model
broadcasts over lanes by itself and its sites are summed over every axis but the last; any other NumPyro model goes
through ``vmap``. Constrained parameters go through NumPyro's transforms, with their log Jacobians.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from numpyro import distributions as dist
from numpyro import handlers
from numpyro.distributions import biject_to
from numpyro.distributions.transforms import IdentityTransform
from numpyro.infer.util import initialize_model, potential_energy

from simstudy.errors import StudyError
from simstudy.models.model import Model
from simstudy.types import PyTree

Array = Any


@dataclass(frozen=True, kw_only=True)
class Site:
    """A latent site: where it lies in the unconstrained vector.

    Args:
        name: name of the NumPyro site.
        shape: unconstrained shape for one data set.
        start: index of its first dimension.
    """

    name: str
    shape: tuple[int, ...]
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
    log_density: Callable[[Array, PyTree], Array]
    constrain: Callable[[np.ndarray, PyTree], dict[str, np.ndarray]]


def density_of(model: Model, example: PyTree) -> LogDensity:
    """Return the log density of a model.

    Args:
        model: any model.
        example: the arrays of one data set; shapes and dtypes count, and the data must be possible ones.

    Raises:
        StudyError: the model has latent sites that are discrete or a point mass, or none that is latent at all.
    """
    trace = handlers.trace(handlers.seed(model, jax.random.key(0))).get_trace(example)
    latent = {k: s for k, s in trace.items() if s["type"] == "sample" and not s["is_observed"]}
    discrete = [name for name, site in latent.items() if site["fn"].support.is_discrete]
    if discrete:
        raise StudyError(
            f"the latent site {discrete[0]!r} is discrete: NUTS needs continuous parameters; sum it out of the model"
        )
    if points := [name for name, site in latent.items() if isinstance(site["fn"], dist.Delta)]:
        raise StudyError(f"the latent site {points[0]!r} is a point mass: name it with numpyro.deterministic instead")
    if not latent:
        raise StudyError("the model has no latent parameter to estimate: every prior is a constant")
    return _lanes_last(model, latent) if model.lanes_last else _mapped(model, example)


def _lanes_last(model: Model, latent: Mapping[str, Any]) -> LogDensity:
    """Trace the program once for all lanes; scalar sites come first so that padding moves no scalar's dimension."""
    transforms = {name: biject_to(site["fn"].support) for name, site in latent.items()}
    ordered = sorted(latent, key=lambda name: (jnp.ndim(latent[name]["value"]), name))
    sites = _placed([(name, jnp.shape(latent[name]["value"])) for name in ordered])

    def unpacked(q: Array) -> dict[str, Array]:
        parts = jax.lax.split(q, [s.size for s in sites])
        return {s.name: part.reshape(*s.shape, *q.shape[1:]) for s, part in zip(sites, parts, strict=True)}

    def log_density(q: Array, data: PyTree) -> Array:
        free = unpacked(q)
        values = {name: transforms[name](u) for name, u in free.items()}
        trace = handlers.trace(handlers.substitute(model, data=values)).get_trace(data)
        terms = [s["fn"].log_prob(s["value"]) for s in trace.values() if s["type"] == "sample"]
        terms += [transforms[name].log_abs_det_jacobian(u, values[name]) for name, u in free.items()]
        return sum(term.reshape(-1, q.shape[-1]).sum(0) for term in terms)

    def constrain(draws: np.ndarray, arrays: PyTree) -> dict[str, np.ndarray]:
        free = {s.name: draws[..., s.dims].reshape(*draws.shape[:-1], *s.shape) for s in sites}
        real = {name: isinstance(transforms[name], IdentityTransform) for name in free}
        return {name: u if real[name] else np.asarray(transforms[name](u)) for name, u in free.items()}

    return LogDensity(n_dims=_n_dims(sites), sites=sites, log_density=log_density, constrain=constrain)


def _mapped(model: Model, example: PyTree) -> LogDensity:
    """Any NumPyro model: its potential for one data set, mapped over the last axis of everything."""
    # Only the structure of the unconstrained parameters is read, so any starting value serves. Without its densities
    # the model has a valid one whatever the example: data that are impossible are the failure of their own fit.
    key = jax.random.key(0)
    without_densities = handlers.mask(model, mask=False)
    info = initialize_model(key, without_densities, model_args=(example,), dynamic_args=True, validate_grad=False)
    seeded = handlers.seed(model, key)
    flat, unravel = ravel_pytree(info.param_info.z)
    sites = _placed([(name, jnp.shape(value)) for name, value in sorted(info.param_info.z.items())])

    def log_density(q: Array, data: PyTree) -> Array:
        return jax.vmap(lambda q, data: -potential_energy(seeded, (data,), {}, unravel(q)), in_axes=-1, out_axes=-1)(
            q, data
        )

    @jax.jit
    def constrain_one(draws: Array, data: PyTree) -> dict[str, Array]:
        of_one_draw = lambda q: info.postprocess_fn(data)(unravel(q))  # noqa: E731
        return jax.vmap(jax.vmap(of_one_draw))(draws)

    def constrain(draws: np.ndarray, arrays: PyTree) -> dict[str, np.ndarray]:
        each = [
            jax.tree.map(np.asarray, constrain_one(one, jax.tree.map(lambda leaf, i=i: leaf[i], arrays)))
            for i, one in enumerate(draws)
        ]
        return {name: np.stack([values[name] for values in each]) for name in each[0]}

    return LogDensity(n_dims=flat.size, sites=sites, log_density=log_density, constrain=constrain)


def _placed(shapes: list[tuple[str, tuple[int, ...]]]) -> tuple[Site, ...]:
    starts = np.cumsum([0, *(int(np.prod(shape)) for _, shape in shapes)])
    return tuple(
        Site(name=name, shape=shape, start=int(start)) for (name, shape), start in zip(shapes, starts, strict=False)
    )


def _n_dims(sites: tuple[Site, ...]) -> int:
    return sites[-1].dims.stop
