"""The exact posteriors of sums of terms as a program: what is known, and draws for what is not."""

import numpy as np

from simstudy.models.additive import AdditiveModel
from simstudy.samplers.exact.terms.draws import draw
from simstudy.samplers.exact.terms.outer import integrate
from simstudy.samplers.exact.terms.posterior import data_of, posterior_of
from simstudy.samplers.exact.terms.scope import hyperparameters
from simstudy.samplers.sampler import Program
from simstudy.types import Draws, PyTree


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
        each = [data_of(self._model, self._hyper, stats) for stats in of_fits]
        found = integrate(each)
        known = posterior_of(each, found)
        sites = [
            draw(self._model, data, posterior, key, stats, self._shape)
            for data, posterior, key, stats in zip(each, found, keys, of_fits, strict=True)
        ]
        joined = {name: np.concatenate([one[name] for one in sites]).astype(self._precision) for name in sites[0]}
        for fit in known.reasons:
            for site in joined.values():
                site[fit] = np.nan
        return Draws(sites=joined, stats=None, reasons=known.reasons, known=known)
