"""Exchangeable normal effects whose hyperparameters are drawn together: what a fitted posterior says of new data.

Each replicate takes one of the given draws, all its parameters from the same one, so that what the posterior does not
know of them, and how they hang together, goes into what is simulated.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field

from simstudy.errors import StudyError
from simstudy.mechanisms.grouped import GroupedMechanism
from simstudy.mechanisms.normal_effects import NormalEffects
from simstudy.models.priors import Prior
from simstudy.streams import canonical_json

MOST_DRAWS = 100_000


def row_of(keys: np.ndarray, n_draws: int) -> np.ndarray:
    """Return which of the draws each (2,) uint32 key falls on, (key,) from 0."""
    return (((keys[:, 0].astype(np.uint64) << np.uint64(32)) | keys[:, 1]) % np.uint64(n_draws)).astype(np.intp)


@dataclass(frozen=True, kw_only=True)
class Fitted(NormalEffects):
    """Normal effects around hyperparameters that are drawn jointly.

    Args:
        draws: parameter (mu, tau and those of the likelihood) -> its (draw,) values, all of one length. What is not
            among them has its own value or prior, independent of the rest.
    """

    kind: ClassVar[str] = "fitted"
    words: ClassVar[str] = "exchangeable group effects, θ_j ~ Normal(μ, τ), hyperparameters from draws of a posterior"
    draws: Annotated[Mapping[str, tuple[float, ...]], Field(examples=[{"mu": [0.1, 0.3], "tau": [0.5, 0.6]}])] = field(
        default_factory=dict, hash=False
    )

    def __post_init__(self) -> None:
        lengths = {len(values) for values in self.draws.values()}
        if len(lengths) > 1 or not all(0 < n <= MOST_DRAWS for n in lengths):
            raise StudyError(
                f"draws: expected lists of one length up to {MOST_DRAWS:,}, a value for each draw, got lengths "
                f"{', '.join(f'{name}: {len(values)}' for name, values in self.draws.items())}"
            )
        known = super().priors
        for name, values in self.draws.items():
            if name not in known:
                raise StudyError(f"draws: no parameter {name!r}; expected some of {', '.join(known)}")
            lowest = -np.inf if name == "mu" else 0.0
            if not (np.isfinite(values).all() and min(values) >= lowest):
                raise StudyError(f"draws: {name} has {min(values):g}; expected finite numbers, 0 or above for scales")

    @property
    def priors(self) -> dict[str, Prior]:
        """The values or priors of the parameters that are not among the draws."""
        return {name: prior for name, prior in super().priors.items() if name not in self.draws}

    @property
    def own_options(self) -> dict[str, Any]:
        """The draws by their digest."""
        if not self.draws:
            return {}
        values = {name: list(map(float, values)) for name, values in sorted(self.draws.items())}
        digest = hashlib.blake2b(canonical_json(values).encode(), digest_size=8).hexdigest()
        return {"draws": f"{self._n_draws} of {', '.join(values)} ({digest})"}

    def hyperparameters(self, keys: np.ndarray) -> dict[str, np.ndarray]:
        """Return the parameters of each replicate, (replicate, value): the rows of the draws that its key falls on."""
        given = super().hyperparameters(keys)
        if not self.draws:
            return given
        row = row_of(keys, self._n_draws)
        drawn = {
            name: np.repeat(np.asarray(values, float)[row, None], self._n_values(name), axis=1)
            for name, values in self.draws.items()
        }
        return given | drawn

    @property
    def _n_draws(self) -> int:
        return len(next(iter(self.draws.values())))

    @property
    def _program(self) -> GroupedMechanism:
        return replace(super()._program, draws={})  # type: ignore[call-arg]
