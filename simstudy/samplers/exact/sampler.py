"""Exact, independent draws from the posterior, where it is known up to a quadrature over two parameters."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from simstudy.model import HierarchicalModel, Model
from simstudy.samplers.exact.cells import draw_parameters
from simstudy.samplers.exact.grid import Grid, grids
from simstudy.samplers.exact.problem import Problem
from simstudy.samplers.exact.scope import posteriors, supported
from simstudy.samplers.exact.stream import stream_of
from simstudy.samplers.sampler import Program, Sampler
from simstudy.types import Draws, PyTree

FITS_AT_ONCE = 16
BATCHES_PER_BLOCK = 8


@dataclass(frozen=True, kw_only=True)
class Exact(Sampler):
    """Independent draws from the exact posterior.

    There is no warm-up, and no option of a Markov chain has an effect: every chain is independent draws. The quadrature
    is in float64 always; ``precision`` is that of the draws.
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
        """Return the program of a model; there is nothing to compile.

        Raises:
            StudyError: the model has no exact posterior; the message says which have.
        """
        return ExactProgram(self, supported(model))


class ExactProgram(Program):
    """Exact draws for one model and data of any shape."""

    compile_seconds = 0.0

    def __init__(self, sampler: Exact, model: HierarchicalModel):
        self._sampler = sampler
        self._model = model
        self._has_groups = _latent_sites(model)

    def sample(self, arrays: PyTree, keys: np.ndarray) -> Draws:
        """Draw from every posterior; a fit whose quadrature cannot be trusted has a reason, and draws of NaN."""
        n_fits, n_groups = arrays["n"].shape
        shape = (n_fits, self._sampler.chains, self._sampler.draws)
        sites = {
            name: np.full((*shape, n_groups) if has_groups else shape, np.nan, self._sampler.precision)
            for name, has_groups in self._has_groups.items()
        }
        reasons: dict[int, str] = {}
        for fit, groups, problem, grid, stream in self._parts(arrays, keys):
            try:
                drawn = self._draws(problem, grid, stream)
            except ArithmeticError as error:
                reasons[fit] = str(error)
                continue
            for name, has_groups in self._has_groups.items():
                into = sites[name][fit, ..., groups] if has_groups else sites[name][fit]
                into[...] = drawn[name].reshape(into.shape)
        return Draws(sites=sites, stats=None, reasons=reasons)

    def _parts(self, arrays: PyTree, keys: np.ndarray) -> Iterator[tuple[int, Any, Problem, Grid, np.random.Generator]]:
        """Yield the parts of all posteriors: fit, index of its groups, problem, grid, random numbers."""
        for start in range(0, len(keys), FITS_AT_ONCE):
            work = posteriors(self._model, {name: x[start : start + FITS_AT_ONCE] for name, x in arrays.items()})
            for number, grid in enumerate(grids(work.problem)):
                fit, part = start + number // work.n_parts, number % work.n_parts
                groups = part if work.n_parts > 1 else slice(None)
                yield fit, groups, work.problem.take(np.array([number])), grid, stream_of(keys[fit], part)

    def _draws(self, problem: Problem, grid: Grid, stream: np.random.Generator) -> dict[str, np.ndarray]:
        if grid.reason is not None:
            raise ArithmeticError(grid.reason)
        n = self._sampler.chains * self._sampler.draws
        first, second = draw_parameters(problem, grid, stream, n)
        on_axes = {axis.name: x for axis, x in zip(problem.axes, (first, second), strict=True)}
        drawn = problem.draw_others(first, second, stream) | on_axes
        return drawn


def _latent_sites(model: HierarchicalModel) -> dict[str, bool]:
    """Return the model's latent sites, and whether each has one value for every group."""
    priors = dict(model.priors)
    free = {name: name == "theta" for name, prior in priors.items() if not prior.is_constant}
    if getattr(model.likelihood, "sigma_by", "shared") == "group" and "sigma" in free:
        free["sigma"] = True
    if model.structure.kind == "partial":
        centered = model.structure.parameterization == "centered"
        free["theta" if centered else "theta_decentered"] = True
    return free
