"""What was expected and what came: the one error of all checks, and the comparisons that they share."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import cloudpickle
import jax
import numpy as np

from simstudy.types import GroupedData

BOUND = 5.0
"""Monte Carlo standard errors that a statistic may lie from its expectation; beyond are 6e-7 of all normal ones."""
ROUNDING = 1e-9
"""Relative difference of numbers that are equal but for the order of float64 operations."""

Arrays = Mapping[str, np.ndarray]


class ConformanceError(AssertionError):
    """A part does not keep a promise; the message names the part, the promise and what came instead."""


def expect(part: Any, promise: str, *, holds: Any, got: Any) -> None:
    """Raise unless the promise holds.

    Args:
        part: the part that promises.
        promise: what is expected, to be read after "expected".
        holds: whether it does.
        got: what came instead.

    Raises:
        ConformanceError: it does not hold.

    >>> expect(3, "an even number", holds=3 % 2 == 0, got=3)
    Traceback (most recent call last):
    simstudy.testing.expectation.ConformanceError: int: expected an even number; got 3
    """
    if not holds:
        raise ConformanceError(f"{_name(part)}: expected {promise}; got {got}")


def expect_close(part: Any, promise: str, *, found: Any, expected: Any) -> None:
    """Raise unless two arrays are equal up to rounding; NaN equals NaN.

    Raises:
        ConformanceError: they are not; the message has the largest difference.
    """
    found, expected = np.asarray(found, float), np.asarray(expected, float)
    expect(part, promise, holds=found.shape == expected.shape, got=f"shape {found.shape}, not {expected.shape}")
    scale = 1 + np.max(np.abs(expected[np.isfinite(expected)]), initial=0.0)
    is_close = np.isclose(found, expected, rtol=ROUNDING, atol=ROUNDING * scale, equal_nan=True)
    if not is_close.all():
        place = np.unravel_index(np.argmin(is_close), found.shape)
        expect(part, promise, holds=False, got=f"{found[place]:.12g} instead of {expected[place]:.12g}")


def check_choice(part: Any) -> None:
    """Check that a part is a choice: frozen, hashable, equal to its copy, and able to travel to a worker process.

    Raises:
        ConformanceError: it is not.
    """
    is_frozen = dataclasses.is_dataclass(part) and part.__dataclass_params__.frozen  # type: ignore[union-attr]
    expect(part, "a frozen dataclass", holds=is_frozen, got=type(part))
    copy = dataclasses.replace(part)
    try:
        hashes = hash(part), hash(copy)
    except TypeError as error:
        raise ConformanceError(f"{_name(part)}: expected a part that can be hashed; got {error}") from error
    expect(part, "a copy to be equal and to have the same hash", holds=part == copy and len({*hashes}) == 1, got=copy)
    try:
        cloudpickle.loads(cloudpickle.dumps(part))
    except Exception as error:
        # Pickling fails in as many ways as there are things that a part can hold.
        raise ConformanceError(f"{_name(part)}: expected a part that can be pickled; got {error!r}") from error


def leaves_of(data: Any) -> dict[str, np.ndarray]:
    """Return the arrays of grouped data or of any pytree, by name."""
    if isinstance(data, GroupedData):
        fields = {name: value for name, value in vars(data).items() if isinstance(value, np.ndarray)}
        return fields | {f"covariate {name}": value for name, value in getattr(data, "covariates", ())}
    return {jax.tree_util.keystr(path): np.asarray(leaf) for path, leaf in jax.tree_util.tree_leaves_with_path(data)}


def differing(one: Arrays, other: Arrays) -> list[str]:
    """Return the names of the arrays that differ in type, shape or a single bit, or that only one side has.

    >>> differing({"y": np.zeros(2), "n": np.ones(1)}, {"y": np.zeros(2), "n": np.ones(2)})
    ['n']
    """
    return sorted(name for name in {*one, *other} if _bits(one.get(name)) != _bits(other.get(name)))


def _bits(array: np.ndarray | None) -> Any:
    if array is None:
        return None
    array = np.asarray(array)
    content = array.tolist() if array.dtype == object else np.ascontiguousarray(array).tobytes()
    return array.dtype, array.shape, content


def _name(part: Any) -> str:
    name = getattr(part, "name", None) or getattr(part, "kind", None)
    return type(part).__name__ + (f" {name!r}" if isinstance(name, str) else "")
