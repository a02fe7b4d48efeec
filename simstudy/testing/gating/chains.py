"""A sampler as the gate runs it: many chains of one posterior at once, whatever the sampler is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np

from simstudy.errors import StudyError
from simstudy.samplers.sampler import Sampler
from simstudy.testing.gating.problem import Problem, Space

LEAST_DRAWS = 10
"""Draws of a chain that an interval of its own can be read from."""

Batch = Literal["vmap", "loop"]
SamplerFunction = Callable[[Problem, jax.Array], Any]
"""(problem, key) -> draws of one chain, or (draws, cost). Draws are positions (draw, n_dims), or latent site -> values
(draw, *site); the cost is a number, or one a draw."""


@dataclass(frozen=True, kw_only=True)
class Chains:
    """Chains of one posterior.

    Args:
        positions: (chain, draw, n_dims) unconstrained.
        cost: (chain,) of all draws of a chain, gradients for example; None where the sampler does not say.
    """

    positions: np.ndarray
    cost: np.ndarray | None


Run = Callable[[np.ndarray, np.ndarray], Chains]
"""(keys (chain, 2) uint32, positions (chain, n_dims)) -> chains."""


def runner(sampler: SamplerFunction | Sampler, space: Space, *, batch: Batch) -> Run:
    """Return what draws chains of a posterior.

    Args:
        sampler: a function, or a sampler of the package, whose chains begin where it begins them.
        space: the posterior.
        batch: whether a function is a JAX function, mapped over all chains at once, or is called chain by chain.
    """
    if isinstance(sampler, Sampler):
        return _of_package(sampler, space)
    return _mapped(sampler, space) if batch == "vmap" else _looped(sampler, space)


def _of_package(sampler: Sampler, space: Space) -> Run:
    arrays = space.posterior.arrays
    program = sampler.compile(space.posterior.model, {name: value[0] for name, value in arrays.items()})

    def run(keys: np.ndarray, positions: np.ndarray) -> Chains:
        fits = -(-len(keys) // sampler.chains)
        drawn = program.sample({name: np.repeat(value, fits, axis=0) for name, value in arrays.items()}, keys[:fits])
        sites = {name: np.concatenate(list(site))[: len(keys)] for name, site in drawn.sites.items()}
        steps = None if drawn.stats is None else drawn.stats.num_steps
        cost = None if steps is None else np.concatenate(list(steps))[: len(keys)].sum(axis=-1)
        return _chains(sites, cost, space)

    return run


def _mapped(sampler: SamplerFunction, space: Space) -> Run:
    def chain(key: jax.Array, position: jax.Array) -> Any:
        draws, cost = _parts(sampler(space.problem(position), key))
        return draws, None if cost is None else jnp.sum(jnp.asarray(cost))

    mapped = jax.jit(jax.vmap(chain))

    def run(keys: np.ndarray, positions: np.ndarray) -> Chains:
        try:
            draws, cost = mapped(_typed(keys), jnp.asarray(positions))
        except (jax.errors.JAXTypeError, jax.errors.JAXIndexError) as error:
            raise StudyError(
                "gate: expected a sampler that is a JAX function of the key and the position; JAX cannot trace this "
                f"one ({type(error).__name__}); give batch='loop' to call it chain by chain"
            ) from error
        return _chains(draws, cost, space)

    return run


def _looped(sampler: SamplerFunction, space: Space) -> Run:
    def run(keys: np.ndarray, positions: np.ndarray) -> Chains:
        each = [
            _parts(sampler(space.problem(position), _typed(key))) for key, position in zip(keys, positions, strict=True)
        ]
        draws = jax.tree.map(lambda *leaves: np.stack([np.asarray(leaf) for leaf in leaves]), *[one for one, _ in each])
        costs = [cost for _, cost in each]
        return _chains(draws, None if costs[0] is None else np.array([np.sum(cost) for cost in costs]), space)

    return run


def _parts(returned: Any) -> tuple[Any, Any]:
    return returned if isinstance(returned, tuple) else (returned, None)


def _chains(draws: Any, cost: Any, space: Space) -> Chains:
    """Return chains, their draws as positions.

    Raises:
        StudyError: draws are neither positions nor all latent sites.
    """
    if isinstance(draws, dict):
        draws = _positions(draws, space)
    positions = np.asarray(draws)
    if positions.ndim != 3 or positions.shape[-1] != space.n_dims:
        raise StudyError(
            f"gate: expected draws of {space.posterior.name} of shape (draw, {space.n_dims}), or a dict of its latent "
            f"sites {', '.join(space.sites)}; got shape {positions.shape[1:]}"
        )
    if positions.shape[1] < LEAST_DRAWS:
        raise StudyError(
            f"gate: expected chains of {LEAST_DRAWS} draws or more; got {positions.shape[1]}: keep more of a chain"
        )
    return Chains(positions=positions, cost=None if cost is None else np.asarray(cost, float))


def _positions(draws: dict[str, Any], space: Space) -> np.ndarray:
    missing = [name for name in space.sites if name not in draws]
    if missing:
        raise StudyError(
            f"gate: expected draws of every latent site of {space.posterior.name}, {', '.join(space.sites)}; "
            f"{', '.join(missing)} is not among {', '.join(draws) or 'none'}"
        )
    sites = {name: np.asarray(draws[name]) for name in space.sites}
    n_chains, n_draws = next(iter(sites.values())).shape[:2]
    flat = {name: site.reshape(n_chains * n_draws, *site.shape[2:]) for name, site in sites.items()}
    return space.positions_of(flat).reshape(n_chains, n_draws, space.n_dims)


def _typed(keys: np.ndarray) -> jax.Array:
    return jax.random.wrap_key_data(jnp.asarray(keys), impl="threefry2x32")
