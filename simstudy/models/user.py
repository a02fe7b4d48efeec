"""A user's own NumPyro function, a model on equal terms."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from simstudy.models.model import Model
from simstudy.types import GroupedData, PyTree

REAL = "biuf"  # kinds of NumPy types: truth values, whole and real numbers


@dataclass(frozen=True, kw_only=True)
class UserModel(Model):
    """A NumPyro function that a user brings.

    Args:
        name: the name that study files and tables use.
        program: ``model(data)``, a NumPyro function of any pytree.
        posterior_estimands: ``estimands(posterior) -> {name: array}``; it is given, for one fit, site -> (chain, draw,
            *site) arrays on the constrained scale and returns (chain, draw) or (chain, draw, group) arrays.
        source_hash: identity of the source text.
    """

    name: str
    program: Callable[[PyTree], None]
    posterior_estimands: Callable[[Mapping[str, np.ndarray]], Mapping[str, np.ndarray]]
    source_hash: str = ""

    def __call__(self, data: PyTree) -> None:
        """Run the user's program."""
        self.program(data)

    def arrays(self, data: Sequence[PyTree]) -> PyTree:
        """Stack the leaves of the data sets."""
        if len(shapes := {_leaf_shapes(one) for one in data}) > 1:
            first, second = sorted(map(str, shapes))[:2]
            raise ValueError(
                f"the data of a scenario's replicates differ in shape, {first} and {second}: a program is compiled for "
                "one shape; pad the data, or make their size a factor"
            )
        return jax.tree.map(lambda *leaves: np.stack([np.asarray(leaf) for leaf in leaves]), *map(_plain, data))

    def shape(self, data: PyTree) -> Hashable:
        """Return the structure of the pytree and the shape of every leaf."""
        leaves, tree = jax.tree.flatten(_plain(data))
        return (str(tree), *(np.shape(leaf) for leaf in leaves))

    def estimands(
        self, sites: Mapping[str, np.ndarray], data: Sequence[Any], keys: np.ndarray
    ) -> dict[str, np.ndarray]:
        """Return the user's estimands, fit by fit."""
        n_fits = len(data)
        chain_and_draw = next(iter(sites.values())).shape[1:3]
        posteriors = ({name: draws[i] for name, draws in sites.items()} for i in range(n_fits))
        return _stack([_checked(self.posterior_estimands(one), chain_and_draw) for one in posteriors])


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


def _stack(each: Sequence[Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    return {name: np.stack([fit[name] for fit in each]) for name in each[0]}
