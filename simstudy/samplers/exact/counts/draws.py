"""Independent draws of (mu, tau, phi) from their exact posterior, by rejection from an interpolation of its nodes.

A node is chosen with its probability and moved by a triangular number along each axis: the density of what results is
the multilinear interpolation of the nodes' probabilities. It is kept with the ratio of the density there, computed
anew, to a little more than that (von Neumann 1951). Where the ratio is larger all draws are made again with more.
"""

import numpy as np

from simstudy.samplers.exact.counts.data import CountData
from simstudy.samplers.exact.counts.joint import NODES, log_densities
from simstudy.samplers.exact.counts.lattice import Lattice

BOUNDS = (1.3, 2.0, 4.0, 16.0)
"""What the ratio of densities may be at most, tried in turn."""
PROPOSALS = 4096
"""At once."""
MIDDLE = NODES // 2


def draw_hyperparameters(
    data: CountData, lattice: Lattice, stream: np.random.Generator, n: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Return n draws of mu, tau and phi, or None where the density between the nodes is far above that at them.

    Args:
        data: the data set.
        lattice: its posterior.
        stream: random numbers.
        n: number of draws.
    """
    proposal = _Proposal(lattice)
    for bound in BOUNDS:
        kept: list[np.ndarray] = []
        n_kept = 0
        while n_kept < n:
            places = proposal.draw(stream)
            mu, t, log_proposal = proposal.at(places)
            ratio = np.exp(_log_density(data, lattice, mu, t) - log_proposal)
            if (ratio > bound).any():
                break
            is_kept = stream.random(PROPOSALS) * bound < ratio
            kept.append(np.stack([mu, *t])[:, is_kept])
            n_kept += int(is_kept.sum())
        else:
            mu, first, second = np.concatenate(kept, axis=1)[:, :n]
            return mu, data.tau.value(first), data.phi.value(second)
    return None


def _log_density(data: CountData, lattice: Lattice, mu: np.ndarray, t: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Return the log posterior density at points."""
    tau, phi, out = data.tau.value(t[0]), data.phi.value(t[1]), np.empty(len(mu))
    log_densities(data.family, *data.classes, data.count, mu, tau, phi, out)
    of_mu = -0.5 * ((mu - data.mu[0]) / data.mu[1]) ** 2 - np.log(data.mu[1] * np.sqrt(2 * np.pi))
    outer = data.tau.log_prior(t[0]) + data.phi.log_prior(t[1]) + data.of_phi(phi)
    return out + of_mu + outer - lattice.log_evidence


class _Proposal:
    """The multilinear interpolation of a lattice's probabilities."""

    def __init__(self, lattice: Lattice):
        self._lattice = lattice
        self._lengths = [len(t) for t in lattice.coordinates]
        # A border without mass: what lies between it and the outermost nodes is interpolated like the rest.
        self._mass = np.zeros((self._lengths[0] + 2, self._lengths[1] + 2, NODES + 2))
        self._mass[lattice.pair[0] + 1, lattice.pair[1] + 1, 1:-1] = lattice.weights
        self._cumulative = np.cumsum(lattice.weights)
        middle, spacing = (np.array(of) for of in lattice.guide)
        middle[tuple(lattice.pair)], spacing[tuple(lattice.pair)] = lattice.peak, lattice.spacing
        self._middle, self._log_spacing = middle, np.log(spacing)

    def draw(self, stream: np.random.Generator) -> np.ndarray:
        """Return places in nodes of tau, phi and mu, (3, proposal)."""
        at = np.searchsorted(self._cumulative, stream.random(PROPOSALS) * self._cumulative[-1], side="right")
        pair, node = np.divmod(np.minimum(at, len(self._cumulative) - 1), NODES)
        places = np.stack([*self._lattice.pair[:, pair], node]).astype(float)
        moves = stream.random((3, PROPOSALS)) - stream.random((3, PROPOSALS))
        free = [length > 1 for length in self._lengths]
        moves[:2] *= np.array(free)[:, None]
        return places + moves

    def at(self, places: np.ndarray) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray], np.ndarray]:
        """Return mu, the coordinates of tau and phi, and the log density of the proposal at places."""
        lattice = self._lattice
        first = places[:2]
        middle = _interpolate(self._middle, np.clip(first, 0, np.array(self._lengths)[:, None] - 1))
        log_spacing = _interpolate(self._log_spacing, np.clip(first, 0, np.array(self._lengths)[:, None] - 1))
        mass = _interpolate(self._mass, places + 1)
        t = [_along(u, p) for u, p in zip(lattice.coordinates, first, strict=True)]
        log_cell = log_spacing + np.log(lattice.spacings).sum()
        with np.errstate(divide="ignore"):
            return middle + np.exp(log_spacing) * (places[2] - MIDDLE), (t[0], t[1]), np.log(mass) - log_cell


def _along(u: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Return the coordinates at places in nodes."""
    return u[0] + place * (u[1] - u[0]) if len(u) > 1 else np.full(len(place), u[0])


def _interpolate(values: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Return the multilinear interpolation of an array at places, (axis, point)."""
    below = [
        np.clip(np.floor(p).astype(int), 0, max(length - 2, 0)) for p, length in zip(places, values.shape, strict=True)
    ]
    total: np.ndarray = np.zeros(places.shape[1])
    for corner in np.ndindex(*[min(2, length) for length in values.shape]):
        index = tuple(b + c for b, c in zip(below, corner, strict=True))
        share = np.ones(places.shape[1])
        for p, b, c, length in zip(places, below, corner, values.shape, strict=True):
            if length > 1:
                share = share * (p - b if c else 1 - (p - b))
        total += share * values[index]
    return total
