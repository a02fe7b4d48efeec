"""What ``plan`` found, without the words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from simstudy.planning.costs import Costs, Trial
from simstudy.planning.goal import Goal
from simstudy.planning.points import Design, Point
from simstudy.planning.question import Question
from simstudy.planning.search import Found


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The smallest design that reaches a goal, with what it rests on.

    Args:
        question: groups that are planned for.
        goal: what is to be reached.
        found: of the search in the number that was open, at the cheapest number of groups where both were; None where
            nothing was simulated.
        groups: the cheapest number of groups, where both numbers were open.
        trials: what each number of groups needs and costs, where both were open.
        as_cheap: the numbers of groups that are not shown to be more expensive.
        costs: of groups and observations, where both were open.
        points: every design that was looked at.
        why: why no design of any size can reach the goal; empty where some might.
        seconds: what it took.
    """

    question: Question
    goal: Goal
    found: Found | None = None
    groups: int | None = None
    trials: Sequence[Trial] = ()
    as_cheap: Sequence[int] = ()
    costs: Costs | None = None
    points: Mapping[Design, Point] = field(default_factory=dict)
    why: str = ""
    seconds: float = 0.0

    @property
    def design(self) -> Design | None:
        """The smallest design for which the goal is shown to be reached, or None."""
        return None if self.found is None or self.found.answer is None else self.at(self.found.answer)

    @property
    def range(self) -> tuple[Design, Design] | None:
        """The smallest designs that the simulation error allows, from the first that it does not rule out; or None."""
        if self.found is None or self.found.answer is None:
            return None
        return self.at(self.found.first), self.at(self.found.answer)

    def at(self, size: int) -> Design:
        """Return the design with the number that was searched for at a value."""
        return self.question.design(size) if self.groups is None else Design(self.groups, size)

    @property
    def table(self) -> pd.DataFrame:
        """One row per design that was looked at.

        Columns ``groups``, ``group_size``, ``observations``, ``value`` of the goal's measure, ``mcse``, ``lower`` and
        ``upper`` (95 %), ``n_replicates``, ``n_failed``, ``verdict`` (reached, missed, open) and, with costs, ``cost``.
        """
        rows = []
        for design, point in sorted(self.points.items(), key=lambda item: (item[0].groups, item[0].group_size or 0)):
            lower, upper = point.ends
            row = {
                "groups": design.groups,
                "group_size": design.group_size,
                "observations": design.groups * (design.group_size or 1),
                "value": point.value,
                "mcse": point.mcse,
                "lower": lower,
                "upper": upper,
                "n_replicates": point.n,
                "n_failed": point.n_failed,
                "verdict": point.verdict(self.goal),
            }
            cost = {} if self.costs is None else {"cost": self.costs.of(design.groups, design.group_size or 1)}
            rows.append({**row, **cost})
        return pd.DataFrame(rows)
