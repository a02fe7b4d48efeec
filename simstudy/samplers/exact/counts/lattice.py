"""The posterior of (mu, tau, phi) on nodes: an even lattice over the coordinates of (tau, phi), one of mu at each pair.

Laplace's approximation tells where mass lies: a coarse lattice over the whole range is narrowed, zoom by zoom, to what
is within ``DROP`` of the peak. Then the density is exact, and the rule the trapezoid. Taking every second node tells
the error of the wider spacing, about whose square is that of the other (Trefethen & Weideman 2014, theorem 5.1).
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from simstudy.samplers.exact.counts.data import CountData
from simstudy.samplers.exact.counts.joint import NODES, STEP, lattices, peaks
from simstudy.samplers.exact.counts.positive import FIRST, LAST

DROP = 21.0
"""The density is followed down to exp(-21), 8e-10, of its peak; by Laplace's approximation a little further."""
LAPLACE_OFF = 4.0
"""Laplace's approximation may be off by this, where it matters."""
MOMENT_DROP = 19.0
"""What makes second moments is followed to exp(-19), 6e-9, of its peak."""
SCAN_NODES = {1: 28, 2: 18}
"""Of an axis in the search, by the number of axes."""
KEPT = 0.7
"""A range that keeps more than this of itself is found."""
MOST_ZOOMS = 12
FIRST_NODES = {0: (1, 1), 1: (33, 33), 2: (37, 23)}
"""Of tau and of phi, by the number of axes."""
MOVED, ENOUGH = 3e-3, 65
"""Sds by which moments may move by taking every second node, and nodes from which on they may be what they are."""
MOST_NODES = {1: 801, 2: 129}
GROWTH = 1.4
"""Of the number of nodes, where a spacing is too wide."""
EDGE_SHARE = 1e-6
"""With more than this share of the mass at an end of the range the quadrature has failed."""
HALVED_ERROR = 1e-4
"""Share of the mass by which every second node may differ from all: the error of all is about its square."""


