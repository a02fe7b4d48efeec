"""The batched No-U-Turn sampler as a study uses it: models padded to a few lengths, all fits in one stream.

A compiled program costs seconds, so data of similar size share one: entries are added along the axes that the model
can have padded, its groups.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import ClassVar

from simstudy.models.model import Model
from simstudy.samplers.nuts.lengths import padded_groups
from simstudy.samplers.nuts.options import MassOptions, default_lanes
from simstudy.samplers.sampler import Program, Sampler
from simstudy.types import PyTree

FITS_PER_LANE = 16  # in a block: with fewer, lanes idle at its end; with more, rows appear late
MODERATE_DIMS = 27  # stands for models of moderate size: a block is planned before its model's dimension is known


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

    def compile(self, model: Model, example: PyTree) -> Program:
        """Compile the sampler for a model, padded along the axes that it can have padded."""
        from simstudy.samplers.nuts.padded import PaddedProgram  # with JAX: not before something is compiled

        return PaddedProgram(self, model, example)
