"""A mechanism that a user brings: a Python function that simulates one replicate."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from simstudy.late import jax, jnp
from simstudy.mechanisms.mechanism import Mechanism
from simstudy.models.user import first_line
from simstudy.types import GroupedData, Replicate

NUMBERS = "biufcV"  # kinds of NumPy types; V is that of JAX's short floats


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
    def words(self) -> str:
        """Its name, and the first line of the function's docstring."""
        text = first_line(self.function)
        return f"{self.name}: {text}" if text else self.name

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
        given = self.function(jax.random.wrap_key_data(jnp.asarray(key), impl="threefry2x32"), dict(self.factors))
        if not isinstance(given, tuple) or len(given) != 2:
            raise TypeError(f"simulate(key, scenario) gave {type(given).__name__}; expected a pair (data, truth)")
        data, truth = given
        if not isinstance(truth, Mapping) or not all(isinstance(name, str) for name in truth):
            raise TypeError(f"simulate gave {type(truth).__name__} as truth; expected a mapping from estimand to value")
        if not isinstance(data, GroupedData):
            _check_data(data)
        return Replicate(data=data, truth={name: _number(name, value) for name, value in truth.items()})


def _check_data(data: Any) -> None:
    for place, leaf in jax.tree_util.tree_leaves_with_path(data):
        if np.asarray(leaf).dtype.kind not in NUMBERS:
            where = jax.tree_util.keystr(place) or "the data"
            raise TypeError(f"simulate gave {type(leaf).__name__} at {where}; expected arrays of numbers")


def _number(name: str, value: Any) -> np.ndarray:
    try:
        return np.asarray(value, float)
    except (TypeError, ValueError):
        raise TypeError(f"simulate gave {value!r} as the truth of {name!r}; expected numbers") from None
