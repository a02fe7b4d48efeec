"""The posterior of one data set on a grid over two coordinates, with the weights of the trapezoid rule."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

EDGE_SHARE = 1e-6  # with more than this share of a moment on the edge of the grid, the moment does not exist


@dataclass(frozen=True, kw_only=True)
class Grid:
    """The posterior of one data set on a grid.

    Args:
        coordinates: (node,) of each axis, evenly spaced; a single one for a constant.
        log_density: (node, node) log joint density of data and coordinates.
        log_evidence: log of its integral.
        reason: why the quadrature cannot be trusted, or None.
    """

    coordinates: tuple[np.ndarray, np.ndarray]
    log_density: np.ndarray
    log_evidence: float
    reason: str | None = None

    @property
    def spacings(self) -> tuple[float, float]:
        """Distance of the nodes of each axis; 1 for a constant."""
        first, second = (float(u[1] - u[0]) if len(u) > 1 else 1.0 for u in self.coordinates)
        return first, second

    @cached_property
    def weights(self) -> np.ndarray:
        """(node, node) probabilities that sum to 1."""
        first, second = self.spacings
        return np.exp(self.log_density - self.log_evidence) * (first * second)

    def moment(self, value: np.ndarray) -> float:
        """Return the posterior mean of a function on the nodes, (node, node) or broadcast; NaN where there is none."""
        terms = self.weights * value
        return float(terms.sum()) if self._edge_share(np.abs(terms)) < EDGE_SHARE else np.nan

    def _edge_share(self, terms: np.ndarray) -> float:
        """Return the largest share of a sum that a side of the grid has."""
        sides = [t for axis in (0, 1) if terms.shape[axis] > 1 for t in (terms.take(0, axis), terms.take(-1, axis))]
        total = terms.sum()
        return float(max(side.sum() for side in sides) / total) if sides and total > 0 else 0.0
