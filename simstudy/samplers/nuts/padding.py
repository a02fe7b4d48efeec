"""Padding: data of fewer entries than a program has, along the axes on which its model bears empty ones.

An empty entry has zero momentum, no density and its own random numbers, so that trajectories are those of the model
without it. Which axes can be padded is the model's to say (``Model.axes``); how long they become, the sampler's.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import jax
import numpy as np

from simstudy.errors import StudyError
from simstudy.models.axes import MASK, along, axes_of, entry_mask, map_named, named_leaves, padded_lengths
from simstudy.models.density import Site
from simstudy.models.latent import latent_sites
from simstudy.models.model import Axes, Model
from simstudy.types import PyTree


@dataclass(frozen=True, kw_only=True)
class Padding:
    """How data are filled up to the lengths of a program; those of a model without padded axes stay as they are.

    Args:
        axes: names of the model's axes.
        lengths: padded axis -> its length in the program.
    """

    axes: Axes
    lengths: Mapping[str, int]

    @classmethod
    def of(cls, model: Model, example: PyTree, pad: Callable[[int], int]) -> "Padding":
        """Return the padding of a program for data like the example, leaves without the fit axis.

        Raises:
            StudyError: the axes of the data are not those that the model says, or a site grows along a padded axis
                that it does not name.
        """
        axes = model.axes
        lengths = {name: pad(n) for name, n in padded_lengths(axes, example, n_before=0).items()}
        padding = cls(axes=axes, lengths=lengths)
        if axes.padded:
            padding._refuse_unnamed(model, example)
        return padding

    def fill(self, arrays: PyTree, *, n_before: int = 1) -> PyTree:
        """Return the arrays with empty entries added, and the mask that tells them.

        Args:
            arrays: leaves (fit, ...).
            n_before: axes in front of those of a data set.
        """
        if not self.axes.padded:
            return arrays
        present = padded_lengths(self.axes, arrays, n_before=n_before)

        def filled(name: str, leaf: Any) -> np.ndarray:
            missing = [(0, 0)] * np.ndim(leaf)
            for place, axis in self._padded(axes_of(self.axes, name)):
                missing[n_before + place] = (0, self.lengths[axis] - present[axis])
            return np.pad(leaf, missing) if any(missing) else leaf

        padded = map_named(filled, arrays)
        if MASK in arrays:
            return padded
        in_front = np.shape(next(iter(named_leaves(arrays).values())))[:n_before]
        mask = entry_mask(self.axes, self.lengths, present=present)
        return padded | {MASK: np.broadcast_to(mask, (*in_front, *mask.shape))}

    def dim_mask(self, arrays: PyTree, sites: Sequence[Site]) -> np.ndarray:
        """Return (n_dims, fit), false for the dimensions of empty entries, given arrays (fit, ...) before padding."""
        present = padded_lengths(self.axes, arrays, n_before=1)
        masks = [np.ones(site.shape, bool) for site in sites]
        for mask, site in zip(masks, sites, strict=True):
            for place, axis in self._padded(self.axes.sites.get(site.name)):
                mask &= along(np.arange(self.lengths[axis]) < present[axis], place, n_axes=mask.ndim)
        n_fits = len(next(iter(named_leaves(arrays).values())))
        return np.repeat(np.concatenate([mask.ravel() for mask in masks])[:, None], n_fits, axis=1)

    def crop(self, values: Mapping[str, np.ndarray], arrays: PyTree) -> dict[str, np.ndarray]:
        """Return values (fit, chain, draw, *site) by site without the empty entries, given arrays before padding."""
        present = padded_lengths(self.axes, arrays, n_before=1)
        cropped = {}
        for name, value in values.items():
            kept = [slice(None)] * value.ndim
            for place, axis in self._padded(self.axes.sites.get(name)):
                kept[3 + place] = slice(present[axis])
            cropped[name] = value[tuple(kept)]
        return cropped

    def check(self, sites: Sequence[Site]) -> None:
        """Refuse sites that cannot be padded as the model says.

        Raises:
            StudyError: names the site.
        """
        for site in sites:
            names = self.axes.sites.get(site.name)
            if names is None:
                continue
            if len(names) != len(site.value_shape):
                raise StudyError(
                    f"axes: the site {site.name!r} has the axes {names}; its shape is {site.value_shape}, of which "
                    "each axis needs a name"
                )
            for place, axis in self._padded(names):
                if site.value_shape[place] != self.lengths[axis]:
                    raise StudyError(
                        f"axes: the site {site.name!r} has {site.value_shape[place]} entries along {axis!r} where the "
                        f"data have {self.lengths[axis]}"
                    )
                if site.shape[: place + 1] != site.value_shape[: place + 1]:
                    raise StudyError(
                        f"axes: the site {site.name!r} cannot be padded along {axis!r}: its constraint makes shape "
                        f"{site.value_shape} of {site.shape} free numbers, so that no number belongs to one entry"
                    )

    def word_index(self, sites: Sequence[Site]) -> list[int]:
        """Return each dimension's counter of random numbers, so that padding moves none.

        What has no padded axis comes first, then what belongs to one entry of the padded axes after the other, site by
        site. Where a site has several, entries are counted in squares that grow, so that no length enters.
        """
        places = [[place for place, _ in self._padded(self.axes.sites.get(site.name))] for site in sites]
        in_entry = [math.prod(np.delete(site.shape, at)) for site, at in zip(sites, places, strict=True)]
        n_shared = sum(site.size for site, at in zip(sites, places, strict=True) if not at)
        n_in_entry = sum(n for n, at in zip(in_entry, places, strict=True) if at)
        index: list[int] = []
        first_shared, first_in_entry = 0, n_shared
        for site, at, n in zip(sites, places, in_entry, strict=True):
            if at:
                within, entry = _within_and_entry(site.shape, at)
                index += (first_in_entry + entry * n_in_entry + within).ravel().tolist()
                first_in_entry += n
            else:
                index += range(first_shared, first_shared + site.size)
                first_shared += site.size
        return index

    def _padded(self, names: Sequence[str] | None) -> list[tuple[int, str]]:
        """Return the padded axes among the names of an array's axes, each with its place."""
        return [(place, name) for place, name in enumerate(names or ()) if name in self.axes.padded]

    def _refuse_unnamed(self, model: Model, example: PyTree) -> None:
        """Refuse a model with a site that grows with a padded axis without saying so: it would be left unmasked."""
        longer = Padding(axes=self.axes, lengths={name: n + 1 for name, n in self.lengths.items()})

        def values(data: PyTree) -> dict[str, Any]:
            return {name: site["value"] for name, site in latent_sites(model, data).items()}

        shapes, grown = (
            {name: value.shape for name, value in jax.eval_shape(values, p.fill(example, n_before=0)).items()}
            for p in (self, longer)
        )
        for name, shape in shapes.items():
            if shape != grown.get(name) and name not in self.axes.sites:
                raise StudyError(
                    f"axes: the site {name!r} grows with the padded axis {', '.join(map(repr, self.axes.padded))}; "
                    "name its axes"
                )


def _within_and_entry(shape: tuple[int, ...], padded: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Return for each number of a site its place within its entry, and the number of the entry, both of the shape."""
    at = np.indices(shape)
    entry = reduce(_paired, [at[place] for place in padded])
    within = np.zeros(shape, int)
    for place in sorted(set(range(len(shape))) - set(padded)):
        within = within * shape[place] + at[place]
    return within, entry


def _paired(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return a number from 0 up for each pair of such numbers, counted along growing squares (Szudzik 2006)."""
    return np.where(first < second, second * second + first, first * first + first + second)
