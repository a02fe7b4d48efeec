"""A mechanism that a user brings: a Python function that simulates one replicate."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from simstudy.mechanisms.mechanism import Mechanism
from simstudy.types import Replicate


@dataclass(frozen=True, kw_only=True)
class UserMechanism(Mechanism):
    """A user's simulator at one level of each of its factors.

    Args:
        name: the name that study files and tables use.
        function: ``simulate(key, scenario) -> (data, truth)`` with a JAX key, the factors as a mapping, data as
            ``GroupedData`` or any pytree for a user's model, and truth by estimand.
        factors: (name, value) pairs.
        source_hash: identity of the source text.
    """

    kind: ClassVar[str] = "user"
    name: str
    function: Callable[[Any, Mapping[str, Any]], tuple[Any, Mapping[str, Any]]] = field(compare=False)
    factors: tuple[tuple[str, Any], ...] = ()
    source_hash: str = ""

    @property
    def fields(self) -> Mapping[str, Any]:
        """Name, source and factors."""
        return {"kind": self.name, "source": self.source_hash, **dict(self.factors)}

    @property
    def shape(self) -> tuple[int, ...]:
        """Unknown before simulation."""
        return ()

    def simulate(self, keys: np.ndarray) -> list[Replicate]:
        """Call the user's function once for each key."""
        return [self._one(key) for key in keys]

    def _one(self, key: np.ndarray) -> Replicate:
        data, truth = self.function(jax.random.wrap_key_data(jnp.asarray(key), impl="threefry2x32"), dict(self.factors))
        return Replicate(data=data, truth={name: np.asarray(value, float) for name, value in truth.items()})
