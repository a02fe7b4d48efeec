"""What is integrated numerically: a posterior over at most two parameters, for many data sets at once.

All else is integrated out, given these two, in closed form or by a one-dimensional rule: see the subclasses.
"""

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Self

import numpy as np

from simstudy.samplers.exact.axis import Axis

if TYPE_CHECKING:
    from simstudy.samplers.exact.grid import Grid
    from simstudy.samplers.exact.quantities import Quantities

FLOOR = -1e250
"""Stands for a log density of -inf, so that differences stay numbers."""


class Problem(ABC):
    """Posteriors of data sets over two axes."""

    axes: tuple[Axis, Axis]

    @property
    @abstractmethod
    def n_fits(self) -> int:
        """Number of data sets."""

    @abstractmethod
    def take(self, index: np.ndarray) -> Self:
        """Return the problem of some of the data sets."""

    @abstractmethod
    def log_marginal(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """Return log p(y | values of the two parameters), everything else integrated out.

        Args:
            first: values of the first axis' parameter.
            second: values of the second's; the two broadcast to (fit, node, node).

        Returns:
            (fit, node, node).
        """

    @abstractmethod
    def draw_others(self, first: np.ndarray, second: np.ndarray, stream: np.random.Generator) -> dict[str, np.ndarray]:
        """Draw what was integrated out, for a problem of one data set.

        Args:
            first: (draw,) values of the first axis' parameter.
            second: (draw,) values of the second's.
            stream: random numbers.

        Returns:
            ``mu`` (draw,), ``theta`` and ``theta_decentered`` (draw, group).
        """

    @abstractmethod
    def quantities(self, grid: "Grid") -> "Quantities":
        """Return the posterior of every quantity, for a problem of one data set and its grid."""

    def log_density(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """Return the log joint density of data and coordinates, with shapes as in ``log_marginal``."""
        values = self.axes[0].value(first), self.axes[1].value(second)
        prior = self.axes[0].log_prior(first) + self.axes[1].log_prior(second)
        with np.errstate(over="ignore", invalid="ignore"):
            density = prior + self.log_marginal(*values)
        return np.maximum(np.where(np.isnan(density), FLOOR, density), FLOOR)
