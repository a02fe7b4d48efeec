"""The batched No-U-Turn sampler as a study uses it: models padded to a few group counts, all fits in one stream.

A compiled program costs seconds, so models of similar size share one: the groups of a built-in model are padded, and a
padded group has zero momentum, no density and its own random numbers, so that trajectories are those of the unpadded
model.
"""

from bisect import bisect_left
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, ClassVar

import jax
import numpy as np

from simstudy.models.density import LogDensity, density_of
from simstudy.models.hierarchical import HierarchicalModel
from simstudy.models.model import Model
from simstudy.samplers.nuts.options import NUTSOptions, default_lanes
from simstudy.samplers.nuts.program import NUTSProgram
from simstudy.samplers.sampler import Program, Sampler, as_floats, precision
from simstudy.types import Draws, PyTree, SamplerStats

PADDED_GROUPS = (4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024)
FITS_PER_LANE = 16  # in a block: with fewer, lanes idle at its end; with more, rows appear late
MODERATE_DIMS = 27  # stands for models of moderate size: a block is planned before its model's dimension is known
SHORT_STRIDE, LONG_STRIDE = 2, 3  # log2 leapfrogs of a macro-step, for trajectories of about 4 and for longer ones


@dataclass(frozen=True, kw_only=True)
class NUTS(Sampler):
    """No-U-Turn sampler over many fits at once, with the algorithm and the defaults of NumPyro's."""

    kind: ClassVar[str] = "nuts"

    @property
    def fits_at_once(self) -> int:
        """Fits whose chains fill the lanes of a program of moderate size."""
        return max(1, default_lanes(MODERATE_DIMS) // self.chains)

    @property
    def fits_per_block(self) -> int:
        """Fits that keep every lane busy for a while."""
        return self.fits_at_once * FITS_PER_LANE

    def program_shape(self, shape: Hashable) -> Hashable:
        """Return the shape with its number of groups padded, for built-in models on sufficient statistics."""
        return (padded_groups(shape[0]),) if isinstance(shape, tuple) and len(shape) == 1 else shape

    def compile(self, model: Model, example: PyTree) -> "PaddedProgram":
        """Compile the sampler for a model, its groups padded where it has any."""
        return PaddedProgram(self, model, example)


class PaddedProgram(Program):
    """A compiled sampler for one model; data of any number of groups up to the padded one go through it."""

    def __init__(self, sampler: NUTS, model: Model, example: PyTree):
        self._sampler = sampler
        self._pads = isinstance(model, HierarchicalModel) and model.observations == "sufficient"
        self._n_groups = padded_groups(len(example["n"])) if self._pads else 0
        one = jax.tree.map(lambda leaf: np.asarray(leaf)[None], example)
        padded = jax.tree.map(lambda leaf: leaf[0], self._padded(one))
        with precision(sampler.precision) as dtype:
            self._density = density_of(model, as_floats(padded, dtype))
            self._program = NUTSProgram(
                self._density.log_density,
                self._density.n_dims,
                _options(sampler, model),
                word_index=_word_index(self._density) if self._pads else None,
            )
            self._program.compile(padded)
        self.compile_seconds = self._program.compile_seconds

    def sample(self, arrays: PyTree, keys: np.ndarray) -> Draws:
        """Draw from every posterior; lanes take the next fit as they fall free."""
        padded = self._padded(arrays)
        fits = self._program.sample(
            jax.tree.map(lambda leaf: np.moveaxis(leaf, 0, -1), padded), keys, dim_mask=self._dim_mask(padded)
        )
        with precision(self._sampler.precision):
            sites = self._density.constrain(fits.draws, as_floats(padded, fits.draws.dtype.type))
        return Draws(
            sites=self._cropped(sites, arrays),
            stats=SamplerStats(
                diverging=fits.diverging,
                accept_prob=fits.accept_prob,
                num_steps=fits.num_steps,
                energy=fits.energy,
                step_size=fits.step_size,
                n_leapfrog_warmup=fits.n_leapfrog_warmup,
                max_treedepth=self._sampler.max_treedepth,
            ),
            reasons=fits.reasons,
        )

    def _padded(self, arrays: PyTree) -> PyTree:
        """Return the arrays with empty groups added, and the mask that tells them."""
        if not self._pads:
            return arrays
        n_fits, n_groups = arrays["n"].shape
        missing = [(0, 0), (0, self._n_groups - n_groups)]
        padded = {name: np.pad(leaf, missing) if leaf.ndim == 2 else leaf for name, leaf in arrays.items()}
        mask = np.broadcast_to(np.arange(self._n_groups) < n_groups, (n_fits, self._n_groups))
        return padded | {"mask": mask}

    def _dim_mask(self, padded: PyTree) -> np.ndarray | None:
        """Return (n_dims, fit), false for the dimensions of padded groups."""
        if not self._pads:
            return None
        mask = np.ones((self._density.n_dims, len(padded["n"])), bool)
        for site in self._density.sites:
            if site.shape:
                mask[site.dims] = padded["mask"].T
        return mask

    def _cropped(self, sites: dict[str, np.ndarray], arrays: Any) -> dict[str, np.ndarray]:
        """Return the sites without the padded groups."""
        if not self._pads:
            return sites
        n_groups = arrays["n"].shape[1]
        by_group = {site.name for site in self._density.sites if site.shape}
        return {name: value[..., :n_groups] if name in by_group else value for name, value in sites.items()}


def padded_groups(n_groups: int) -> int:
    """Return the number of groups that a model of so many is padded to.

    >>> padded_groups(5), padded_groups(8), padded_groups(2000)
    (8, 8, 2000)
    """
    place = bisect_left(PADDED_GROUPS, n_groups)
    return PADDED_GROUPS[place] if place < len(PADDED_GROUPS) else n_groups


def _options(sampler: NUTS, model: Model) -> NUTSOptions:
    is_short = isinstance(model, HierarchicalModel) and model.structure.kind == "complete"
    return NUTSOptions(
        chains=sampler.chains,
        warmup=sampler.warmup,
        draws=sampler.draws,
        target_accept=sampler.target_accept,
        max_treedepth=sampler.max_treedepth,
        stride=SHORT_STRIDE if is_short else LONG_STRIDE,
        precision=sampler.precision,
    )


def _word_index(density: LogDensity) -> list[int]:
    """Return each dimension's counter: scalars first, then group by group, so that padding moves none."""
    index = np.empty(density.n_dims, int)
    by_group = [site for site in density.sites if site.shape]
    n_scalars = density.n_dims - sum(site.shape[0] for site in by_group)
    index[:n_scalars] = np.arange(n_scalars)
    for k, site in enumerate(by_group):
        index[site.dims] = n_scalars + np.arange(site.shape[0]) * len(by_group) + k
    return index.tolist()
