"""The exact posteriors of sums of terms, as what is known of every number: moments and distributions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from simstudy.models.additive import AdditiveModel
from simstudy.samplers.exact.axis import Axis
from simstudy.samplers.exact.known import KnownMarginals
from simstudy.samplers.exact.marginal import Marginal, SincMixture, Transformed
from simstudy.samplers.exact.terms.design import TermsDesign
from simstudy.samplers.exact.terms.given import base_of
from simstudy.samplers.exact.terms.merging import merged
from simstudy.samplers.exact.terms.outer import OuterPosterior, integrate
from simstudy.samplers.exact.terms.outer_axis import OuterAxis
from simstudy.samplers.exact.terms.scope import Hyperparameters
from simstudy.samplers.exact.terms.spectral import OneData, one_data

_LEAST_WEIGHT = 1e-8  # lighter nodes have no part in a distribution function
_MARGIN = 2  # nodes beyond the outermost


@dataclass(frozen=True, kw_only=True)
class TermsPosterior(KnownMarginals):
    """Exact posteriors of a block of data sets.

    Args:
        log_evidence: (fit,) log of the density of the data.
        error: (fit,) stated error of means and sds, in posterior sds.
        reasons: fit -> why its quadrature cannot be trusted.
        each: the nodes of every fit.
    """

    log_evidence: np.ndarray
    error: np.ndarray
    reasons: Mapping[int, str]
    each: Sequence[OuterPosterior]


def terms_posterior(model: AdditiveModel, hyper: Hyperparameters, arrays: Mapping[str, np.ndarray]) -> TermsPosterior:
    """Return the exact posterior of each data set.

    Args:
        model: with a design.
        hyper: its hyperparameters.
        arrays: statistics of the cells and covariates, leaves (fit, ...).
    """
    each = [data_of(model, hyper, {name: leaf[i] for name, leaf in arrays.items()}) for i in range(len(arrays["n"]))]
    return posterior_of(each, integrate(each))


def posterior_of(each: Sequence[OneData], found: Sequence[OuterPosterior]) -> TermsPosterior:
    """Return what is known of data sets whose nodes are found."""
    numbers = [_numbers(data, posterior) for data, posterior in zip(each, found, strict=True)]
    names = numbers[0].keys()
    return TermsPosterior(
        mean={name: np.stack([one[name][0] for one in numbers]) for name in names},
        sd={name: np.stack([one[name][1] for one in numbers]) for name in names},
        marginals={name: np.stack([one[name][2] for one in numbers]) for name in names},
        log_evidence=np.array([one.log_evidence for one in found]),
        error=np.array([one.error for one in found]),
        reasons={i: one.reason for i, one in enumerate(found) if one.reason is not None},
        each=found,
    )


def data_of(model: AdditiveModel, hyper: Hyperparameters, stats: Mapping[str, np.ndarray]) -> OneData:
    """Return one data set with its design; data sets of one design share it."""
    covariates = {name.removeprefix("x."): x for name, x in stats.items() if name.startswith("x.")}
    key = (model, *(np.ascontiguousarray(x).tobytes() for x in (stats["n"], *covariates.values())))
    if key not in _DESIGNS:
        if len(_DESIGNS) >= _MOST_DESIGNS:
            _DESIGNS.pop(next(iter(_DESIGNS)))
        _DESIGNS[key] = TermsDesign(model, hyper, stats["n"], covariates)
    return one_data(_DESIGNS[key], stats)


_DESIGNS: dict[tuple[object, ...], TermsDesign] = {}
_MOST_DESIGNS = 16  # each holds bases of some hundred nodes


def _numbers(data: OneData, posterior: OuterPosterior) -> dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Return estimand -> mean, sd and marginals, (level,) or ()."""
    design = data.design
    node = design.node(posterior.rows[0].t)
    base = base_of(data, node)
    n = len(base)
    marginals = _gaussian(posterior, base)
    out: dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]] = {}
    at = 0
    for name, shape in design.estimands.items():
        size = int(np.prod(shape))
        here = slice(at, at + size)
        mean, sd = base[here] + posterior.mean[here], posterior.sd[here]
        out[name] = mean.reshape(shape), sd.reshape(shape), _objects(marginals[here], shape)
        at += size
    scalars = _parameters(posterior, design)
    for k, (name, marginal) in enumerate(scalars.items()):
        if marginal is not None:
            out[name] = np.asarray(posterior.mean[n + k]), np.asarray(posterior.sd[n + k]), _objects([marginal], ())
    return out


