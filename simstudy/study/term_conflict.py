"""Prior-data conflict of sums of terms: where the cells lie, and how far the levels of each factor are apart.

Data sets are drawn from the priors on the cells of the given one, and statistics of both are compared as ``conflict``
says. A conflict of where the cells lie is told of the intercept; one of how far apart the averages of a factor's levels
are, of the scale of its term.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from simstudy.models.additive import AdditiveModel
from simstudy.models.design import CellData
from simstudy.models.estimands import MU, Parameter
from simstudy.models.location import coefficients_in
from simstudy.models.predictor import Term, predictor
from simstudy.study.predictive import SEED, against, prior_draws, reaches_zero

N_DRAWS, MOST_CELLS = 5_000, 2_000
"""Data sets drawn, and cells or levels of a factor beyond which nothing is said, so that a check takes a second."""


def term_conflicts(model: AdditiveModel, data: CellData) -> Iterator[tuple[Parameter, str]]:
    """Yield the parameters whose priors given data contradict, and what is seen where something else was expected."""
    estimated = model.likelihood.group_estimates(data)
    if estimated is None or max(data.design.n_cells, *(f.n_levels for f in data.design.factors)) > MOST_CELLS:
        return
    estimates, variances = estimated
    seen = np.isfinite(variances) & (data.n_obs > 0)
    if not seen.any():
        return
    stream = np.random.default_rng(SEED)
    theta = _drawn(model, data, stream)
    noise = np.sqrt(variances[seen])[:, None] * stream.standard_normal((int(seen.sum()), N_DRAWS))
    observed, predicted = estimates[seen], theta[seen] + noise
    what = (
        "the cells’ means" if model.likelihood.scale == "natural" else "the cells’ estimates on the scale of the link"
    )
    if text := against(f"{what} average", observed.mean(), predicted.mean(0)):
        yield MU, text
    priors = dict(model.priors)
    for term in model.terms:
        if not term.estimated:
            continue
        level = data.design.factor(term.factor).level[seen]
        spread, expected = (_spread(values, level) for values in (observed[:, None], predicted))
        small = reaches_zero(priors[term.estimated[0].name])
        words = f"the averages of the levels of {term.factor} have a standard deviation of"
        if len(np.unique(level)) > 1 and (text := against(words, spread[0], expected, above_only=small)):
            yield term.estimated[0], text


def _drawn(model: AdditiveModel, data: CellData, stream: np.random.Generator) -> np.ndarray:
    """Return (cell, draw) predictors drawn from the priors."""
    values = {name: prior_draws(prior, (N_DRAWS,), number) for number, (name, prior) in enumerate(model.priors)}
    covariates = {name: x[:, None] for name, x in data.covariates}
    location: Any = values["mu"] + sum(b * covariates[x] for x, b in coefficients_in(values).items())
    effects = {term.factor: _effects(term, values, data, stream) for term in model.terms}
    theta = predictor(location, model.terms, effects, data.design, covariates)
    return np.broadcast_to(theta, (data.design.n_cells, N_DRAWS))


def _effects(
    term: Term, values: Mapping[str, np.ndarray], data: CellData, stream: np.random.Generator
) -> Mapping[str, Any]:
    factor = data.design.factor(term.factor)
    z = {part: stream.standard_normal((n, N_DRAWS)) for part, n in term.structure.parts(factor).items()}
    return term.structure.effects(term.values(values), z, term.constants(factor, values["mu"], np), np)


def _spread(values: np.ndarray, level: np.ndarray) -> np.ndarray:
    """Return the (draw,) standard deviations of the averages of (cell, draw) values over the cells of each level."""
    _, at = np.unique(level, return_inverse=True)
    sums = np.zeros((at.max() + 1, values.shape[1]))
    np.add.at(sums, at, values)
    return (sums / np.bincount(at)[:, None]).std(0, ddof=1)
