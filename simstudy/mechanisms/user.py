"""A mechanism that a user brings: a Python function that simulates one replicate."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from simstudy.errors import StudyError, shown
from simstudy.late import jax, jnp
from simstudy.mechanisms.mechanism import Mechanism
from simstudy.models.user import line_of
from simstudy.registry import Extension
from simstudy.registry.sources import source_of_functions
from simstudy.types import GroupedData, Replicate

Simulator = Callable[[Any, Mapping[str, Any]], tuple[Any, Mapping[str, Any]]]
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
    function: Simulator = field(compare=False)
    factors: tuple[tuple[str, Any], ...] = ()
    source_hash: str = ""

    @property
    def words(self) -> str:
        """Its name, and the first line of the function's docstring."""
        text = line_of(self.function)
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
        given: Any = self.function(jax.random.wrap_key_data(jnp.asarray(key), impl="threefry2x32"), dict(self.factors))
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


@dataclass(frozen=True, kw_only=True)
class UserMechanismFamily:
    """A user's simulator, its factors still open.

    Args:
        name: the name that study files use as the mechanism's ``kind``.
        function: ``simulate(key, scenario) -> (data, truth)``.
        source_hash: identity of the source text.
    """

    name: str
    function: Simulator
    source_hash: str

    def at(self, factors: Mapping[str, Any]) -> UserMechanism:
        """Return the mechanism at one level of each factor."""
        return UserMechanism(
            name=self.name, function=self.function, factors=tuple(factors.items()), source_hash=self.source_hash
        )


def simulator_of(name: str, function: Any) -> Extension[UserMechanismFamily]:
    """Return the extension of a name and a function ``simulate(key, scenario)``, or a family that was made of one.

    Raises:
        StudyError: it cannot be called.
    """
    if isinstance(function, UserMechanismFamily):
        name, function = function.name, function.function
    if not callable(function):
        raise StudyError(
            f"the mechanism {shown(name)}: expected a function simulate(key, scenario), got {shown(function)}"
        )
    source, module = source_of_functions(function), str(getattr(function, "__module__", ""))
    family = UserMechanismFamily(name=name, function=function, source_hash=source)
    return Extension(part=family, source=source, module=module, words=line_of(function))
