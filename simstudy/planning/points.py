"""What simulation says of one design, and what may be claimed of it: nothing below 2 MCSE."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from simstudy.planning.goal import Goal

MCSES = 2.0
Verdict = Literal["reached", "missed", "open"]


class Design(NamedTuple):
    """Numbers of groups and of observations (or trials) in each; the latter None where groups have known errors."""

    groups: int
    group_size: int | None


@dataclass(frozen=True, kw_only=True)
class Point:
    """The measure of a goal at one design.

    Args:
        value: its estimate; NaN where no replicate has one.
        mcse: its Monte Carlo standard error.
        n: replicates that it rests on.
        lower: lower end of a 95 % interval of a share, else NaN.
        upper: upper end.
        n_failed: replicates whose fit failed.
    """

    value: float
    mcse: float
    n: int
    lower: float = float("nan")
    upper: float = float("nan")
    n_failed: int = 0

    @property
    def ends(self) -> tuple[float, float]:
        """The interval that is not ruled out: 2 MCSE either way, or a share's own interval."""
        if np.isfinite(self.lower) and np.isfinite(self.upper):
            return self.lower, self.upper
        return self.value - MCSES * self.mcse, self.value + MCSES * self.mcse

    def verdict(self, goal: Goal) -> Verdict:
        """Return whether the goal is shown to be reached, shown to be missed, or neither."""
        reached = [goal.is_met_by(end) for end in self.ends]
        if not np.isfinite(self.value) or not np.isfinite(self.ends).all() or reached[0] != reached[1]:
            return "open"
        return "reached" if reached[0] else "missed"

    def n_to_decide(self, goal: Goal) -> float:
        """Return about how many replicates would decide, if the value is what it seems; infinite at the target."""
        distance = abs(self.value - goal.target)
        half = (self.ends[1] - self.ends[0]) / 2
        return self.n * (1.15 * half / distance) ** 2 if distance > 0 and np.isfinite(half) else float("inf")