def _objects(marginals: Sequence[Marginal], shape: tuple[int, ...]) -> np.ndarray:
    out = np.empty(len(marginals), object)
    out[:] = marginals
    return out.reshape(shape)


def _gaussian(posterior: OuterPosterior, base: np.ndarray) -> list[Marginal]:
    """Return the mixture over all nodes of every Gaussian number."""
    weight = np.concatenate([w * row.given.weight for w, row in zip(posterior.weight, posterior.rows, strict=True)])
    heavy = weight > _LEAST_WEIGHT * weight.max()
    mean = np.concatenate([row.given.mean for row in posterior.rows])[heavy]
    variance = np.concatenate([row.given.variance for row in posterior.rows])[heavy]
    return [merged(weight[heavy], mean[:, i], variance[:, i], base[i]) for i in range(len(base))]


def _parameters(posterior: OuterPosterior, design: TermsDesign) -> dict[str, Marginal | None]:
    """Return the marginals of scales, sigma and outer parameters; None of a constant."""
    rows = posterior.rows
    out: dict[str, Marginal | None] = {}
    first, second = rows[0].problem.axes
    for k, scale in enumerate(design.hyper.scales):
        shifts = np.array([design.log_shares(row.t)[k] for row in rows])
        of = _along(posterior, 0, shifts)
        out[scale.name] = Transformed(of=of, forward=first.value, backward=first.coordinate, bounds=first.bounds)
    out["sigma"] = None
    if not second.is_fixed:
        of = _along(posterior, 1, np.zeros(len(rows)))
        out["sigma"] = Transformed(of=of, forward=second.value, backward=second.coordinate, bounds=second.bounds)
    n_ratios = max(len(design.hyper.scales) - 1, 0)
    for a, outer in enumerate(design.outer[n_ratios:], start=n_ratios):
        t, which = np.unique([row.t[a] for row in rows], return_inverse=True)
        weights = np.bincount(which, posterior.weight)
        assert outer.axis is not None
        out[outer.axis.name] = _of_outer(outer, outer.axis, t, weights, posterior.spacing)
    return out


def _of_outer(outer: OuterAxis, axis: Axis, t: np.ndarray, weights: np.ndarray, spacing: float) -> Marginal:
    """Return the distribution of an outer parameter, by its density on even nodes of its own coordinate."""
    first, last = (float(outer.coordinate(np.asarray(end))) for end in (t[0] - spacing, t[-1] + spacing))
    width = outer.stretch * spacing / 2
    u = np.arange(first, last + width, width)
    of_t = np.sinc((outer.place(u)[:, None] - t) / spacing) @ weights / spacing
    density = np.maximum(of_t / outer.slope(u), 0.0)
    of = SincMixture(weights=density / density.sum(), locations=u, widths=np.full(len(u), width))
    return Transformed(of=of, forward=axis.value, backward=axis.coordinate, bounds=axis.bounds)


def _along(posterior: OuterPosterior, a: int, shifts: np.ndarray) -> SincMixture:
    """Return the density of a coordinate of the grids, each moved by its shift."""
    weights, locations, widths = [], [], []
    for weight, row, shift in zip(posterior.weight, posterior.rows, shifts, strict=True):
        of_nodes = weight * row.grid.weights.sum(1 - a)
        heavy = of_nodes > _LEAST_WEIGHT
        weights.append(of_nodes[heavy])
        locations.append(row.grid.coordinates[a][heavy] + shift)
        widths.append(np.full(heavy.sum(), row.grid.spacings[a]))
    return resampled(np.concatenate(weights), np.concatenate(locations), np.concatenate(widths))


def resampled(weights: np.ndarray, locations: np.ndarray, widths: np.ndarray) -> SincMixture:
    """Return the density of many sinc functions on nodes of its own, as far apart as those of the finest are.

    A sum of sinc functions holds no frequencies beyond those of the narrowest, so that such nodes tell all of it
    (Shannon 1949).
    """
    width = float(widths.min())
    nodes = np.arange(locations.min() - _MARGIN * width, locations.max() + (_MARGIN + 1) * width, width)
    density = np.sinc((nodes[:, None] - locations) / widths) @ (weights / widths)
    of_nodes = density * width
    kept = np.flatnonzero(np.abs(of_nodes) > _LEAST_WEIGHT * of_nodes.max())
    of_nodes, nodes = of_nodes[kept[0] : kept[-1] + 1], nodes[kept[0] : kept[-1] + 1]
    return SincMixture(weights=of_nodes / of_nodes.sum(), locations=nodes, widths=np.full(len(nodes), width))
