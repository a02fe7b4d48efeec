"""One data set's estimates: parameters of the covariance with their profiles, coefficients and modes with errors."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from simstudy.models.additive import AdditiveModel
from simstudy.models.hierarchical import HierarchicalModel
from simstudy.samplers.likelihood.coordinates import kind_of
from simstudy.samplers.likelihood.criterion import Data
from simstudy.samplers.likelihood.equations import Solution, solve
from simstudy.samplers.likelihood.frame import Frame
from simstudy.samplers.likelihood.functions import Function, functions_of
from simstudy.samplers.likelihood.optimum import NOT_FOUND, Optimum, minimum, undefined
from simstudy.samplers.likelihood.profile import Profile, profile
from simstudy.samplers.likelihood.rows import Observed
from simstudy.samplers.likelihood.search import Form, Search, curvature

SIGMA = "sigma"
ROUNDING = 1e-13
"""Sums of squares below this share of what they are differences of are rounding."""


@dataclass(frozen=True, kw_only=True)
class Linear:
    """Estimates of linear functions, (value,) each, with standard errors and degrees of freedom, infinite if normal."""

    mean: np.ndarray
    sd: np.ndarray
    df: np.ndarray


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What is estimated of one data set.

    Args:
        reason: why nothing is; empty where something is.
        deviance: minus twice the log likelihood, under REML that of the restricted one.
        parameters: parameter of the covariance that is free -> estimate, NaN where it has no effect.
        profiles: the same -> profile, None where it has no effect.
        linear: estimand -> estimates, one of each group or a single one.
        n_edges: number of parameters at an edge of where they can lie.
        free: values of the frame's free parameters.
        sigma: of the errors.
        coefficients: of the fixed columns by least squares.
        solution: of the mixed-model equations.
    """

    reason: str = ""
    deviance: float = np.nan
    parameters: Mapping[str, float] = field(default_factory=dict)
    profiles: Mapping[str, Profile | None] = field(default_factory=dict)
    linear: Mapping[str, Linear] = field(default_factory=dict)
    n_edges: int = 0
    free: np.ndarray = field(default_factory=lambda: np.empty(0))
    sigma: float = np.nan
    coefficients: np.ndarray = field(default_factory=lambda: np.empty(0))
    solution: Solution | None = None


def estimate(
    model: HierarchicalModel | AdditiveModel,
    frame: Frame,
    observed: Observed,
    arrays: Mapping[str, np.ndarray],
    *,
    restricted: bool,
) -> Estimate:
    """Return the estimates of a data set.

    Args:
        model: a supported one.
        frame: of the data's design.
        observed: what is observed.
        arrays: leaves of the data.
        restricted: whether REML.
    """
    sigma = dict(model.priors).get(SIGMA)
    held = 1.0 if sigma is None else sigma.value if sigma.is_constant else None
    coefficients, residual, beyond = frame.compress(observed)
    data = Data(residual=residual, beyond=beyond, n=observed.n, log_weights=observed.log_weights)
    reason = frame.problem or _without_a_maximum(frame, data, observed, is_held=held is not None)
    if reason:
        return Estimate(reason=reason)
    try:
        search, found = _found(frame, data, held, restricted=restricted)
        if found.reason:
            return Estimate(reason=found.reason)
        return _estimated(model, search, found, coefficients, arrays)
    except np.linalg.LinAlgError:
        return Estimate(reason=NOT_FOUND)


def _without_a_maximum(frame: Frame, data: Data, observed: Observed, *, is_held: bool) -> str:
    """Return why the likelihood has no maximum, or empty."""
    if not np.isfinite(observed.y).all() or not np.isfinite(observed.squares):
        return "the data are not finite"
    if is_held:
        return ""
    if data.n <= frame.n_fixed:
        return (
            f"no observation is left to estimate sigma from: {data.n:g} observations and {frame.n_fixed} fixed effects"
        )
    total = float(data.residual @ data.residual) + data.beyond
    size = float(observed.y @ observed.y) + observed.squares
    if total <= ROUNDING * size * 1e-3 or total == 0:
        return "the data do not vary around the fixed effects: the likelihood grows without end as sigma goes to 0"
    if data.n > frame.n_rows and data.beyond <= ROUNDING * total:
        return "observations do not vary within their cells: the likelihood grows without end as sigma goes to 0"
    if data.n <= frame.n_rows and frame.is_confounded:
        names = " and ".join([*(f.study_name for f in frame.free), SIGMA])
        return f"the design does not tell {names} apart: it has no repeated observations"
    return ""


