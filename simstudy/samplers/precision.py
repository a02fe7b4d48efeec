"""Single or double precision per program, whatever the rest of the process uses."""

from contextlib import AbstractContextManager

import jax
import numpy as np

from simstudy.samplers.nuts.options import Precision


def use_precision(precision: Precision) -> AbstractContextManager:
    """Return a context in which jax makes arrays of this precision, in this thread.

    >>> import jax.numpy as jnp
    >>> with use_precision("float64"):
    ...     jnp.zeros(1).dtype.name
    'float64'
    """
    return jax.enable_x64(precision == "float64")


def as_leaf(array, precision: Precision) -> np.ndarray:
    """Return data as NumPy: floats in this precision, integers of 32 bits, booleans as they are.

    >>> as_leaf([1.0, 2.0], "float32").dtype.name, as_leaf(3, "float64").dtype.name
    ('float32', 'int32')
    """
    array = np.asarray(array)
    kinds = {"f": precision, "i": "int32", "u": "uint32"}
    return array.astype(kinds.get(array.dtype.kind, array.dtype))
