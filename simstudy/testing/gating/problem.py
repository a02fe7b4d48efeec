"""What a sampler is given: a NumPyro program with data, its log density without constraints, and where to begin."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpyro.infer.util import constrain_fn, unconstrain_fn

from simstudy.models.density import LogDensity, density_of
from simstudy.samplers.options import Precision
from simstudy.samplers.precision import as_leaves
from simstudy.testing.gating.posteriors import Posterior

Program = Callable[[Any], None]


@dataclass(frozen=True, kw_only=True)
class Problem:
    """A posterior to draw from.

    Args:
        name: of the posterior.
        model: a NumPyro program of the data.
        data: its argument.
        log_density: of an unconstrained position (n_dims,), up to a constant; a JAX function.
        n_dims: length of a position.
        position: (n_dims,) where the chain begins.
        constrain: position (n_dims,) -> latent site -> value; a JAX function.
    """

    name: str
    model: Program
    data: Any
    log_density: Callable[[jax.Array], jax.Array]
    n_dims: int
    position: Any
    constrain: Callable[[jax.Array], dict[str, jax.Array]]


class Space:
    """The unconstrained positions of a posterior, and what is known of the quantities there.

    Args:
        posterior: the posterior.
    """

    def __init__(self, posterior: Posterior):
        self.posterior = posterior
        self.precision: Precision = "float64" if jax.dtypes.canonicalize_dtype(float) == np.float64 else "float32"
        self.data = as_leaves({name: value[0] for name, value in posterior.arrays.items()}, self.precision)
        self._density: LogDensity = density_of(posterior.model, self.data)
        self._values = jax.jit(jax.vmap(jax.vmap(lambda q: (self._constrain(q), self._log_density(q)))))
        self._positions = jax.jit(jax.vmap(self._unconstrain))

    @property
    def n_dims(self) -> int:
        """Length of a position."""
        return self._density.n_dims

    @property
    def sites(self) -> tuple[str, ...]:
        """The latent sites, in the order of a position."""
        return tuple(site.name for site in self._density.sites)

    def problem(self, position: Any) -> Problem:
        """Return the problem of a chain that begins at a position."""
        return Problem(
            name=self.posterior.name,
            model=self.posterior.model,
            data=self.data,
            log_density=self._log_density,
            n_dims=self.n_dims,
            position=position,
            constrain=self._constrain,
        )

    def positions_of(self, sites: dict[str, Any]) -> np.ndarray:
        """Return the positions (draw, n_dims) of draws of all latent sites, leaves (draw, *site)."""
        return np.asarray(self._positions({name: jnp.asarray(sites[name]) for name in self.sites}))

    def cdf(self, positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the exact distribution function of every quantity at draws, and the draws in exact sds from the mean.

        Args:
            positions: (chain, draw, n_dims).

        Returns:
            Both (chain, draw, quantity).
        """
        values = self.values(positions)
        known = [(one, values[one.name]) for one in self.posterior.quantities]
        return (
            np.stack([one.cdf(value) for one, value in known], axis=-1),
            np.stack([(value - one.mean) / one.sd for one, value in known], axis=-1),
        )

    def values(self, positions: np.ndarray) -> dict[str, np.ndarray]:
        """Return quantity -> values (chain, draw); effects one by one, and the log density."""
        sites, log_density = self._values(positions)
        parameters = self.posterior.parameters({name: np.asarray(site, float) for name, site in sites.items()})
        values = {"log_density": np.asarray(log_density, float)}
        for name, value in parameters.items():
            if value.ndim > log_density.ndim:
                values |= {f"{name}[{j}]": value[..., j] for j in range(value.shape[-1])}
            else:
                values[name] = value
        return values

    def _log_density(self, position: jax.Array) -> jax.Array:
        lane = jax.tree.map(lambda leaf: jnp.asarray(leaf)[..., None], self.data)
        return self._density.log_density(position[:, None], lane)[0]

    def _constrain(self, position: jax.Array) -> dict[str, jax.Array]:
        free = {site.name: position[site.dims].reshape(site.shape) for site in self._density.sites}
        return constrain_fn(self.posterior.model, (self.data,), {}, free)

    def _unconstrain(self, sites: dict[str, jax.Array]) -> jax.Array:
        free = unconstrain_fn(self.posterior.model, (self.data,), {}, sites)
        return jnp.concatenate([jnp.ravel(free[name]) for name in self.sites])
