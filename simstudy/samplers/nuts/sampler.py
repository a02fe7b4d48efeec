"""The batched No-U-Turn sampler as a study uses it: models padded to a few lengths, all fits in one stream.

A compiled program costs seconds, so data of similar size share one: entries are added along the axes that the model
can have padded, its groups.
"""

from bisect import bisect_left
from collections.abc import Hashable
from dataclasses import dataclass, fields
from typing import ClassVar

import jax
import numpy as np

from simstudy.models.density import density_of
from simstudy.models.model import Model
from simstudy.samplers.nuts.options import MassOptions, NUTSOptions, default_lanes
from simstudy.samplers.nuts.padding import Padding
from simstudy.samplers.nuts.program import NUTSProgram
from simstudy.samplers.precision import as_leaves, use_precision
from simstudy.samplers.sampler import Program, Sampler
from simstudy.types import Draws, PyTree, SamplerStats

PADDED_GROUPS = (4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024)
FITS_PER_LANE = 16  # in a block: with fewer, lanes idle at its end; with more, rows appear late
MODERATE_DIMS = 27  # stands for models of moderate size: a block is planned before its model's dimension is known
SHORT_STRIDE, LONG_STRIDE = 2, 3  # log2 leapfrogs of a macro-step, for trajectories of about 4 and for longer ones


@dataclass(frozen=True, kw_only=True)
class NUTS(MassOptions, Sampler):
    """No-U-Turn sampler over many fits at once, with the algorithm and the defaults of NumPyro's."""

    kind: ClassVar[str] = "nuts"
    words: ClassVar[str] = "NUTS, batched"

    @property
    def fits_at_once(self) -> int:
        """Fits whose chains fill the lanes of a program of moderate size."""
        return max(1, default_lanes(MODERATE_DIMS) // self.chains)

    @property
    def fits_per_block(self) -> int:
        """Fits that keep every lane busy for a while."""
        return self.fits_at_once * FITS_PER_LANE

    def program_shape(self, model: Model, shape: Hashable) -> Hashable:
        """Return the shape with its padded axes as long as a program has them."""
        return model.padded_shape(shape, padded_groups)

    def compile(self, model: Model, example: PyTree) -> "PaddedProgram":
        """Compile the sampler for a model, padded along the axes that it can have padded."""
        return PaddedProgram(self, model, example)


class PaddedProgram(Program):
    """A compiled sampler for one model; data of any lengths up to the padded ones go through it."""

    def __init__(self, sampler: NUTS, model: Model, example: PyTree):
        self._sampler = sampler
        with use_precision(sampler.precision):
            self._padding = Padding.of(model, as_leaves(example, sampler.precision), padded_groups)
            padded = self._padding.fill(example, n_before=0)
            self._density = density_of(model, as_leaves(padded, sampler.precision))
            self._padding.check(self._density.sites)
            self._program = NUTSProgram(
                self._density.log_density,
                self._density.n_dims,
                _options(sampler, model),
                word_index=self._padding.word_index(self._density.sites),
            )
            self._program.compile(padded)
        self.compile_seconds = self._program.compile_seconds

    def sample(self, arrays: PyTree, keys: np.ndarray) -> Draws:
        """Draw from every posterior; lanes take the next fit as they fall free."""
        padded = self._padding.fill(arrays)
        fits = self._program.sample(
            jax.tree.map(lambda leaf: np.moveaxis(leaf, 0, -1), padded),
            keys,
            dim_mask=self._padding.dim_mask(arrays, self._density.sites),
        )
        with use_precision(self._sampler.precision):
            sites = self._density.constrain(fits.draws, as_leaves(padded, self._sampler.precision))
        return Draws(
            sites=self._padding.crop(sites, arrays),
            stats=SamplerStats(
                diverging=fits.diverging,
                accept_prob=fits.accept_prob,
                num_steps=fits.num_steps,
                energy=fits.energy,
                step_size=fits.step_size,
                n_leapfrog_warmup=fits.n_leapfrog_warmup,
                max_treedepth=self._sampler.told_treedepth,
            ),
            reasons=fits.reasons,
        )


def padded_groups(n_groups: int) -> int:
    """Return the number of groups that a model of so many is padded to.

    >>> padded_groups(5), padded_groups(8), padded_groups(2000)
    (8, 8, 2000)
    """
    place = bisect_left(PADDED_GROUPS, n_groups)
    return PADDED_GROUPS[place] if place < len(PADDED_GROUPS) else n_groups


def _options(sampler: NUTS, model: Model) -> NUTSOptions:
    shared = {field.name: getattr(sampler, field.name) for field in fields(MassOptions)}
    return NUTSOptions(**shared, stride=SHORT_STRIDE if model.has_short_trajectories else LONG_STRIDE)
