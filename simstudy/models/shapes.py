"""Shapes of the arrays at the heart of models, as annotations that the tests check.

Groups lie on axis 0 and lanes behind, so that one text of a formula serves a single fit (no lane axis), the lanes of a
program and (fit, chain, draw) of draws on the host.
"""

from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from jaxtyping import Bool, Float, Num

if TYPE_CHECKING:
    import jax

    Array = jax.Array | np.ndarray
    ArrayT = TypeVar("ArrayT", np.ndarray, jax.Array)
else:  # whatever has a shape and a dtype, so that annotations do not wait for JAX
    Array = Any
    ArrayT = TypeVar("ArrayT")
"""An array of NumPy or JAX, and whichever of both came in."""

Effects = Float[Array, "group *lane"]
"""A number for each group."""
OfLane = Float[Array, "*lane"]
"""A number for each lane: a parameter that all groups share, or a log density."""
Scales = Float[Array, "..."]
"""A scale parameter: (*lane) where all groups share it, (group, *lane) where each has its own."""
if TYPE_CHECKING:
    Statistic = Num[Array, "..."]
else:  # a leaf of one data set, taken out of a stack of numbers, is NumPy's scalar
    Statistic = Num[Array, "..."] | np.floating
"""A statistic: () or (group,) of one data set, with lanes behind."""
Mask = Bool[Array, "group *lane"]
"""False for padded groups."""
