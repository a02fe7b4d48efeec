"""A model padded to a few lengths, and the program of the batched sampler that serves all data up to them."""

from __future__ import annotations

from dataclasses import fields

import jax
import numpy as np

from simstudy.models.density import density_of
from simstudy.models.model import Model
from simstudy.samplers.nuts.lengths import padded_groups
from simstudy.samplers.nuts.options import MassOptions, NUTSOptions
from simstudy.samplers.nuts.padding import Padding
from simstudy.samplers.nuts.program import NUTSProgram
from simstudy.samplers.precision import as_leaves, use_precision
from simstudy.samplers.sampler import Program
from simstudy.types import Draws, PyTree, SamplerStats

SHORT_STRIDE, LONG_STRIDE = 2, 3  # log2 leapfrogs of a macro-step, for trajectories of about 4 and for longer ones


class PaddedProgram(Program):
    """A compiled sampler for one model; data of any lengths up to the padded ones go through it."""

    def __init__(self, sampler: MassOptions, model: Model, example: PyTree):
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


def _options(sampler: MassOptions, model: Model) -> NUTSOptions:
    shared = {field.name: getattr(sampler, field.name) for field in fields(MassOptions)}
    return NUTSOptions(**shared, stride=SHORT_STRIDE if model.has_short_trajectories else LONG_STRIDE)
