"""How far each mode of a term is centered where its parameterization is ``partial``.

With prior standard deviation s of a mode and q the information of the data on it times s^2, the best share of centering
is near q / (1 + q): 0 where the data say nothing, 1 where they say all (Papaspiliopoulos, Roberts & Skoeld 2007,
section 3). s is not known before the fit; that of the effects that the data show is taken, so any share gives the same
posterior and a good one gives it fast.
"""

import numpy as np

from simstudy.models.design import CellData
from simstudy.models.likelihoods import Likelihood
from simstudy.models.predictor import Term, by_level, constants_of, predictor

LEAST = 1e-6  # of a variance, relative to the information: keeps shares defined where estimates do not vary


def centered_shares(term: Term, data: CellData, likelihood: Likelihood) -> dict[str, np.ndarray]:
    """Return part of the white noise -> (mode,) shares of centering, from 0 to 1.

    Args:
        term: the term.
        data: one data set.
        likelihood: says what each cell tells of its predictor.
    """
    factor = data.design.factor(term.factor)
    estimates, variance = _cell_estimates(data, likelihood)
    precision = 1 / variance
    weight = by_level(precision, factor)
    means = by_level(precision * estimates, factor)[weight > 0] / weight[weight > 0]
    among = float(np.var(means)) + LEAST / float(np.mean(weight))
    p = {parameter.name: np.asarray(parameter.value) for parameter in term.structure.parameters}
    constants = constants_of(term.structure, factor)
    unit = among / float(np.mean(term.structure.variance(p, constants, np)))
    parts = term.structure.parts(factor)
    shares = {}
    for part, n in parts.items():
        z = {other: np.eye(n) if other == part else np.zeros((m, n)) for other, m in parts.items()}
        effects = {term.factor: term.structure.effects(p, z, constants, np)}
        covariates = {name: values[:, None] for name, values in data.covariates}
        moved = np.broadcast_to(predictor(0.0, (term,), effects, data.design, covariates), (len(precision), n))
        q = unit * (precision[:, None] * moved**2).sum(0)
        shares[part] = q / (1 + q)
    return shares


def _cell_estimates(data: CellData, likelihood: Likelihood) -> tuple[np.ndarray, np.ndarray]:
    """Return (cell,) estimates of the predictor and their variances, infinite for an empty cell."""
    found = likelihood.group_estimates(data)
    n = data.n_obs
    estimates, variance = (data.y_mean, 1 / np.maximum(n, 1)) if found is None else found
    is_seen = (n > 0) & np.isfinite(estimates)
    if not (variance[is_seen] > 0).any():  # single observations say nothing of their variance: take that of all
        variance = (np.var(estimates[is_seen]) or 1.0) / np.maximum(n, 1)
    is_known = is_seen & (variance > 0)
    return np.where(is_known, estimates, 0.0), np.where(is_known, variance, np.inf)
