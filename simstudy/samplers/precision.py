"""Single or double precision per program, whatever the rest of the process uses."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any, Literal

import numpy as np

from simstudy.late import jax
from simstudy.samplers.options import Precision
from simstudy.types import PyTree


def use_precision(precision: Precision) -> AbstractContextManager[Any]:
    """Return a context in which jax makes arrays of this precision, in this thread.

    >>> import jax.numpy as jnp
    >>> with use_precision("float64"):
    ...     jnp.zeros(1).dtype.name
    'float64'
    """
    return jax.enable_x64(precision == "float64")


def as_leaves(arrays: PyTree, precision: Precision, *, unsigned: Literal["int32", "uint32"] = "int32") -> PyTree:
    """Return the leaves as NumPy: floats in a precision, integers of 32 bits, truth values as they are.

    Args:
        arrays: any pytree.
        precision: of its floats.
        unsigned: what integers without a sign become; ``uint32`` keeps the bits of those that are no counts.

    >>> leaves = as_leaves({"x": np.ones(2), "n": 3}, "float32")
    >>> {name: leaf.dtype.name for name, leaf in leaves.items()}
    {'n': 'int32', 'x': 'float32'}
    """
    kinds = {"f": precision, "i": "int32", "u": unsigned}

    def as_leaf(leaf: object) -> np.ndarray:
        array = np.asarray(leaf)
        return array.astype(kinds.get(array.dtype.kind, array.dtype))

    return jax.tree.map(as_leaf, arrays)
