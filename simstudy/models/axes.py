"""The axes of a model's data by name: which leaf has which, how long they are, and the mask of empty entries."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

import numpy as np

from simstudy.errors import StudyError
from simstudy.late import jax
from simstudy.models.model import Axes
from simstudy.types import PyTree

MASK = "mask"
"""Leaf of the data that is false for empty entries, over the padded axes."""


def named_leaves(tree: PyTree) -> dict[str, Any]:
    """Return the leaves of a pytree by name, in their order.

    >>> named_leaves({"x": {"slope": 1.0}, "n": 3})
    {'n': 3, 'x.slope': 1.0}
    """
    return {_name(path): leaf for path, leaf in jax.tree_util.tree_leaves_with_path(tree)}


def map_named(function: Callable[[str, Any], Any], tree: PyTree) -> PyTree:
    """Return the pytree with each leaf replaced by what the function makes of its name and itself."""
    return jax.tree_util.tree_map_with_path(lambda path, leaf: function(_name(path), leaf), tree)


def axes_of(axes: Axes, leaf: str) -> tuple[str, ...] | None:
    """Return the names of the axes of a leaf of the data, or None where it has none."""
    return axes.data.get(leaf, axes.padded if leaf == MASK else None)


def padded_lengths(axes: Axes, arrays: PyTree, *, n_before: int) -> dict[str, int]:
    """Return the lengths of the padded axes in some arrays.

    Args:
        axes: names of the axes.
        arrays: data, or fits of it.
        n_before: axes in front of those of a data set: 1 for fits, else 0.

    Raises:
        StudyError: the data are no mapping, a leaf has not the axes that it is said to have, two leaves disagree, or
            none has a padded axis.

    >>> axes = Axes(data={"y": ("group",)}, padded=("group",))
    >>> padded_lengths(axes, {"y": np.zeros((10, 5))}, n_before=1)
    {'group': 5}
    """
    if not axes.padded:
        return {}
    if not isinstance(arrays, Mapping):
        raise StudyError(f"axes: data that are padded are a mapping from name to array; got {type(arrays).__name__}")
    lengths: dict[str, int] = {}
    for name, leaf in named_leaves(arrays).items():
        names, shape = axes_of(axes, name), np.shape(leaf)[n_before:]
        if names is None:
            continue
        if len(names) != len(shape):
            raise StudyError(f"axes: the data {name!r} are said to have the axes {names}; their shape is {shape}")
        for axis, n in zip(names, shape, strict=True):
            if axis in axes.padded and lengths.setdefault(axis, n) != n:
                raise StudyError(f"axes: the data {name!r} have {n} entries along {axis!r}, others {lengths[axis]}")
    if missing := [axis for axis in axes.padded if axis not in lengths]:
        raise StudyError(f"axes: no leaf of the data has the padded axis {missing[0]!r}; name one that has it")
    return lengths


def entry_mask(axes: Axes, lengths: Mapping[str, int], *, present: Mapping[str, int]) -> np.ndarray:
    """Return the mask over the padded axes, true for entries that are present along all of them.

    >>> entry_mask(Axes(padded=("group",)), {"group": 4}, present={"group": 3})
    array([ True,  True,  True, False])
    """
    n = len(axes.padded)
    each = [along(np.arange(lengths[a]) < present[a], place, n_axes=n) for place, a in enumerate(axes.padded)]
    return reduce(np.logical_and, each)


def along(values: np.ndarray, place: int, *, n_axes: int) -> np.ndarray:
    """Return values of one axis with all others of length 1."""
    return values.reshape([-1 if i == place else 1 for i in range(n_axes)])


def _name(path: Any) -> str:
    return jax.tree_util.keystr(path, simple=True, separator=".")
