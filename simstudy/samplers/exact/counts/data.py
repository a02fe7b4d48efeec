"""Counts of one grouping as the compiled functions take them: classes of equal groups, and what phi alone decides."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from simstudy.samplers.exact.counts.positive import PositiveAxis

Columns = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


@dataclass(frozen=True, kw_only=True)
class CountData:
    """One data set and its priors.

    Args:
        family: ``TRIALS``, ``COUNTS`` or ``NEGATIVE_BINOMIAL``.
        groups: trials or exposures, successes or counts, observations, and log exposures of one, (group,) each.
        of_phi: log likelihood that depends on phi alone, (value,) -> (value,).
        mu: (2,) mean and sd of the prior of mu.
        tau: the effects' standard deviation.
        phi: shape; a constant where there is none.
    """

    family: int
    groups: Columns
    of_phi: Callable[[np.ndarray], np.ndarray]
    mu: np.ndarray
    tau: PositiveAxis
    phi: PositiveAxis

    def __post_init__(self) -> None:
        found, of_group, count = np.unique(np.stack(self.groups), axis=1, return_inverse=True, return_counts=True)
        classes = tuple(np.ascontiguousarray(column) for column in found)
        for name, value in (("classes", classes), ("class_of", of_group.ravel()), ("count", count.astype(float))):
            object.__setattr__(self, name, value)

    classes: Columns = ()  # type: ignore[assignment]
    class_of: np.ndarray = None  # type: ignore[assignment]
    count: np.ndarray = None  # type: ignore[assignment]

    @property
    def axes(self) -> tuple[PositiveAxis, PositiveAxis]:
        """The parameters of the outer lattice."""
        return self.tau, self.phi