def _found(frame: Frame, data: Data, held: float | None, *, restricted: bool) -> tuple[Search, Optimum]:
    """Return the minimum, in a search in which sigma is no longer profiled out."""
    total = float(data.residual @ data.residual) + data.beyond
    has_fixed_scale = any(
        kind_of(p) == "scale" and one.fixed.get(p.name, 0.0) > 0
        for one in frame.terms
        for p in one.term.structure.parameters
    )
    form: Form = "held" if held is not None else "free" if has_fixed_scale else "profiled"
    sigma = held if held is not None else 1.0 if form == "profiled" else float(np.sqrt(total / data.n))
    search = Search(frame=frame, data=data, restricted=restricted, form=form, sigma=sigma)
    found = minimum(search)
    if form != "profiled" or found.reason:
        return search, found
    values, _ = search.parameters(found.x)
    point = search.point(found.x)
    sigma = float(np.sqrt(point.squares / point.n))
    absolute = np.array([v * (sigma if f.kind == "scale" else 1) for v, f in zip(values, frame.free, strict=True)])
    search = Search(frame=frame, data=data, restricted=restricted, form="free", sigma=sigma)
    at_edge = np.append(found.at_edge, False)
    return search, Optimum(x=search.moved(absolute, sigma), deviance=found.deviance, at_edge=at_edge)


def _estimated(
    model: HierarchicalModel | AdditiveModel,
    search: Search,
    found: Optimum,
    coefficients: np.ndarray,
    arrays: Mapping[str, np.ndarray],
) -> Estimate:
    frame = search.frame
    values, sigma = search.parameters(found.x)
    moving = np.flatnonzero(~found.at_edge)
    second, of_variance = curvature(search, found.x, moving)
    covariance = 2 * np.linalg.inv(second)
    whole = np.eye(len(found.x))
    whole[np.ix_(moving, moving)] = second
    is_silent = np.zeros(len(found.x), bool)
    is_silent[: len(values)] = undefined(frame, values)
    parameters, profiles = {}, {}
    for i, name in enumerate(search.names):
        parameters[name] = np.nan if is_silent[i] else float(search.natural(i, found.x[i]))
        profiles[name] = None if is_silent[i] else profile(search, found.x, i, whole, found.at_edge)
    solution = solve(frame, search.data.residual, values, sigma**2)
    has_t = search.form != "held"
    variance = search.point(found.x).variance
    spread = (variance, of_variance, covariance) if has_t else None
    functions = functions_of(model, frame, solution, arrays)
    linear = {name: _linear(frame, solution, one, coefficients, spread) for name, one in functions.items()}
    return Estimate(
        deviance=found.deviance,
        parameters=parameters,
        profiles=profiles,
        linear=linear,
        n_edges=int((found.at_edge & ~is_silent).sum()),
        free=values,
        sigma=sigma,
        coefficients=coefficients,
        solution=solution,
    )


def _linear(
    frame: Frame,
    solution: Solution,
    function: Function,
    coefficients: np.ndarray,
    spread: tuple[np.ndarray, np.ndarray, np.ndarray] | None,
) -> Linear:
    """Return the estimates of linear functions.

    Those of fixed coefficients alone have Satterthwaite's degrees of freedom, 2 v^2 / (g' C g), v their variance, g its
    gradient by the parameters of the covariance, C the covariance of these (Kuznetsova, Brockhoff & Christensen 2017).
    """
    of_q = np.linalg.solve(frame.triangle.T, function.fixed.T).T if frame.n_fixed else function.fixed
    rows = np.concatenate([of_q, function.noise], axis=1)
    mean = function.fixed @ coefficients + rows @ solution.mean + function.constant
    sd = np.sqrt(solution.variance(rows))
    df = np.full(len(mean), np.inf)
    if spread is not None:
        variance, of_variance, covariance = spread
        is_fixed = ~function.noise.any(axis=1) & (sd > 0)
        chosen = of_q[is_fixed]
        v = np.einsum("vi,ij,vj->v", chosen, variance, chosen)
        g = np.einsum("vi,kij,vj->vk", chosen, of_variance, chosen)
        df[is_fixed] = 2 * v**2 / np.einsum("vk,kl,vl->v", g, covariance, g)
    return Linear(mean=mean, sd=sd, df=df)
