"""What a sampler is: options, and programs that draw from many posteriors of one shape at once.

A sampler is a choice (hashable, no data). ``compile`` gives a program for one model and one shape; the program fits
any number of data sets of that shape. Draws of a fit depend on its key and the program, never on the fits beside it.
"""

from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Literal

import jax
import numpy as np

from simstudy.errors import StudyError
from simstudy.models.model import Model
from simstudy.types import Draws, PyTree

Precision = Literal["float32", "float64"]


class Program(ABC):
    """A sampler compiled for one model and one shape of data."""

    compile_seconds: float
    """Seconds that tracing and compilation took."""

    @abstractmethod
    def sample(self, arrays: PyTree, keys: np.ndarray) -> Draws:
        """Draw from the posterior of every fit.

        Args:
            arrays: what ``Model.arrays`` made: leaves (fit, ...), float64.
            keys: (fit, 2) uint32.
        """


@dataclass(frozen=True, kw_only=True)
class Sampler(ABC):
    """Options that every sampler has.

    Args:
        chains: independent chains per fit.
        warmup: draws for adaptation, discarded.
        draws: draws kept, per chain.
        target_accept: acceptance probability that the step size is adapted to, in (0, 1).
        max_treedepth: largest number of doublings of a trajectory.
        precision: floating point numbers of the sampler.
    """

    kind: ClassVar[str]
    chains: int = 4
    warmup: int = 500
    draws: int = 500
    target_accept: float = 0.8
    max_treedepth: int = 10
    precision: Precision = "float32"

    def __post_init__(self) -> None:
        for name, smallest in (("chains", 1), ("warmup", 0), ("draws", 4), ("max_treedepth", 1)):
            if getattr(self, name) < smallest:
                raise StudyError(f"{name}: {getattr(self, name)} is too small; expected at least {smallest}")
        if not 0 < self.target_accept < 1:
            raise StudyError(f"target_accept: {self.target_accept} is out of range; expected a number between 0 and 1")
        if self.precision not in ("float32", "float64"):
            raise StudyError(f"precision: got {self.precision!r}; expected 'float32' or 'float64'")

    @property
    def options(self) -> dict[str, Any]:
        """Every option by name."""
        return {"kind": self.kind} | {f.name: getattr(self, f.name) for f in fields(self)}

    @property
    def changed_options(self) -> dict[str, Any]:
        """The options that are not at their defaults, and the kind: a sampler's identity."""
        changed = {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) != f.default}
        return {"kind": self.kind} | changed

    @property
    @abstractmethod
    def fits_per_block(self) -> int:
        """Fits that make a block worth about ten seconds, a multiple of the fits that run at once."""

    @property
    @abstractmethod
    def fits_at_once(self) -> int:
        """Fits that one call of the program advances together."""

    def check(self, model: Model) -> None:  # noqa: B027 - most samplers fit any model
        """Refuse a model that the sampler can never fit, before anything runs.

        Raises:
            StudyError: says what the sampler can fit.
        """

    def program_shape(self, shape: Hashable) -> Hashable:
        """Return the shape that a program is compiled for, given ``Model.shape``: shapes may share one by padding."""
        return shape

    @abstractmethod
    def compile(self, model: Model, example: PyTree) -> Program:
        """Return the program for a model.

        Args:
            model: any model.
            example: the arrays of one data set, leaves without the fit axis.
        """


@contextmanager
def precision(of: Precision) -> Iterator[type[np.floating]]:
    """Run JAX in a precision, and give the NumPy type of its numbers."""
    with jax.enable_x64(of == "float64"):
        yield np.float64 if of == "float64" else np.float32


def as_floats(arrays: PyTree, dtype: type[np.floating]) -> PyTree:
    """Return the arrays with floating point leaves in a type, integers as int32 and booleans as they are."""
    return jax.tree.map(lambda leaf: _as_type(np.asarray(leaf), dtype), arrays)


def _as_type(leaf: np.ndarray, dtype: type[np.floating]) -> np.ndarray:
    if np.issubdtype(leaf.dtype, np.floating):
        return leaf.astype(dtype)
    return leaf.astype(np.int32) if np.issubdtype(leaf.dtype, np.integer) else leaf
