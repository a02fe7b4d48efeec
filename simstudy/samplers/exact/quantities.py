"""The posterior of every quantity of one data set: moments and distribution functions."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from simstudy.samplers.exact.axis import Axis
from simstudy.samplers.exact.grid import Grid
from simstudy.samplers.exact.marginal import Marginal, PointMarginal, SincMixture, Transformed


@dataclass(frozen=True, kw_only=True)
class Quantities(ABC):
    """Quantities of one posterior.

    Args:
        axes: the two parameters that were integrated numerically.
        grid: their posterior.
    """

    axes: tuple[Axis, Axis]
    grid: Grid

    def moments(self, name: str, group: int = 0) -> tuple[float, float]:
        """Return mean and sd of a quantity, NaN where they do not exist."""
        for a, axis in enumerate(self.axes):
            if axis.name == name:
                x = axis.value(self.grid.coordinates[a])
                return mean_and_sd(self.grid, x[:, None] if a == 0 else x[None, :])
        return self._moments(name, group)

    def marginal(self, name: str, group: int = 0) -> Marginal:
        """Return the distribution of a quantity."""
        for a, axis in enumerate(self.axes):
            if axis.name == name:
                return self._of_axis(a)
        return self._marginal(name, group)

    @abstractmethod
    def _moments(self, name: str, group: int) -> tuple[float, float]:
        """Return mean and sd of a quantity that is not on an axis."""

    @abstractmethod
    def _marginal(self, name: str, group: int) -> Marginal:
        """Return the distribution of a quantity that is not on an axis."""

    def _of_axis(self, a: int) -> Marginal:
        if self.axes[a].is_fixed:
            return PointMarginal(value=self.axes[a].prior.value)
        u = self.grid.coordinates[a]
        density = SincMixture(
            weights=self.grid.weights.sum(1 - a), locations=u, widths=np.full(len(u), self.grid.spacings[a])
        )
        axis = self.axes[a]
        return Transformed(of=density, forward=axis.value, backward=axis.coordinate, bounds=axis.bounds)


def mean_and_sd(grid: Grid, mean: np.ndarray, variance: np.ndarray | float = 0.0) -> tuple[float, float]:
    """Return mean and sd of a quantity from its mean and variance at the nodes; NaN where they do not exist."""
    overall = grid.moment(mean)
    if np.isnan(overall):
        return np.nan, np.nan
    return overall, float(np.sqrt(grid.moment(variance + (mean - overall) ** 2)))
