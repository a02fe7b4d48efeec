"""The trapezoid rule over the outer coordinates, on a lattice that is refined where a posterior lies.

All data sets share the lattice, so that what belongs to the design is computed once, and none depends on the others.
From a lattice over the whole range nodes are followed that may matter, and the spacing is halved until the rule on
every second node gives the same evidence, and the same means and standard deviations, within the error allowed.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from simstudy.samplers.exact.grid import Grid
from simstudy.samplers.exact.refinement import grids
from simstudy.samplers.exact.terms.given import Given, given
from simstudy.samplers.exact.terms.spectral import OneData, SpectralProblem, spectral_problem

FINEST = 32
"""Steps of the finest lattice in a unit of an outer coordinate."""
REACH = 4
"""Largest absolute outer coordinate."""
DROPS = {32: 150.0, 16: 40.0}
"""Steps of a lattice -> how far below the peak a log density is followed: between coarse nodes a peak may hide."""
DROP = 18.0
FIRST_JUDGED = 16
"""Steps of the coarsest lattice that may be fine enough."""
EVIDENCE_ERROR = 0.01
LARGEST_ERROR = 0.01
"""Posterior standard deviations by which a mean or sd on every second node may differ; a fit beyond it is refused."""
NEGLIGIBLE = 1e-7
ROWS_AT_ONCE = 512
Place = tuple[int, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Row:
    """A data set at outer coordinates.

    Args:
        data: the data set.
        t: outer coordinates.
        problem: of this row.
        grid: its posterior of total and sigma.
        log_density: of data and outer coordinates.
    """

    data: OneData
    t: tuple[float, ...]
    problem: SpectralProblem
    grid: Grid
    log_density: float

    @cached_property
    def given(self) -> Given:
        """All Gaussian numbers at the nodes of the grid."""
        return given(self.data, self.data.design.node(self.t), self.problem, self.grid)

    @cached_property
    def moments(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean and mean square of every Gaussian number less its base, then of scales, sigma and other parameters."""
        g = self.given
        means = [g.weight @ g.mean]
        squares = [g.weight @ (g.variance + g.mean**2)]
        first, second = (axis.value(u) for axis, u in zip(self.problem.axes, self.grid.coordinates, strict=True))
        design = self.data.design
        factors = np.exp(design.log_shares(self.t))
        for power, into in ((1, means), (2, squares)):
            of_total = self.grid.moment(first[:, None] ** power) if len(factors) else 0.0
            others = np.array([float(a.value(np.asarray(x))) for a, x in zip(design.outer, self.t, strict=True)])
            into += [
                of_total * factors**power,
                np.atleast_1d(self.grid.moment(second[None, :] ** power)),
                others[max(len(factors) - 1, 0) :] ** power,
            ]
        return np.concatenate(means), np.concatenate(squares)


@dataclass(frozen=True, kw_only=True)
class OuterPosterior:
    """The posterior of one data set.

    Args:
        rows: nodes that matter.
        weight: (row,) that sum to 1.
        spacing: of the outer coordinates.
        log_evidence: log of the density of the data.
        mean: of all numbers, as ``Row.moments``.
        sd: of all numbers.
        error: largest difference of the rule on every second node, in posterior sds.
        reason: why the quadrature cannot be trusted, or None.
    """

    rows: Sequence[Row]
    weight: np.ndarray
    spacing: float
    log_evidence: float
    mean: np.ndarray
    sd: np.ndarray
    error: float
    reason: str | None


def integrate(each: Sequence[OneData]) -> list[OuterPosterior]:
    """Return the posterior of every data set of one model; none depends on the others."""
    searches = [_Search(data) for data in each]
    while active := [search for search in searches if search.wanted]:
        asked = [(search, place) for search in active for place in search.wanted]
        for start in range(0, len(asked), ROWS_AT_ONCE):
            some = asked[start : start + ROWS_AT_ONCE]
            problem = spectral_problem([(search.data, search.at(place)) for search, place in some])
            for i, (grid, (search, place)) in enumerate(zip(grids(problem), some, strict=True)):
                search.found[place] = search.row(place, problem.take(np.array([i])), grid)
        for search in active:
            search.go_on()
    return [search.result() for search in searches]


