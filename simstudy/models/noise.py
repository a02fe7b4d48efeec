"""Random numbers of predicted quantities: one counter-based stream per fit, the same in every block.

A prediction (the effect of a new group, a new observation) adds one random number to every posterior draw. Each fit
has its own Philox stream, so the numbers do not depend on the fits that share its block.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np

from simstudy.late import jax
from simstudy.models.priors import Prior


class Noise:
    """Random numbers for a block of fits, one stream per fit.

    Args:
        keys: (fit, 2) uint32 keys.
        shape: (chain, draw) of each fit.

    Every method returns a (fit, chain, draw) array and moves all streams on.
    """

    def __init__(self, keys: np.ndarray, shape: tuple[int, int]):
        self.keys = keys
        self.shape = shape
        self._streams = [np.random.Generator(np.random.Philox(key=key.astype(np.uint64))) for key in keys]

    def normal(self) -> np.ndarray:
        """Return standard normal numbers, float32."""
        return np.stack([stream.standard_normal(self.shape, np.float32) for stream in self._streams])

    def uniform(self) -> np.ndarray:
        """Return uniform numbers in [0, 1), float32."""
        return np.stack([stream.random(self.shape, np.float32) for stream in self._streams])

    def poisson(self, rate: np.ndarray) -> np.ndarray:
        """Return Poisson numbers of given rates, (fit, chain, draw) both."""
        return np.stack([stream.poisson(one) for stream, one in zip(self._streams, rate, strict=True)])

    def gamma(self, shape: np.ndarray) -> np.ndarray:
        """Return gamma numbers of given shapes and scale 1, (fit, chain, draw) both."""
        return np.stack([stream.standard_gamma(one) for stream, one in zip(self._streams, shape, strict=True)])

    def prior(self, prior: Prior) -> np.ndarray:
        """Return draws of a prior, or the constant."""
        if prior.is_constant:
            return np.full((len(self.keys), *self.shape), prior.value)
        draw = _prior_draws(prior, self.shape)
        return np.stack([np.asarray(draw(key)) for key in self.keys])


@functools.cache
def _prior_draws(prior: Prior, shape: tuple[int, int]) -> Callable[[np.ndarray], jax.Array]:
    distribution = prior.distribution()
    return jax.jit(lambda key: distribution.sample(jax.random.wrap_key_data(key, impl="threefry2x32"), shape))
