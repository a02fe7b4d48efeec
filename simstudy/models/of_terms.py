"""Estimands of an additive model, from draws of its parameters or from their true values.

Draws and truth go through the same functions. Per factor: the effects of its levels; their standard deviation over
the levels at hand (Gelman 2005, Analysis of variance: why it is more important than ever, section 3.5); the share of
their variance in that of the predictor and, where it is on the same scale, of the residual (the intraclass
correlation); and the effect of a level that is not at hand.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from simstudy.models.derived import against_draws
from simstudy.models.design import Design
from simstudy.models.estimands import LOG_LIK, THETA, THETA_NEW, Y_NEW, Estimand, listed
from simstudy.models.likelihoods import Likelihood
from simstudy.models.location import Location, coefficients_in
from simstudy.models.noise import Noise
from simstudy.models.predictor import Term, constants_of, predictor
from simstudy.models.terms.structure import EFFECT

Arrays = Mapping[str, np.ndarray]
NEW_CELL = (
    replace(THETA_NEW, words="the predictor of a cell whose levels are all new"),
    replace(Y_NEW, words="an observation in a cell whose levels are all new"),
)
CELL = replace(THETA, words="the predictor θ of a cell", center=None, spread=None)


def described(location: Location, terms: Sequence[Term], likelihood: Likelihood) -> tuple[Estimand, ...]:
    """Return what ``estimands_of`` returns, declared."""
    each: list[Estimand] = [*location.parameters, *(p for term in terms for p in term.estimated)]
    has_share = len(terms) > 1 or _has_residual(likelihood)
    for term in terms:
        each += _of_factor(term, has_share=has_share)
        each += [replace(one, name=term.name_of(one.name), factor=term.factor) for one in term.structure.derived]
    mean = [] if likelihood.mean is None else [likelihood.mean]
    known = [_of_known(outer, inner) for outer, inner in _with_new_inner(terms)]
    return tuple(listed([_cell(location, terms), *each, *likelihood.parameters, *mean, *known, *NEW_CELL, LOG_LIK]))


def _cell(location: Location, terms: Sequence[Term]) -> Estimand:
    """Return the predictor of a cell, which lies around mu, and tau from it, where a single term makes it."""
    is_single = len(terms) == 1 and not location.covariates and not terms[0].structure.covariates
    is_single &= all(term.structure.layout == "levels" for term in terms)
    spread = terms[0].estimated[0].name if is_single and terms[0].alone and terms[0].estimated else None
    return replace(CELL, center=None if location.covariates else "mu", spread=spread)


def _has_residual(likelihood: Likelihood) -> bool:
    """Whether observations have a variance on the scale of the effects."""
    return likelihood.latent_variance({p.name: np.full(1, p.value) for p in likelihood.every_parameter}) is not None


def _of_factor(term: Term, *, has_share: bool) -> list[Estimand]:
    factor, scales = term.factor, [p.name for p in term.estimated]
    spreads = scales if term.structure.layout == "levels" else []  # else the scale is that of steps, or of neighbors
    out = []
    for k, column in enumerate(term.structure.columns):
        noun = "effects" if column == EFFECT else column.replace("slope_", "slopes on ").replace("slope", "slopes")
        own = column.removeprefix("slope").removeprefix("_")
        out.append(
            Estimand(
                name=f"{column}[{factor}]",
                role="effects",
                symbol=f"u_{factor}" if column == EFFECT else "_".join(filter(None, ["b", own, factor])),
                words=f"the {noun} of {factor}",
                spread=spreads[k] if k < len(spreads) else None,
                on_effect_scale=True,
                factor=factor,
                moves="difference",
            )
        )
    out.append(
        Estimand(
            name=f"sd[{factor}]",
            role="scale",
            symbol=f"sd of u_{factor}",
            words=f"the sd of the effects of {factor} at hand",
            lower=0.0,
            on_effect_scale=True,
            factor=factor,
            moves="difference",
        )
    )
    if scales and has_share:
        words = f"the share of {factor} in the variance"
        out.append(
            Estimand(
                name=f"share[{factor}]",
                role="share",
                symbol=f"ICC_{factor}",
                words=words,
                lower=0.0,
                upper=1.0,
                factor=factor,
                moves="none",
            )
        )
    if term.structure.has_new:
        out.append(
            Estimand(
                name=f"new[{factor}]",
                role="prediction",
                symbol=f"new u_{factor}",
                words=f"the effect of {term.structure.new_words} of {factor}",
                on_effect_scale=True,
                factor=factor,
                moves="difference",
            )
        )
    return out


def _with_new_inner(terms: Sequence[Term]) -> Iterator[tuple[Term, Term]]:
    """Yield the terms of factors and of those nested in them, where a cell with all levels new can be predicted."""
    if not all(term.structure.has_new and not term.structure.covariates for term in terms):
        return
    of_factor = {term.factor: term for term in terms}
    for inner in terms:
        if inner.within in of_factor:
            yield of_factor[inner.within], inner


def _of_known(outer: Term, inner: Term) -> Estimand:
    """Return what is said of a new level of a factor in known levels of the factor that it is nested in."""
    return replace(
        NEW_CELL[0],
        name=f"theta_new[{outer.factor}]",
        symbol=f"new θ_{outer.factor}",
        words=f"the predictor of a new {inner.factor} in a known {outer.factor}",
        factor=outer.factor,
    )


def estimands_of(
    *,
    location: Arrays,
    terms: Sequence[Term],
    values: Arrays,
    white: Mapping[str, Arrays],
    effects: Mapping[str, Arrays],
    scale: Arrays,
    design: Design,
    statistics: Arrays,
    likelihood: Likelihood,
    noise: Noise | Mapping[str, np.ndarray],
) -> dict[str, np.ndarray]:
    """Return estimand -> (fit, chain, draw, *level).

    Args:
        location: ``mu`` and every ``beta[x]``, (fit, chain, draw).
        terms: the addends.
        values: parameters of the terms by the names of the study, (fit, chain, draw).
        white: factor -> part -> (mode, fit, chain, draw) noise that the effects were made of.
        effects: factor -> column -> (level, fit, chain, draw).
        scale: parameters of the likelihood, (fit, chain, draw) or (cell, fit, chain, draw).
        design: of the cells.
        statistics: sufficient statistics and covariates, (fit,) or (fit, cell, ...).
        likelihood: of the model, or of the mechanism for the truth.
        noise: what makes predictions: a stream of random numbers, or the new effects and observation themselves.
    """
    first = {name: against_draws(leaf) for name, leaf in statistics.items()}
    covariates = {name.removeprefix("x."): leaf for name, leaf in first.items() if name.startswith("x.")}
    theta = _predictor(location, terms, effects, design, covariates)
    of_terms = {p.name: values[p.name] for term in terms for p in term.estimated}
    out: dict[str, Any] = {"theta": _last(theta), **location, **of_terms}
    for term in terms:
        of_structure = term.structure.derive(term.values(values), np)
        out |= {term.name_of(name): value for name, value in of_structure.items()}
        for column, of_levels in effects[term.factor].items():
            out[f"{column}[{term.factor}]"] = _last(of_levels)
        first_column = effects[term.factor][term.structure.columns[0]]
        if len(first_column) > 1:
            out[f"sd[{term.factor}]"] = first_column.std(0, ddof=1)
    out |= _shares(terms, values, design, likelihood, scale, location["mu"].ndim)
    out |= {name: _last(value) if value.ndim > location["mu"].ndim else value for name, value in scale.items()}
    if likelihood.mean is not None:
        out[likelihood.mean.name] = likelihood.inverse_link(out["theta"])
    out["log_lik"] = likelihood.log_likelihood(theta, scale, first, xp=np)
    out |= _of_new(location, terms, values, white, effects, design, covariates, noise)
    if "theta_new" in out and isinstance(noise, Noise):
        out["y_new"] = likelihood.new_observation(out["theta_new"], scale, noise)
    return out


def linear_estimands(
    *,
    location: Arrays,
    terms: Sequence[Term],
    values: Arrays,
    white: Mapping[str, Arrays],
    effects: Mapping[str, Arrays],
    design: Design,
    covariates: Arrays,
    noise: Mapping[str, np.ndarray],
) -> dict[str, np.ndarray]:
    """Return the estimands that are linear in location, white noise and new effects, (level, *lane) or (*lane).

    Args:
        location: ``mu`` and every ``beta[x]``, (*lane).
        terms: the addends.
        values: parameters of the terms by the names of the study, (*lane).
        white: factor -> part -> (mode, *lane) noise that the effects were made of.
        effects: factor -> column -> (level, *lane) effects.
        design: of the cells.
        covariates: name -> (cell, 1, ...) with an axis for each of the lanes.
        noise: factor -> (*lane) noise of a new level.
    """
    theta = _predictor(location, terms, effects, design, covariates)
    out: dict[str, Any] = {"theta": theta, **location}
    for term in terms:
        out |= {f"{column}[{term.factor}]": of_levels for column, of_levels in effects[term.factor].items()}
    of_new = _of_new(location, terms, values, white, effects, design, covariates, noise)
    n_axes = location["mu"].ndim
    return out | {name: np.moveaxis(v, -1, 0) if v.ndim > n_axes else v for name, v in of_new.items()}


def _predictor(
    location: Arrays, terms: Sequence[Term], effects: Mapping[str, Arrays], design: Design, covariates: Arrays
) -> np.ndarray:
    """Return the predictor of every cell, (cell, *lane)."""
    at_cells: Any = location["mu"]
    for name, beta in coefficients_in(location).items():
        at_cells = at_cells + beta * covariates[name]
    theta = predictor(at_cells, terms, effects, design, covariates)
    return np.broadcast_to(theta, (design.n_cells, *location["mu"].shape))


def _shares(
    terms: Sequence[Term], values: Arrays, design: Design, likelihood: Likelihood, scale: Arrays, n_axes: int
) -> dict[str, np.ndarray]:
    """Return ``share[factor]``: the prior variance of its effects over that of all terms and the residual."""
    variances: dict[str, Any] = {}
    for term in terms:
        constants = constants_of(term.structure, design.factor(term.factor))
        variances[term.factor] = term.structure.variance(term.values(values), constants, np)
    residual: Any = likelihood.latent_variance(scale)
    if residual is None and len(terms) < 2:
        return {}
    if residual is not None and np.ndim(residual) > n_axes:
        residual = residual.mean(0)  # cells of different variances: that of a cell on average
    of_all: Any = sum(variances.values()) + (0.0 if residual is None else residual)
    with np.errstate(invalid="ignore"):
        return {f"share[{term.factor}]": variances[term.factor] / of_all for term in terms if term.estimated}


def _of_new(
    location: Arrays,
    terms: Sequence[Term],
    values: Arrays,
    white: Mapping[str, Arrays],
    effects: Mapping[str, Arrays],
    design: Design,
    covariates: Arrays,
    noise: Noise | Mapping[str, np.ndarray],
) -> dict[str, np.ndarray]:
    """Return ``new[factor]``, and predictors of a new level in a known one, and of a cell whose levels are all new."""
    out: dict[str, np.ndarray] = {}
    at_means = location["mu"] + sum(beta * covariates[x].mean(0) for x, beta in coefficients_in(location).items())
    theta_new, is_whole = at_means, True
    for term in terms:
        own, constants = term.factor, constants_of(term.structure, design.factor(term.factor))
        of_new = noise.normal() if isinstance(noise, Noise) else noise[own]
        new = term.structure.new_effect(term.values(values), white[own], effects[own], constants, of_new)
        if new is None or term.structure.covariates:
            is_whole = False
        if new is not None:
            out[f"new[{own}]"] = new
            theta_new = theta_new + new
    if not is_whole:
        return out
    out["theta_new"] = theta_new
    for outer, inner in _with_new_inner(terms):
        known = _with_outer(outer, terms, effects, design)
        others = sum(out[f"new[{t.factor}]"] for t in terms if t.factor not in known and t.factor != inner.factor)
        theta = at_means + sum(known.values()) + out[f"new[{inner.factor}]"] + others
        out[f"theta_new[{outer.factor}]"] = _last(theta)
    return out


def _with_outer(
    term: Term, terms: Sequence[Term], effects: Mapping[str, Arrays], design: Design
) -> dict[str, np.ndarray]:
    """Return the effects that a level of a factor stands for, factor -> (level, ...): its own, and those around it."""
    of_factor = {one.factor: one for one in terms}
    out, at, name = {}, np.arange(design.factor(term.factor).n_levels), term.factor
    while name in of_factor:
        out[name] = effects[name][EFFECT][at]
        factor = design.factor(name)
        if factor.within is None or factor.parent is None:
            break
        at, name = factor.parent[at], factor.within
    return out


def _last(of_levels: np.ndarray) -> np.ndarray:
    return np.moveaxis(of_levels, 0, -1)
