"""What of its data a program makes nothing of: numbers that can be moved without moving its log density."""

from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from simstudy.models.axes import MASK, named_leaves
from simstudy.models.latent import latent_sites, traced
from simstudy.models.model import Model
from simstudy.types import PyTree

MOST_NUMBERS = 2048
"""Numbers of a leaf that are moved one by one; larger leaves are not looked at."""


def unused_numbers(model: Model, example: PyTree) -> dict[str, tuple[int, int]]:
    """Return leaf of the data -> how many of its numbers the log density does not depend on, and how many it has.

    Whole numbers are moved by one either way, others to NaN, which spreads to all that is made of it. Leaves that are
    used in full, and those too large to be looked at, are left out.

    Args:
        model: any model.
        example: the arrays of one data set.

    Raises:
        StudyError: as for ``latent_sites``.
    """
    start = {name: site["value"] for name, site in latent_sites(model, example).items()}

    def log_density(data: PyTree) -> jax.Array:
        sites = [site for site in traced(model, start, data).values() if site["type"] == "sample"]
        return sum((site["fn"].log_prob(site["value"]).sum() * _scale(site) for site in sites), start=jnp.zeros(()))

    at_data, found = np.asarray(log_density(example)), {}
    leaves, structure = jax.tree.flatten(example)
    for place, name in enumerate(named_leaves(example)):
        leaf = np.asarray(leaves[place])
        if name == MASK or not 0 < leaf.size <= MOST_NUMBERS or leaf.dtype.kind not in "biuf":
            continue

        def of_leaf(moved: jax.Array, place: int = place) -> jax.Array:
            return log_density(jax.tree.unflatten(structure, [*leaves[:place], moved, *leaves[place + 1 :]]))

        each = [np.asarray(jax.lax.map(of_leaf, jnp.asarray(moved))) for moved in _moved(leaf)]
        n_unused = int(np.logical_and.reduce([one == at_data for one in each]).sum())
        if n_unused:
            found[name] = (n_unused, leaf.size)
    return found


def _moved(leaf: np.ndarray) -> Iterator[np.ndarray]:
    """Yield copies of a leaf, one for each of its numbers, in which it is another."""
    is_one = np.eye(leaf.size, dtype=bool).reshape(leaf.size, *leaf.shape)
    if leaf.dtype.kind == "f":
        yield np.where(is_one, leaf.dtype.type(np.nan), leaf)
    elif leaf.dtype.kind == "b":
        yield leaf ^ is_one
    else:
        one = leaf.dtype.type(1)
        yield np.where(is_one, leaf + one, leaf)
        yield np.where(is_one, leaf - one, leaf)


def _scale(site: dict[str, Any]) -> Any:
    return 1.0 if site["scale"] is None else site["scale"]
