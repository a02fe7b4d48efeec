"""The cheapest design where groups and observations both cost: for each number of groups the size that it needs.

What a goal needs is found roughly at a ladder of numbers of groups, which is refined around the cheapest; there the
size is then searched for with all replicates.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from simstudy.planning.curve import crossing
from simstudy.planning.goal import Goal
from simstudy.planning.points import MCSES, Design, Point
from simstudy.planning.search import Effort, Found, Search

KNOWN = 0.2  # MCSE of a cost, relative to it, from which on it is not known
LADDER, CLOSE = 2.0, 1.5
ROUGH = 200
MOST_TRIALS = 7
APART, FARTHER, NEAR = 2, 8, 4.5
MOST_LOOKS, MOST_SEARCHES = 5, 2
Look = Callable[[Sequence[Design], int], Mapping[Design, Point]]


@dataclass(frozen=True, kw_only=True)
class Costs:
    """What a design costs.

    Args:
        group: each group.
        observation: each observation.
    """

    group: float
    observation: float

    def of(self, groups: float, group_size: float) -> float:
        """Return the cost of a design."""
        return groups * (self.group + self.observation * group_size)


@dataclass(frozen=True, kw_only=True)
class Trial:
    """What one number of groups needs.

    Args:
        groups: how many.
        size: the size at which the curve meets the target; infinite where it does not up to the largest.
        cost: of that design.
        mcse: Monte Carlo standard error of the cost.
    """

    groups: int
    size: float
    cost: float
    mcse: float


@dataclass(kw_only=True)
class CostSearch:
    """A search in two numbers.

    Args:
        look: designs and replicates -> the measure at each.
        goal: the goal.
        costs: of groups and observations.
        low: the smallest design.
        most: the largest.
        start: where to begin.
        effort: replicates of the final search.
        weigh: design -> the work of one replicate.
        trials: numbers of groups that were tried.
        points: what was looked at for each of them, by size.
    """

    look: Look
    goal: Goal
    costs: Costs
    low: Design
    most: Design
    start: Design
    effort: Effort = field(default_factory=Effort)
    weigh: Callable[[Design], float] = field(default=lambda design: 1.0)
    trials: dict[int, Trial] = field(default_factory=dict)
    points: dict[int, dict[int, Point]] = field(default_factory=dict)

    def run(self) -> tuple[int, Found]:
        """Return the number of groups of the cheapest design, and what was found for its size.

        A number of groups that seemed the cheapest may turn out to need more than it seemed; then the next is searched.
        """
        self._try(self.start.groups)
        while len(self.trials) < MOST_TRIALS and (groups := self._next()) is not None:
            self._try(groups)
        found: dict[int, Found] = {}
        for _ in range(MOST_SEARCHES):
            groups = self.cheapest.groups
            if groups in found:
                break
            found[groups] = self._search(groups).run()
            self.trials[groups] = self._settled(groups, found[groups])
        cost = {groups: self._cost(groups, one.answer) for groups, one in found.items()}
        best = min(found, key=lambda groups: cost[groups])
        return best, found[best]

    def _cost(self, groups: int, size: float | None) -> float:
        return float("inf") if size is None else self.costs.of(groups, size)

    def _settled(self, groups: int, found: Found) -> Trial:
        """Return what a number of groups needs after its search; where the line is lost, what is shown."""
        if found.answer is None:
            return Trial(groups=groups, size=float("inf"), cost=float("inf"), mcse=0.0)
        line = found.crossing if found.status == "reached" else None
        size, error = (float(found.answer), 0.0) if line is None else (max(line.size, found.first), line.mcse)
        mcse = groups * self.costs.observation * size * error
        return Trial(groups=groups, size=size, cost=self.costs.of(groups, size), mcse=mcse)

    @property
    def cheapest(self) -> Trial:
        """The trial of the least cost; of those that reach nothing, the one with the most groups."""
        return min(self.trials.values(), key=lambda trial: (trial.cost, -trial.groups))

    @property
    def as_cheap(self) -> list[int]:
        """The numbers of groups whose cost is known well, and not shown to be above the least."""
        best = self.cheapest
        known = [t for t in self.trials.values() if t.cost < np.inf and not is_unknown(t, best.cost)]
        near = [t.groups for t in known if t.cost - best.cost <= MCSES * np.hypot(t.mcse, best.mcse)]
        return sorted({*near, best.groups})

    @property
    def _sizes(self) -> tuple[int, int]:
        """The smallest and the largest size."""
        assert self.low.group_size is not None  # both numbers are open; for the type checker
        assert self.most.group_size is not None
        return self.low.group_size, self.most.group_size

    def _search(self, groups: int) -> Search:
        """Return the search for the size that a number of groups needs, from what was seen roughly."""

        def evaluate(sizes: Sequence[int], replicates: int) -> dict[int, Point]:
            return self._look(groups, sizes, replicates)

        low, high = self._sizes
        start, known = self._guess(groups), dict(self.points[groups])
        return Search(
            evaluate=evaluate,
            goal=self.goal,
            low=low,
            high=high,
            start=start,
            effort=self.effort,
            weigh=lambda size: self.weigh(Design(groups, size)),
            points=known,
        )

    def _look(self, groups: int, sizes: Sequence[int], replicates: int) -> dict[int, Point]:
        found = self.look([Design(groups, size) for size in sizes], replicates)
        return {int(design.group_size or 0): point for design, point in found.items()}

    def _guess(self, groups: int) -> int:
        """Return the size to begin with: as many observations in all as the nearest trial needs."""
        known = [trial for trial in self.trials.values() if np.isfinite(trial.size)]
        if not known:
            return int(self.start.group_size or 1)
        near = min(known, key=lambda trial: abs(np.log(trial.groups / groups)))
        return max(1, round(near.size * near.groups / groups))

    def _try(self, groups: int) -> None:
        """Look at a few sizes for a number of groups, until what it needs lies between two of them that are near."""
        guess, points = self._guess(groups), self.points.setdefault(groups, {})
        wanted = [guess / APART, guess, guess * APART]
        for _ in range(MOST_LOOKS):
            sizes = sorted({int(np.clip(round(size), *self._sizes)) for size in wanted} - set(points))
            if not sizes:
                break
            points |= self._look(groups, sizes, ROUGH)
            wanted = self._nearer(points)
        self.trials[groups] = self._trial(groups, points)

    def _nearer(self, points: Mapping[int, Point]) -> list[float]:
        """Return the size to look at next, if any: beyond those that are all met or missed, or between the nearest."""
        high = self._sizes[1]
        missed, met = self._bracket(points)
        if met is None:
            return [max(points) * FARTHER if max(points) * FARTHER**2 < high else high]
        if missed is None:
            return [min(points) / FARTHER]
        return [float(np.sqrt(missed * met))] if met / missed > NEAR else []

    def _bracket(self, points: Mapping[int, Point]) -> tuple[int | None, int | None]:
        """Return the largest size that seems to miss the goal, and the smallest above it that seems to reach it."""
        missed = max((s for s, p in points.items() if not self.goal.is_met_by(p.value)), default=None)
        met = min((s for s, p in points.items() if self.goal.is_met_by(p.value) and s > (missed or 0)), default=None)
        return missed, met

    def _trial(self, groups: int, points: Mapping[int, Point]) -> Trial:
        """Return what a number of groups needs and costs, from the line through what was looked at."""
        missed, met = self._bracket(points)
        if met is None:
            return Trial(groups=groups, size=float("inf"), cost=float("inf"), mcse=0.0)
        low = float(self._sizes[0])
        middle = float(np.sqrt((missed or met) * met))
        line = None if missed is None else crossing(points, self.goal, near=middle)
        size = middle if line is None else max(line.size, low)
        error = 0.0 if missed is None else float(np.log(met / missed)) / 2 if line is None else line.mcse
        mcse = groups * self.costs.observation * size * error
        return Trial(groups=groups, size=size, cost=self.costs.of(groups, size), mcse=mcse)

    def _next(self) -> int | None:
        """Return the number of groups to try next: beyond an end that is the cheapest, else beside the cheapest."""
        known = sorted(self.trials)
        at = known.index(self.cheapest.groups)
        if at == len(known) - 1 and known[-1] < self.most.groups:
            return min(round(known[-1] * LADDER), self.most.groups)
        if at == 0 and known[0] > self.low.groups:
            return max(round(known[0] / LADDER), self.low.groups)
        neighbors = [known[i] for i in (at + 1, at - 1) if 0 <= i < len(known)]
        widest = max(neighbors, key=lambda other: abs(np.log(other / known[at])), default=known[at])
        middle = round(float(np.sqrt(widest * known[at])))
        is_far = max(widest, known[at]) / min(widest, known[at]) > CLOSE
        return middle if is_far and middle not in known else None


def is_unknown(trial: Trial, best: float) -> bool:
    """Return whether a cost is too uncertain to be set against the least one."""
    return trial.mcse > KNOWN * trial.cost and trial.cost - MCSES * trial.mcse < best
