"""Exact, independent draws from the posterior, where it is known up to a quadrature over two parameters."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from simstudy.model import HierarchicalModel, Model
from simstudy.samplers.exact.cells import draw_parameters
from simstudy.samplers.exact.grid import Grid, grids
from simstudy.samplers.exact.posterior import reasons_of
from simstudy.samplers.exact.problem import Problem
from simstudy.samplers.exact.scope import Posteriors, posteriors, supported
from simstudy.samplers.exact.stream import stream_of
from simstudy.samplers.sampler import Program, Sampler, precision
from simstudy.types import Draws, PyTree

FITS_AT_ONCE = 64
BATCHES_PER_BLOCK = 16
_BY_GROUP = ("theta", "theta_decentered")


@dataclass(frozen=True, kw_only=True)
class Exact(Sampler):
    """Independent draws from the exact posterior.

    Every chain is independent draws; there is no warm-up, and no option of a Markov chain has an effect. The quadrature
    is in float64 always, ``precision`` is that of the draws.
    """

    kind: ClassVar[str] = "exact"

    @property
    def fits_at_once(self) -> int:
        """Data sets whose quadratures go on together."""
        return FITS_AT_ONCE

    @property
    def fits_per_block(self) -> int:
        """A few seconds of work."""
        return FITS_AT_ONCE * BATCHES_PER_BLOCK

    def compile(self, model: Model, example: PyTree) -> "ExactProgram":
        """Return the program of a model; nothing has to be compiled."""
        return ExactProgram(self, supported(model))


class ExactProgram(Program):
    """Exact draws for one model, data of any shape."""

    compile_seconds = 0.0

    def __init__(self, sampler: Exact, model: HierarchicalModel):
        self._sampler = sampler
        self._model = model

    def sample(self, arrays: PyTree, keys: np.ndarray) -> Draws:
        """Draw from every posterior."""
        batches = [slice(start, start + FITS_AT_ONCE) for start in range(0, len(keys), FITS_AT_ONCE)]
        sites: list[dict[str, np.ndarray]] = []
        reasons: dict[int, str] = {}
        for fits in batches:
            work = posteriors(self._model, {name: value[fits] for name, value in arrays.items()})
            drawn, why = self._batch(work, keys[fits])
            sites.append(drawn)
            reasons |= {fits.start + i: reason for i, reason in why.items()}
        return Draws(
            sites={name: np.concatenate([one[name] for one in sites]) for name in sites[0]}, stats=None, reasons=reasons
        )

    def _batch(self, work: Posteriors, keys: np.ndarray) -> tuple[dict[str, np.ndarray], dict[int, str]]:
        found = grids(work.problem)
        by_fit = [found[start : start + work.n_parts] for start in range(0, len(found), work.n_parts)]
        reasons = reasons_of(by_fit)
        each: list[dict[str, np.ndarray]] = []
        for fit, parts in enumerate(by_fit):
            ones = [work.problem.take(np.array([fit * work.n_parts + part])) for part in range(work.n_parts)]
            try:
                streams = (stream_of(keys[fit], part) for part in range(work.n_parts))
                drawn = [self._draws(*one) for one in zip(ones, parts, streams, strict=True)]
            except ArithmeticError as error:
                reasons[fit] = str(error)
                drawn = 
