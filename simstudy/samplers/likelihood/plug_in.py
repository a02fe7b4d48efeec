"""Draws of coefficients and effects at the estimated parameters of the covariance: plug-in, or empirical Bayes.

They are normal, with the covariance of the mixed-model equations, and stand in the sites that the model's own programs
sample, so that estimands without a closed form come of them. The parameters are the same in every draw.
"""

from collections.abc import Mapping

import numpy as np

from simstudy.models.additive import AdditiveModel, sites_of_term
from simstudy.models.hierarchical import HierarchicalModel
from simstudy.models.model import GROUP
from simstudy.models.predictor import Term
from simstudy.samplers.likelihood.estimate import SIGMA, Estimate
from simstudy.samplers.likelihood.frame import Frame
from simstudy.samplers.likelihood.rows import GROUPS

TINY = 1e-150
"""In the place of a standard deviation of 0: centered effects are divided by it."""
Sites = dict[str, np.ndarray]
Name = str | tuple[str, str, int]


def plug_in_sites(
    model: HierarchicalModel | AdditiveModel,
    frame: Frame,
    one: Estimate,
    arrays: Mapping[str, np.ndarray],
    stream: np.random.Generator,
    n: int,
) -> Sites:
    """Return latent site -> (draw, *site).

    Args:
        model: the model.
        frame: of the data's design.
        one: the estimates of a data set.
        arrays: leaves of the data.
        stream: of random numbers.
        n: number of draws.
    """
    assert one.solution is not None  # an estimate without a reason has one; for the type checker
    drawn = one.solution.draws(stream.standard_normal((len(one.solution.mean), n)))
    beside = np.linalg.solve(frame.triangle, drawn[: frame.n_fixed]) if frame.n_fixed else drawn[:0]
    fixed = dict(zip(frame.fixed.names, one.coefficients[:, None] + beside, strict=True))
    noise, start = {}, frame.n_fixed
    for one_term in frame.terms:
        length = one_term.term.structure.n_noise(one_term.factor)
        noise[one_term.term.factor] = drawn[start : start + length]
        start += length
    values = {f.study_name: float(v) for f, v in zip(frame.free, one.free, strict=True)}
    values |= {f.study_name: max(values[f.study_name], TINY) for f in frame.free if f.kind == "scale"}
    if SIGMA in dict(model.priors) and not dict(model.priors)[SIGMA].is_constant:
        values[SIGMA] = one.sigma
    sites: Sites = {name: np.full(n, value) for name, value in values.items()}
    sites |= {name: draws for name, draws in fixed.items() if isinstance(name, str)}
    if isinstance(model, HierarchicalModel):
        return {**sites, **_of_groups(model, sites, fixed, noise)}
    for term in model.terms:
        if term.structure.parameterized:
            sites |= _of_term(term, frame, noise[term.factor], values, arrays)
        else:
            sites |= _of_contrasts(model, term, fixed, n)
    return sites


def _of_groups(
    model: HierarchicalModel, sites: Sites, fixed: Mapping[Name, np.ndarray], noise: Mapping[str, np.ndarray]
) -> Sites:
    """Return the sites of the groups' effects, standardized or as they are."""
    by_group = [name for name, axes in model.axes.sites.items() if GROUP in axes]
    if not by_group:
        return {}
    (name,) = by_group
    if GROUPS not in noise:
        n_groups = sum(isinstance(key, tuple) for key in fixed)
        return {name: np.stack([fixed[GROUPS, "theta", k] for k in range(n_groups)], 1)}
    if name != "theta":
        return {name: noise[GROUPS].T}
    priors = dict(model.priors)
    mu = sites.get("mu", priors["mu"].value if priors["mu"].is_constant else 0.0)
    tau = sites.get("tau", priors["tau"].value if priors["tau"].is_constant else 0.0)
    return {name: (mu + tau * noise[GROUPS]).T}


def _of_term(
    term: Term, frame: Frame, noise: np.ndarray, values: Mapping[str, float], arrays: Mapping[str, np.ndarray]
) -> Sites:
    """Return the sites of a term, centered as its parameterization says."""
    of_frame = next(one for one in frame.terms if one.term.factor == term.factor)
    own = {
        name: np.full(1, values.get(term.name_of(name), of_frame.fixed.get(name, np.nan))) for name in of_frame.names
    }
    constants = term.constants(of_frame.factor, noise, np)
    leaves = {name: leaf[:, None] if np.ndim(leaf) else leaf for name, leaf in arrays.items()}
    return sites_of_term(term, own, term.structure.by_part(of_frame.factor, noise), constants, leaves)


def _of_contrasts(model: AdditiveModel, term: Term, fixed: Mapping[Name, np.ndarray], n: int) -> Sites:
    """Return the sites of a term that is not pooled: its contrasts in units of its fixed spread."""
    (spread,) = (p.name for p in term.parameters)
    prior = dict(model.priors)[spread]
    unit = prior.value if prior.is_constant else 1.0
    sites = {} if prior.is_constant else {spread: np.full(n, unit)}
    assert model.design is not None  # a program's model is bound to its design; for the type checker
    parts = term.structure.parts(model.design.factor(term.factor))
    for part, column in zip(parts, term.structure.columns, strict=True):
        each = [fixed[term.factor, column, k] for k in range(parts[part])]
        sites[term.site(part)] = np.stack(each, 1) / unit
    return sites
