"""The exact posterior of a model for many data sets: moments, quantiles, distribution functions, evidence.

This is the oracle that samplers are held against: what a sampler with endless draws would report.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from simstudy.models.hierarchical import HierarchicalModel
from simstudy.models.model import Model
from simstudy.samplers.exact.grid import Grid
from simstudy.samplers.exact.known import KnownMarginals
from simstudy.samplers.exact.marginal import PointMarginal
from simstudy.samplers.exact.quantities import Quantities
from simstudy.samplers.exact.refinement import grids
from simstudy.samplers.exact.scope import Posteriors, posteriors, supported
from simstudy.types import KnownPosterior, PyTree

_GROUPED = ("theta", "p")
UNKNOWN = PointMarginal(value=np.nan)  # stands for every number of a fit whose quadrature cannot be trusted

Values = Mapping[str, np.ndarray]


@dataclass(frozen=True, kw_only=True)
class ExactPosterior:
    """Exact posteriors of a block of data sets.

    Args:
        mean: estimand -> (fit, *group), NaN where it does not exist.
        sd: estimand -> (fit, *group), NaN where it does not exist.
        log_evidence: (fit,) log of the density of the data, constants of the likelihood included.
        grids: for each fit its grid, or one for each group where groups have posteriors of their own.
        reasons: fit index -> why its quadrature cannot be trusted.
    """

    mean: Values
    sd: Values
    log_evidence: np.ndarray
    grids: Sequence[Sequence[Grid]]
    reasons: Mapping[int, str]
    _quantities: Sequence[tuple[int, int, Quantities]]
    _n_parts: int

    def quantiles(self, probabilities: Sequence[float]) -> dict[str, np.ndarray]:
        """Return the quantiles of every estimand, (fit, *group, probability), probabilities in (0, 1)."""
        return self._known.quantiles(probabilities)

    def hdi(self, level: float) -> dict[str, np.ndarray]:
        """Return the ends of the shortest interval with a probability, (fit, *group, 2)."""
        return self._known.hdi(level)

    def cdf(self, values: Values) -> dict[str, np.ndarray]:
        """Return the posterior probability of less than given values; at the truth this is the PIT.

        Args:
            values: estimand -> (fit, *group).
        """
        return self._known.cdf(values)

    def crps(self, values: Values) -> dict[str, np.ndarray]:
        """Return the continuous ranked probability score at given values, NaN without a mean; shapes as of ``cdf``."""
        return self._known.crps(values)

    @cached_property
    def _known(self) -> KnownMarginals:
        marginals = {name: np.empty(mean.shape, object) for name, mean in self.mean.items()}
        for fit, part, quantities in self._quantities:
            for name, of in marginals.items():
                for at, group in _places(of.shape, fit, part, self._n_parts):
                    of[at] = UNKNOWN if fit in self.reasons else quantities.marginal(name, group)
        return KnownMarginals(mean=self.mean, sd=self.sd, marginals=marginals)


@dataclass(frozen=True)
class JoinedPosterior:
    """Exact posteriors of successive data sets, as one.

    Args:
        parts: posteriors of the same model.
    """

    parts: Sequence[KnownPosterior]

    @cached_property
    def mean(self) -> dict[str, np.ndarray]:
        """Estimand -> (fit, *group)."""
        return _joined([part.mean for part in self.parts])

    @cached_property
    def sd(self) -> dict[str, np.ndarray]:
        """Estimand -> (fit, *group)."""
        return _joined([part.sd for part in self.parts])

    def quantiles(self, probabilities: Sequence[float]) -> dict[str, np.ndarray]:
        """Return the quantiles of every estimand, (fit, *group, probability), probabilities in (0, 1)."""
        return _joined([part.quantiles(probabilities) for part in self.parts])

    def hdi(self, level: float) -> dict[str, np.ndarray]:
        """Return the ends of the shortest interval with a probability, (fit, *group, 2)."""
        return _joined([part.hdi(level) for part in self.parts])

    def cdf(self, values: Values) -> dict[str, np.ndarray]:
        """Return the posterior probability of less than given values, estimand -> (fit, *group)."""
        return _joined([part.cdf(at) for part, at in self._pieces(values)])

    def crps(self, values: Values) -> dict[str, np.ndarray]:
        """Return the continuous ranked probability score at given values, NaN without a mean; shapes as of ``cdf``."""
        return _joined([part.crps(at) for part, at in self._pieces(values)])

    def _pieces(self, values: Values) -> Iterator[tuple[KnownPosterior, dict[str, np.ndarray]]]:
        """Yield every part with its values."""
        start = 0
        for part in self.parts:
            stop = start + len(next(iter(part.mean.values())))
            yield part, {name: value[start:stop] for name, value in values.items()}
            start = stop


def _joined(parts: Sequence[Values]) -> dict[str, np.ndarray]:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def exact_posterior(model: Model, arrays: PyTree) -> ExactPosterior:
    """Return the exact posterior of each data set.

    Args:
        model: a built-in model: normal likelihood (one sigma; one per group under no pooling), known standard errors,
            or binomial, with a Normal prior or a constant for mu and theta, and any priors for tau and sigma.
        arrays: what ``model.arrays`` made.

    Returns:
        Of a normal likelihood: mu, tau, sigma, theta and theta_new, as far as the model has them; of a binomial: mu,
        tau, theta and p. A model that is sampled in a unit of its own has them in that unit (``Model.restored``).

    Raises:
        StudyError: the model has no exact posterior here.
    """
    model = supported(model)
    work = posteriors(model, arrays)
    return posterior_on(grids(work.problem), work, model, by_group=arrays["n"].shape)


def posterior_on(
    found: Sequence[Grid], work: Posteriors, model: HierarchicalModel, *, by_group: tuple[int, int]
) -> ExactPosterior:
    """Return the exact posteriors whose quadratures are done.

    Args:
        found: the grid of every part.
        work: the parts of all data sets.
        model: the model.
        by_group: (fit, group), the shape of an estimand that each group has.
    """
    by_fit = [found[start : start + work.n_parts] for start in range(0, len(found), work.n_parts)]
    shapes = _shapes(model, work, by_group)
    moments = {name: np.empty((*shape, 2)) for name, shape in shapes.items()}
    each = list(_each_part(work, by_fit))
    for fit, part, quantities in each:
        for name, shape in shapes.items():
            for at, group in _places(shape, fit, part, work.n_parts):
                moments[name][at] = quantities.moments(name, group)
    return ExactPosterior(
        mean={name: value[..., 0] for name, value in moments.items()},
        sd={name: value[..., 1] for name, value in moments.items()},
        log_evidence=np.array([sum(grid.log_evidence for grid in each) for each in by_fit]),
        grids=by_fit,
        reasons=reasons_of(by_fit),
        _quantities=each,
        _n_parts=work.n_parts,
    )


def reasons_of(by_fit: Sequence[Sequence[Grid]]) -> dict[int, str]:
    """Return why the quadrature of some fits cannot be trusted, by index."""
    each = ((fit, grid.reason) for fit, parts in enumerate(by_fit) for grid in parts)
    return {fit: reason for fit, reason in each if reason is not None}


def _shapes(model: HierarchicalModel, work: Posteriors, by_group: tuple[int, int]) -> dict[str, tuple[int, ...]]:
    """Return the shape of every estimand of the model."""
    names = [p.name for p in model.structure.parameters if p.name != "theta"] + ["theta"]
    mean = model.likelihood.mean
    names += [mean.name] if mean is not None else ["theta_new", *(p.name for p in model.likelihood.parameters)]
    sigma_by_group = work.n_parts > 1
    with_groups = (*_GROUPED, "sigma") if sigma_by_group else _GROUPED
    return {name: by_group if name in with_groups else by_group[:1] for name in names}


def _each_part(work: Posteriors, by_fit: Sequence[Sequence[Grid]]) -> Iterator[tuple[int, int, Quantities]]:
    for fit, parts in enumerate(by_fit):
        for part, grid in enumerate(parts):
            index = np.array([fit * work.n_parts + part])
            yield fit, part, work.problem.take(index).quantities(grid)


def _places(shape: tuple[int, ...], fit: int, part: int, n_parts: int) -> Iterator[tuple[tuple[int, ...], int]]:
    """Yield the places in an estimand's array that a part fills, and the group in the part that each belongs to."""
    if n_parts > 1:
        yield ((fit, part) if len(shape) > 1 else (fit,)), 0
    elif len(shape) > 1:
        yield from (((fit, group), group) for group in range(shape[1]))
    else:
        yield (fit,), 0
