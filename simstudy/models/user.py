"""A user's own NumPyro function, a model on equal terms."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from simstudy.late import jax
from simstudy.models.axes import MASK, axes_of, entry_mask, named_leaves, padded_lengths
from simstudy.models.estimands import Estimand
from simstudy.models.model import Axes, Model, stacked
from simstudy.registry.registry import first_line
from simstudy.types import GroupedData, PyTree

REAL = "biuf"  # kinds of NumPy types: truth values, whole and real numbers
NO_AXES = Axes()


@dataclass(frozen=True, kw_only=True)
class UserModel(Model):
    """A NumPyro function that a user brings.

    Args:
        name: the name that study files and tables use.
        program: ``model(data)``, a NumPyro function of any pytree.
        posterior_estimands: ``estimands(posterior)`` or ``estimands(posterior, data)``; it is given, for one fit, site
            -> (chain, draw, *site) arrays on the constrained scale, and returns (chain, draw) or (chain, draw, group)
            arrays by name.
        takes_data: whether the estimands are given the fit's data as well.
        axes: names of the axes of its sites and data. With padded axes the program finds ``data["mask"]`` under every
            sampler, true for what is there.
        described: what the user declares of the estimands.
        source_hash: identity of the source text.
    """

    name: str
    program: Callable[[PyTree], None]
    posterior_estimands: Callable[..., Mapping[str, np.ndarray]]
    takes_data: bool = False
    axes: Axes = NO_AXES
    described: tuple[Estimand, ...] = ()
    source_hash: str = ""

    def __call__(self, data: PyTree) -> None:
        """Run the user's program."""
        self.program(data)

    @property
    def words(self) -> str:
        """Its name, and the first line of the program's docstring."""
        text = line_of(self.program)
        return f"model {self.name}: {text}" if text else f"model {self.name}"

    def arrays(self, data: Sequence[PyTree]) -> PyTree:
        """Stack the leaves of the data sets."""
        if len(shapes := {_leaf_shapes(one) for one in data}) > 1:
            first, second = sorted(map(str, shapes))[:2]
            raise ValueError(
                f"the data of a scenario's replicates differ in shape, {first} and {second}: a program is compiled for "
                "one shape; pad the data, or make their size a factor"
            )
        arrays = jax.tree.map(lambda *leaves: np.stack([np.asarray(leaf) for leaf in leaves]), *map(_plain, data))
        lengths = padded_lengths(self.axes, arrays, n_before=1)
        if not lengths or MASK in arrays:
            return arrays
        mask = entry_mask(self.axes, lengths, present=lengths)
        return arrays | {MASK: np.broadcast_to(mask, (len(data), *mask.shape))}

    def shape(self, data: PyTree) -> Hashable:
        """Return the structure of the pytree, and the name and the shape of every leaf."""
        plain = _plain(data)
        leaves = ((name, np.shape(leaf)) for name, leaf in named_leaves(plain).items())
        return (str(jax.tree.structure(plain)), *leaves)

    def padded_shape(self, shape: Hashable, pad: Callable[[int], int]) -> Hashable:
        """Return a shape with each padded axis of a leaf as long as ``pad`` makes it."""
        if not self.axes.padded or not isinstance(shape, tuple):
            return shape

        def padded(leaf: str, lengths: tuple[int, ...]) -> tuple[int, ...]:
            names = axes_of(self.axes, leaf) or (None,) * len(lengths)
            return tuple(pad(n) if name in self.axes.padded else n for name, n in zip(names, lengths, strict=True))

        structure, *leaves = shape
        return (structure, *((leaf, padded(leaf, lengths)) for leaf, lengths in leaves))

    def estimands(
        self, sites: Mapping[str, np.ndarray], data: Sequence[Any], keys: np.ndarray
    ) -> dict[str, np.ndarray]:
        """Return the user's estimands, fit by fit."""
        chain_and_draw = next(iter(sites.values())).shape[1:3]
        each = []
        for i, of_fit in enumerate(data):
            posterior = {name: draws[i] for name, draws in sites.items()}
            given = (posterior, _plain(of_fit)) if self.takes_data else (posterior,)
            each.append(_checked(self.posterior_estimands(*given), chain_and_draw))
        return stacked(each)


def line_of(function: Any) -> str:
    """Return the first line of a function's docstring, or an empty text; docstrings of classes are about classes."""
    return first_line(inspect.getdoc(function) if inspect.isroutine(function) else None)


def _leaf_shapes(data: Any) -> tuple[tuple[int, ...], ...]:
    return tuple(np.shape(leaf) for leaf in jax.tree.leaves(_plain(data)))


def _plain(data: Any) -> PyTree:
    """Grouped data as the dictionary of arrays that a user's model gets."""
    if not isinstance(data, GroupedData):
        return data
    arrays = {"n_obs": data.n_obs, "y_mean": data.y_mean, "y_ss": data.y_ss, "known_se": data.known_se}
    if data.y is not None:
        arrays |= {"y": data.y, "group_of": data.group_of}
    return {name: value for name, value in arrays.items() if value is not None}


def _checked(estimands: Any, chain_and_draw: tuple[int, ...]) -> dict[str, np.ndarray]:
    """Return what a user's ``estimands`` gave for one fit as arrays of real numbers.

    Raises:
        TypeError: it gave something else than names with real numbers.
        ValueError: an array is not (chain, draw) or (chain, draw, group), or there is none.
    """
    if not isinstance(estimands, Mapping) or not all(isinstance(name, str) for name in estimands):
        raise TypeError(f"estimands(posterior) gave {type(estimands).__name__}; expected a mapping from name to array")
    if not estimands:
        raise ValueError("estimands(posterior) gave no estimand; expected at least one")
    arrays = {name: np.asarray(value) for name, value in estimands.items()}
    for name, array in arrays.items():
        if array.dtype.kind not in REAL:
            raise TypeError(f"estimand {name!r} is of type {array.dtype}; expected real numbers")
        if array.shape[:2] != chain_and_draw or array.ndim > 3:
            raise ValueError(
                f"estimand {name!r} has shape {array.shape}; expected (chain, draw) or (chain, draw, group) with "
                f"{chain_and_draw[0]} chains and {chain_and_draw[1]} draws"
            )
    return arrays
