"""The exact posteriors of sums of terms as a program: what is known, and draws for what is not."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from simstudy.models.additive import AdditiveModel
from simstudy.samplers.exact.posterior import JoinedPosterior
from simstudy.samplers.exact.terms.draws import draw
from simstudy.samplers.exact.terms.outer import integrate
from simstudy.samplers.exact.terms.posterior import TermsPosterior, data_of, posterior_of
from simstudy.samplers.exact.terms.scope import hyperparameters
from simstudy.samplers.sampler import Program
from simstudy.types import Draws, PyTree

FITS_AT_ONCE = 8
"""Fits whose nodes are held together: a few hundred megabytes."""


class TermsProgram(Program):
    """Exact posteriors of one model, with the design of its data.

    Args:
        model: with a design.
        n_chains: chains of independent draws.
        n_draws: draws of a chain.
        precision: of the draws.
    """

    compile_seconds = 0.0

    def __init__(self, model: AdditiveModel, *, n_chains: int, n_draws: int, precision: str):
        self._model = model
        self._hyper = hyperparameters(model)
        self._shape = (n_chains, n_draws)
        self._precision = precision

    def sample(self, arrays: PyTree, keys: np.ndarray) -> Draws:
        """Return what is known of every posterior, and draws; a fit that cannot be trusted has a reason and NaN."""
        of_fits = [{name: leaf[i] for name, leaf in arrays.items()} for i in range(len(keys))]
        starts = range(0, len(keys), FITS_AT_ONCE)
        parts = [self._some(of_fits[i : i + FITS_AT_ONCE], keys[i : i + FITS_AT_ONCE]) for i in starts]
        sites = {name: np.concatenate([drawn[name] for drawn, _ in parts]) for name in parts[0][0]}
        reasons = {
            i + fit: why for i, (_, known) in zip(starts, parts, strict=True) for fit, why in known.reasons.items()
        }
        return Draws(sites=sites, stats=None, reasons=reasons, known=JoinedPosterior([known for _, known in parts]))

    def _some(
        self, of_fits: Sequence[Mapping[str, np.ndarray]], keys: np.ndarray
    ) -> tuple[dict[str, np.ndarray], TermsPosterior]:
        """Return draws and posteriors of a few fits, whose nodes are then forgotten."""
        each = [data_of(self._model, self._hyper, stats) for stats in of_fits]
        found = integrate(each)
        known = posterior_of(each, found)
        drawn = [
            draw(self._model, data, posterior, key, stats, self._shape)
            for data, posterior, key, stats in zip(each, found, keys, of_fits, strict=True)
        ]
        sites = {name: np.concatenate([one[name] for one in drawn]).astype(self._precision) for name in drawn[0]}
        for fit in known.reasons:
            for site in sites.values():
                site[fit] = np.nan
        return sites, replace(known, each=())
