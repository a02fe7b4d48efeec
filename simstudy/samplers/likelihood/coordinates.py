"""The free parameters of the covariance: where each may lie, and what a search moves in its place.

A standard deviation of effects is moved in a unit of its own; a length on the log scale; correlations and shares as
they are.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from simstudy.models.estimands import Parameter

Kind = Literal["scale", "length", "unit", "correlation"]
EDGE = 1e-9
"""A share or correlation is this far from its ends at least: there, some covariances are infinite."""
FARTHEST = 1e4
"""Largest ratio of a length to its usual value, and of its usual value to it."""
ROUNDING = 1e-3
"""Least value of a scale, in its unit, that a step of a difference is a share of."""


@dataclass(frozen=True, kw_only=True)
class Free:
    """A free parameter of the covariance of a term.

    Args:
        term: index of its term.
        name: what the structure calls it.
        study_name: what the study calls it.
        kind: a ``scale`` is a standard deviation of effects, a ``length`` another positive number.
        usual: a value to start from; of a scale its unit.
    """

    term: int
    name: str
    study_name: str
    kind: Kind
    usual: float

    @property
    def bounds(self) -> tuple[float, float]:
        """Least and largest value."""
        if self.kind == "scale":
            return 0.0, np.inf
        if self.kind == "length":
            return self.usual / FARTHEST, self.usual * FARTHEST
        return (EDGE if self.kind == "unit" else EDGE - 1), 1 - EDGE

    def around(self, at: float, step: float) -> tuple[float, float]:
        """Return two values around one, or one of them itself at a bound, for a difference.

        A covariance is even in a scale, so that this has no lower bound.
        """
        if self.kind == "scale":
            h = step * max(abs(at), ROUNDING * self.usual)
            return at - h, at + h
        h = step * (at if self.kind == "length" else 1.0)
        low, high = self.bounds
        return max(at - h, low), min(at + h, high)

    def is_at_edge(self, value: float) -> bool:
        """Whether a value is at a bound: a standard deviation of 0, a correlation of 1."""
        low, high = self.bounds
        reach = 0.0 if self.kind == "scale" else 1e-6 * (self.usual if self.kind == "length" else 1.0)
        return bool(value <= low + reach or value >= high - reach)


def kind_of(parameter: Parameter) -> Kind:
    """Return what a parameter is to a search.

    >>> from simstudy.models.estimands import TAU
    >>> kind_of(TAU)
    'scale'
    """
    if parameter.support == "positive":
        return "scale" if parameter.moves == "difference" else "length"
    return "unit" if parameter.support == "unit" else "correlation"
