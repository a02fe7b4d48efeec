"""A data set and new observations of the same groups, from draws of its posterior: the data of a posterior check.

Where parameters are drawn from p(. | y) and y' from them, they are a draw from p(. | y, y'): their ranks among the
draws of a posterior of both data together are uniform, if the sampler is right (Saeilynoja, Schmitt, Buerkner & Vehtari
2025, Posterior SBC, arXiv:2502.03279). So a sampler is checked where it is used, and not all over the prior.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from simstudy.late import jax, jnp
from simstudy.mechanisms.fitted import row_of
from simstudy.mechanisms.grouped import MAX_CHUNK_OBSERVATIONS
from simstudy.mechanisms.normal_effects import NormalEffects
from simstudy.types import GroupedData, Replicate


@dataclass(frozen=True, kw_only=True)
class Augmented(NormalEffects):
    """Data at hand with as many new observations of each group, whose parameters are a draw of the posterior.

    Args:
        data: the data at hand.
        draws: estimand -> (draw, *group) draws of their posterior: theta, mu, tau, theta_new, y_new and the parameters
            of the likelihood.
    """

    kind: ClassVar[str] = "augmented"
    words: ClassVar[str] = "the data at hand and as many new observations, from draws of their posterior"
    data: GroupedData = field(compare=False, repr=False)
    draws: Mapping[str, np.ndarray] = field(compare=False, repr=False)

    @property
    def shape(self) -> tuple[int, ...]:
        """Observations in each group, old and new; two estimates become one."""
        return self.sizes if self.data.known_se is not None else tuple(2 * n for n in self.sizes)

    @property
    def fields(self) -> Mapping[str, Any]:
        """The data and the draws, by a digest."""
        digest = hashlib.blake2b(digest_size=8)
        for values in (self.data.n_obs, self.data.y_mean, self.data.y_ss, *self.draws.values()):
            digest.update(np.ascontiguousarray(values).tobytes())
        return {"kind": self.kind, "likelihood": self.likelihood.kind, "digest": digest.hexdigest()}

    @property
    def truth(self) -> Mapping[str, float]:
        """None: every replicate has a draw of its own."""
        return {}

    @property
    def own_options(self) -> dict[str, Any]:
        """None beside the data."""
        return {}

    def simulate(self, keys: np.ndarray) -> list[Replicate]:
        """Return one replicate for each (2,) key: a draw by the key's digits, new observations by the key."""
        row = row_of(keys, len(self.draws["theta"]))
        drawn: dict[str, Any] = {name: np.asarray(values, float)[row] for name, values in self.draws.items()}
        drawn["scale"] = {p.name: drawn[p.name] for p in self.likelihood.described if p.name in drawn}
        chunk = max(1, MAX_CHUNK_OBSERVATIONS // sum(self.sizes))
        data = []
        for start in range(0, len(keys), chunk):
            some = slice(start, start + chunk)
            new = self._new_observations(keys[some], drawn["theta"][some], drawn["scale"], some)
            data += [_together(self.data, self._grouped(y)) for y in new]
        truth = self._truth(drawn, data)
        return [Replicate(data=d, truth={name: value[i] for name, value in truth.items()}) for i, d in enumerate(data)]

    def _new_observations(
        self, keys: np.ndarray, theta: np.ndarray, scale: Mapping[str, np.ndarray], some: slice
    ) -> np.ndarray:
        """Return (replicate, observation) new observations of the groups."""
        group_of = np.repeat(np.arange(len(self.sizes)), self.sizes)
        of_groups = {
            name: np.broadcast_to(value[some] if value.ndim > 1 else value[some, None], theta.shape)[:, group_of]
            for name, value in scale.items()
        }
        known_se = self.data.known_se
        with jax.enable_x64(True), jax.default_device(jax.devices("cpu")[0]):

            def draw(key: jax.Array, effects: jax.Array, own: Mapping[str, Any]) -> jax.Array:
                wrapped = jax.random.wrap_key_data(key, impl="threefry2x32")
                return self.likelihood.draw(wrapped, effects, own, None if known_se is None else jnp.asarray(known_se))

            return np.asarray(jax.vmap(draw)(jnp.asarray(keys), jnp.asarray(theta[:, group_of]), of_groups))


def _together(old: GroupedData, new: GroupedData) -> GroupedData:
    """Return the groups with the observations of both, by their moments; two estimates of one error are averaged."""
    if old.known_se is not None:
        mean = (old.y_mean + new.y_mean) / 2
        return GroupedData(n_obs=old.n_obs, y_mean=mean, y_ss=old.y_ss, known_se=old.known_se / np.sqrt(2), y=mean)
    n = old.n_obs + new.n_obs
    between = (new.y_mean - old.y_mean) ** 2 * old.n_obs * new.n_obs / n
    mean = old.y_mean + (new.y_mean - old.y_mean) * new.n_obs / n
    return GroupedData(n_obs=n, y_mean=mean, y_ss=old.y_ss + new.y_ss + between)