class _Search:
    """The lattice of one data set."""

    def __init__(self, data: OneData):
        self.data = data
        self.n_axes = len(data.design.outer)
        self.step = FINEST
        self.found: dict[Place, Row] = {}
        side = range(-REACH * FINEST, REACH * FINEST + 1, self.step)
        self.wanted: list[Place] = list(itertools.product(side, repeat=self.n_axes))
        self.error = 0.0

    def at(self, place: Place) -> tuple[float, ...]:
        """Return the outer coordinates of a place."""
        return tuple(i / FINEST for i in place)

    def row(self, place: Place, problem: SpectralProblem, grid: Grid) -> Row:
        """Return what is known at a place."""
        t = self.at(place)
        log_density = grid.log_evidence + self.data.design.log_density(t)
        return Row(data=self.data, t=t, problem=problem, grid=grid, log_density=log_density)

    def go_on(self) -> None:
        """Ask for more places, or for none."""
        self.wanted = []
        if self.n_axes and not self._is_fine() and self.step > 1:
            near = self._kept(DROPS.get(self.step, DROP))
            self.step //= 2
            around = list(itertools.product((-self.step, 0, self.step), repeat=self.n_axes))
            most = REACH * FINEST
            places = {tuple(i + d for i, d in zip(p, move, strict=True)) for p in near for move in around}
            self.wanted = sorted(p for p in places - self.found.keys() if max(map(abs, p)) <= most)

    def result(self) -> OuterPosterior:
        """Return the posterior on the last lattice."""
        weights, log_evidence = self._weights(self.step)
        places = [p for p, w in weights.items() if w > NEGLIGIBLE]
        weight = np.array([weights[p] for p in places])
        rows = [self.found[p] for p in places]
        mean, sd = self._moments(weights)
        return OuterPosterior(
            rows=rows,
            weight=weight / weight.sum(),
            spacing=self.step / FINEST,
            log_evidence=log_evidence,
            mean=mean,
            sd=sd,
            error=self.error,
            reason=self._reason(rows, weights),
        )

    def _reason(self, rows: Sequence[Row], weights: Mapping[Place, float]) -> str | None:
        inner = next((row.grid.reason for row in rows if row.grid.reason is not None), None)
        if inner is not None:
            return inner
        most = REACH * FINEST
        if any(w > 1e-6 for p, w in weights.items() if p and max(map(abs, p)) == most):
            return "the posterior of the terms' shares or correlations reaches beyond the lattice"
        if self.error > LARGEST_ERROR:
            return (
                f"the quadrature has not converged: half of its nodes move a moment by {self.error:.2g} posterior sds"
            )
        return None

    def _kept(self, drop: float) -> list[Place]:
        peak = max(row.log_density for row in self.found.values())
        return [p for p, row in self.found.items() if row.log_density > peak - drop and self._is_on(p, self.step)]

    def _is_fine(self) -> bool:
        if self.step > FIRST_JUDGED:
            return False
        all_nodes, evidence = self._weights(self.step)
        halves = [self._weights(self.step, a) for a in range(self.n_axes)]
        if max(abs(half - evidence) for _, half in halves) > EVIDENCE_ERROR:
            self.error = np.inf
            return False
        mean, sd = self._moments(all_nodes)
        self.error = 0.0
        for nodes, _ in halves:
            half_mean, half_sd = self._moments(nodes)
            with np.errstate(invalid="ignore", divide="ignore"):
                moved = np.maximum(np.abs(half_mean - mean), np.abs(half_sd - sd)) / sd
            self.error = max(self.error, float(np.nanmax(np.where(sd > 0, moved, 0.0), initial=0.0)))
        return self.error <= LARGEST_ERROR

    def _weights(self, step: int, halved: int | None = None) -> tuple[dict[Place, float], float]:
        """Return the weights of the places of a lattice, of which one axis may have every second node; and evidence."""
        steps = [2 * step if a == halved else step for a in range(self.n_axes)]
        places = [p for p in self.found if all(i % s == 0 for i, s in zip(p, steps, strict=True))]
        log_density = np.array([self.found[p].log_density for p in places])
        peak = log_density.max()
        each = np.exp(log_density - peak)
        cell = float(np.prod([s / FINEST for s in steps]))
        return dict(zip(places, each / each.sum(), strict=True)), float(peak + np.log(each.sum() * cell))

    def _is_on(self, place: Place, step: int) -> bool:
        return all(i % step == 0 for i in place)

    def _moments(self, weights: Mapping[Place, float]) -> tuple[np.ndarray, np.ndarray]:
        heavy = {p: w for p, w in weights.items() if w > NEGLIGIBLE}
        total = sum(heavy.values())
        mean = sum(w / total * self.found[p].moments[0] for p, w in heavy.items())
        square = sum(w / total * self.found[p].moments[1] for p, w in heavy.items())
        return np.asarray(mean), np.sqrt(np.maximum(square - mean**2, 0.0))