@dataclass(frozen=True, kw_only=True)
class Lattice:
    """Nodes of one posterior.

    Args:
        coordinates: (node,) of tau and of phi, evenly spaced; one of a constant.
        pair: (2, pair) places on both of the pairs that have nodes.
        tau: (pair,) values.
        phi: (pair,) values.
        outer: (pair,) log density of the coordinates without what depends on mu.
        peak: (pair,) middle of the lattice of mu.
        spacing: (pair,) its spacing.
        inner: (pair, node) log density along mu.
        of_class: (pair, node, class) log integrals of the groups.
        guide: (node, node) each, middle and spacing of the lattices of mu at all pairs, for draws between them.
        reason: why it cannot be trusted, or None.
    """

    coordinates: tuple[np.ndarray, np.ndarray]
    pair: np.ndarray
    tau: np.ndarray
    phi: np.ndarray
    outer: np.ndarray
    peak: np.ndarray
    spacing: np.ndarray
    inner: np.ndarray
    of_class: np.ndarray
    guide: tuple[np.ndarray, np.ndarray]
    reason: str | None = None

    @property
    def spacings(self) -> list[float]:
        """Distance of the nodes of tau and phi; 1 of a constant."""
        return [float(t[1] - t[0]) if len(t) > 1 else 1.0 for t in self.coordinates]

    @cached_property
    def mu(self) -> np.ndarray:
        """(pair, node) values of mu."""
        return self.peak[:, None] + self.spacing[:, None] * (np.arange(NODES) - NODES // 2)

    @cached_property
    def _log_mass(self) -> np.ndarray:
        return self.inner + (self.outer + np.log(self.spacing) + np.log(self.spacings).sum())[:, None]

    @cached_property
    def log_evidence(self) -> float:
        """Log density of the data, constants of the likelihood left out."""
        peak = self._log_mass.max()
        return float(peak + np.log(np.exp(self._log_mass - peak).sum()))

    @cached_property
    def log_weights(self) -> np.ndarray:
        """(pair, node) log probabilities."""
        return self._log_mass - self.log_evidence

    @cached_property
    def weights(self) -> np.ndarray:
        """(pair, node) probabilities that sum to 1."""
        return np.exp(self.log_weights)

    @property
    def halves(self) -> list[tuple[int, np.ndarray]]:
        """Axis, and weights of the rule on every second of its nodes, for tau, phi and mu as far as they are free."""
        out = []
        for axis in (0, 1):
            if len(self.coordinates[axis]) > 1:
                out.append((axis, self.weights * (2 * (self.pair[axis] % 2 == 0))[:, None]))
        return [*out, (2, self.weights * (2 * (np.arange(NODES) % 2 == 0)))]


def lattice_of(data: CountData) -> Lattice:
    """Return the nodes of a posterior."""
    ends = _ranges(data)
    n_free = sum(not axis.is_fixed for axis in data.axes)
    counts = [1 if axis.is_fixed else n for axis, n in zip(data.axes, FIRST_NODES[n_free], strict=True)]
    while True:
        found = _lattice(data, ends, counts)
        coarse = {axis for axis, weights in found.halves if not abs(weights.sum() - 1) < HALVED_ERROR}
        moved = {axis for axis, weights in found.halves if _moved(found, weights) > MOVED}
        most = {
            a: MOST_NODES[n_free] if a in coarse else min(ENOUGH, MOST_NODES[n_free]) for a in (coarse | moved) - {2}
        }
        grows = [a for a in (coarse | moved) - {2} if counts[a] < most[a]]
        if not grows:
            break
        for a in grows:
            counts[a] = 2 * round(GROWTH * counts[a] / 2) + 1
    return replace(found, reason=_reason(found, coarse))


def _moved(found: Lattice, weights: np.ndarray) -> float:
    """Return by how many sds means and sds of mu, tau and phi differ under other weights."""
    most = 0.0
    for value in (found.mu, found.tau[:, None], found.phi[:, None]):
        mean = (found.weights * value).sum()
        variance = (found.weights * (value - mean) ** 2).sum()
        if variance > 0:
            other = (weights * value).sum() / weights.sum()
            spread = (weights * (value - other) ** 2).sum() / weights.sum()
            most = max(most, abs(other - mean) / np.sqrt(variance), abs(np.sqrt(spread / variance) - 1))
    return float(most)


def _reason(found: Lattice, coarse: set[int]) -> str | None:
    if not np.isfinite(found.log_evidence):
        return "the evidence is not finite: the data are impossible under the model"
    if coarse:
        names = ", ".join(("tau", "phi", "mu")[a] for a in sorted(coarse))
        return f"the quadrature over {names} has not converged with the most nodes"
    for a, t in enumerate(found.coordinates):
        if len(t) > 1:
            share = found.weights[(found.pair[a] == 0) | (found.pair[a] == len(t) - 1)].sum()
            if share > EDGE_SHARE:
                return f"the posterior reaches beyond the range: {share:.1e} of its mass lies at the edge"
    return None


def _ranges(data: CountData) -> np.ndarray:
    """Return the ends of tau's and phi's coordinates, (2, 2); 0 and 0 of a constant."""
    ends = np.array([[0.0, 0.0] if axis.is_fixed else [FIRST, LAST] for axis in data.axes])
    free = [a for a, axis in enumerate(data.axes) if not axis.is_fixed]
    for _ in range(MOST_ZOOMS if free else 0):
        t = [np.linspace(ends[a, 0], ends[a, 1], SCAN_NODES[len(free)] if a in free else 1) for a in (0, 1)]
        value = _laplace(data, t)
        near = _matters(data, t, value)
        settled = True
        for a in free:
            inside = np.flatnonzero(near.any(axis=1 - a))
            low, high = max(inside[0] - 1, 0), min(inside[-1] + 1, len(t[a]) - 1)
            settled &= high - low > KEPT * (len(t[a]) - 1)
            ends[a] = t[a][low], t[a][high]
        if settled:
            break
    return ends


def _laplace(data: CountData, t: list[np.ndarray]) -> np.ndarray:
    """Return Laplace's log density on the product of two axes."""
    first, second = (x.ravel() for x in np.meshgrid(*t, indexing="ij"))
    out = np.empty((3, len(first)))
    tau, phi = data.tau.value(first), data.phi.value(second)
    peaks(data.family, *data.classes, data.count, data.mu, tau, phi, out)
    value = out[2] + _outer(data, first, second)
    return np.where(np.isnan(value), -np.inf, value).reshape(len(t[0]), len(t[1]))


def _outer(data: CountData, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return data.tau.log_prior(first) + data.phi.log_prior(second) + data.of_phi(data.phi.value(second))


def _lattice(data: CountData, ends: np.ndarray, counts: list[int]) -> Lattice:
    t = [np.linspace(ends[a, 0], ends[a, 1], counts[a]) for a in (0, 1)]
    first, second = (x.ravel() for x in np.meshgrid(*t, indexing="ij"))
    place = np.stack([x.ravel() for x in np.meshgrid(*map(np.arange, counts), indexing="ij")])
    tau, phi, outer = data.tau.value(first), data.phi.value(second), _outer(data, first, second)
    found = np.empty((3, len(first)))
    peaks(data.family, *data.classes, data.count, data.mu, tau, phi, found)
    value = np.where(np.isnan(found[2] + outer), -np.inf, found[2] + outer)
    near = _matters(data, t, value.reshape(counts)).ravel()
    guide = (found[0].reshape(counts).copy(), STEP * found[1].reshape(counts))
    tau, phi, outer, peak, sd = tau[near], phi[near], outer[near], found[0, near], found[1, near]
    spacing, inner = STEP * sd, np.empty((len(tau), NODES))
    of_class = np.empty((len(tau), NODES, len(data.count)))
    lattices(data.family, *data.classes, data.count, data.mu, tau, phi, peak, spacing, inner, of_class)
    return Lattice(
        coordinates=(t[0], t[1]),
        pair=place[:, near],
        tau=tau,
        phi=phi,
        outer=outer,
        peak=peak,
        spacing=spacing,
        inner=inner,
        of_class=of_class,
        guide=guide,
    )


def _matters(data: CountData, t: list[np.ndarray], value: np.ndarray) -> np.ndarray:
    """Return which pairs are near enough to the peak of the density, or of what makes the second moments."""
    if not np.isfinite(value.max()):
        return np.ones(value.shape, bool)  # impossible data: what is found says so
    near = value > value.max() - DROP - LAPLACE_OFF
    for a, axis in enumerate(data.axes):
        if axis.is_fixed or len(t[a]) < 2:
            continue
        log_value = 2 * np.log(np.maximum(axis.value(t[a]), np.finfo(float).tiny))
        integrand = value + (log_value[:, None] if a == 0 else log_value[None, :])
        profile = integrand.max(axis=1 - a)
        if profile.argmax() < len(t[a]) - 1:
            near |= integrand > integrand.max() - MOMENT_DROP
    return near
