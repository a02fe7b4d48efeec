"""Exact, independent draws from the posterior, where it is known up to a quadrature over two parameters."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from simstudy.models.additive import AdditiveModel
from simstudy.models.hierarchical import HierarchicalModel
from simstudy.models.model import GROUP, Model
from simstudy.samplers.exact.cells import draw_coordinates
from simstudy.samplers.exact.counts.scope import is_of_counts
from simstudy.samplers.exact.counts.scope import supported as supported_counts
from simstudy.samplers.exact.posterior import ExactPosterior, JoinedPosterior, posterior_on
from simstudy.samplers.exact.refinement import grids
from simstudy.samplers.exact.scope import posteriors, supported
from simstudy.samplers.exact.stream import stream_of
from simstudy.samplers.exact.terms.program import TermsProgram
from simstudy.samplers.exact.terms.scope import hyperparameters
from simstudy.samplers.sampler import Program, Sampler
from simstudy.types import Draws, PyTree

FITS_AT_ONCE = 32
BATCHES_PER_BLOCK = 4
MISSED_PEAK = "the density between the nodes of the grid is far above that at the nodes"


@dataclass(frozen=True, kw_only=True)
class Exact(Sampler):
    """Independent draws from the exact posterior, and its means, standard deviations and distribution functions.

    There is no warm-up, and no option of a Markov chain has an effect: every chain is independent draws. The quadrature
    is in float64 always; ``precision`` is that of the draws.
    """

    kind: ClassVar[str] = "exact"
    words: ClassVar[str] = "independent exact draws by quadrature"
    has_trajectories: ClassVar[bool] = False
    is_exact: ClassVar[bool] = True

    @property
    def fits_at_once(self) -> int:
        """Data sets whose quadratures go on together."""
        return FITS_AT_ONCE

    @property
    def fits_per_block(self) -> int:
        """A few seconds of work."""
        return FITS_AT_ONCE * BATCHES_PER_BLOCK

    def arrays(self, model: Model, data: Sequence[Any]) -> PyTree:
        """Return statistics of single cells."""
        return model.cell_arrays(data)

    def check(self, model: Model) -> None:
        """Refuse models without an exact posterior."""
        if is_of_counts(model):
            supported_counts(model)
        elif isinstance(model.sampled, AdditiveModel):
            hyperparameters(model.sampled)
        else:
            supported(model)

    def compile(self, model: Model, example: PyTree) -> Program:
        """Return the program of a model; there is nothing to compile.

        Raises:
            StudyError: the model has no exact posterior; the message says which have.
        """
        if is_of_counts(model):
            from simstudy.samplers.exact.counts.program import CountProgram  # Numba is slow to import

            return CountProgram(self, model)
        if isinstance(model.sampled, AdditiveModel):
            return TermsProgram(model.sampled, n_chains=self.chains, n_draws=self.draws, precision=self.precision)
        return ExactProgram(self, supported(model))


class ExactProgram(Program):
    """Exact draws for one model and data of any shape."""

    compile_seconds = 0.0

    def __init__(self, sampler: Exact, model: HierarchicalModel):
        self._sampler = sampler
        self._model = model
        self._has_groups = {name: GROUP in axes for name, axes in model.axes.sites.items()}

    def sample(self, arrays: PyTree, keys: np.ndarray) -> Draws:
        """Draw from every posterior; a fit whose quadrature cannot be trusted has a reason, and draws of NaN."""
        n_fits, n_groups = arrays["n"].shape
        shape = (n_fits, self._sampler.chains, self._sampler.draws)
        sites = {
            name: np.full((*shape, n_groups) if has_groups else shape, np.nan, self._sampler.precision)
            for name, has_groups in self._has_groups.items()
        }
        reasons: dict[int, str] = {}
        known = []
        for start in range(0, n_fits, FITS_AT_ONCE):
            fits = slice(start, start + FITS_AT_ONCE)
            some = {name: site[fits] for name, site in sites.items()}
            why, exactly = self._draw({name: value[fits] for name, value in arrays.items()}, keys[fits], some)
            reasons |= {start + fit: reason for fit, reason in why.items()}
            known.append(exactly)
        return Draws(sites=sites, stats=None, reasons=reasons, known=JoinedPosterior(known))

    def _draw(
        self, arrays: PyTree, keys: np.ndarray, into: dict[str, np.ndarray]
    ) -> tuple[dict[int, str], ExactPosterior]:
        """Fill the sites of some fits with draws; return why some have none, and what is known of all."""
        work = posteriors(self._model, arrays)
        problem, found = work.problem, grids(work.problem)
        streams = [stream_of(key, part) for key in keys for part in range(work.n_parts)]
        n = self._sampler.chains * self._sampler.draws
        reasons: dict[int, str] = {}
        for number, u in enumerate(draw_coordinates(problem, found, streams, n)):
            fit, part = divmod(number, work.n_parts)
            reason = found[number].reason or (MISSED_PEAK if u is None else None)
            if u is None or reason is not None:
                reasons[fit] = str(reason)
                continue
            values = [axis.value(one) for axis, one in zip(problem.axes, u, strict=True)]
            drawn = problem.take(np.array([number])).draw_others(values[0], values[1], streams[number])
            drawn |= {axis.name: value for axis, value in zip(problem.axes, values, strict=True)}
            for name, has_groups in self._has_groups.items():
                target = into[name][fit, ..., part] if has_groups and work.n_parts > 1 else into[name][fit]
                target[...] = drawn[name].reshape(target.shape)
        return reasons, posterior_on(found, work, self._model, by_group=arrays["n"].shape)
