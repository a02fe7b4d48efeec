"""The smallest size that reaches a goal: interval-halving, with replicates where the decision hangs.

Sizes are whole numbers. Each is reached, missed, or open: neither, at the most replicates that a design gets. The
search keeps the largest size that is missed and the smallest above it that is reached, looks between them where the
fitted curve meets the target, and ends where more replicates would be needed to tell sizes apart.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from simstudy.planning.curve import Crossing, crossing, on_scale
from simstudy.planning.goal import Goal
from simstudy.planning.points import MCSES, Point, Verdict

STEP = 4
FINE = 2
MOST_LOOKS = 14
MOST_RAISES, SPARE = 3, 1.3
MOST_CONFIRMED, SURE = 4, 4.0  # ends of the bracket that get all replicates; MCSEs from the goal that need no more
KNOWN = 0.1
FINEST = 1.03  # ratio of sizes that are not told apart any further
MARGIN = 1.15  # of the distance at which a decision is expected
STRIDE = 0.4  # of that distance: finer steps gain nothing
Status = Literal["reached", "at_once", "beyond"]
Evaluate = Callable[[Sequence[int], int], Mapping[int, Point]]


@dataclass(frozen=True, kw_only=True)
class Effort:
    """How many replicates a design gets.

    Args:
        pilot: at first.
        most: where the decision hangs.
        looks: sizes that are looked at once the answer is bracketed.
        work: with which work in all, replicates times what each takes, the search ends.
    """

    pilot: int = 200
    most: int = 1500
    looks: int = MOST_LOOKS
    work: float = 9000.0


@dataclass(kw_only=True)
class Search:
    """A search in one number.

    Args:
        evaluate: sizes and replicates -> size -> the measure there, from at least so many replicates.
        goal: the goal.
        low: smallest size.
        high: largest size.
        start: where to begin.
        effort: replicates.
        weigh: size -> the work of one replicate.
        points: sizes that were looked at before.
    """

    evaluate: Evaluate
    goal: Goal
    low: int
    high: int
    start: int
    effort: Effort = field(default_factory=Effort)
    weigh: Callable[[int], float] = field(default=lambda size: 1.0)
    points: dict[int, Point] = field(default_factory=dict)
    looks: int = 0

    def run(self) -> "Found":
        """Look until the answer is bracketed as narrowly as the replicates allow."""
        self._pilot()
        for _ in range(MOST_CONFIRMED):
            self._reach_out()
            while self._has_effort_left and (size := self._next()) is not None:
                self._decide(size, at_first=self._first_replicates(size))
            if (doubtful := self._doubtful()) is None:
                break
            self._look([doubtful], self.effort.most)
        return self.found

    @property
    def _has_effort_left(self) -> bool:
        return self.looks < self.effort.looks and self._work_left > 0

    @property
    def _work_left(self) -> float:
        return self.effort.work - sum(point.n * self.weigh(size) for size, point in self.points.items())

    @property
    def found(self) -> "Found":
        """What is known so far."""
        missed, reached = self._bracket()
        status: Status = "beyond" if reached is None else "reached" if reached > self.low else "at_once"
        return Found(
            points=dict(sorted(self.points.items())),
            status=status,
            answer=reached,
            first=self.low if missed is None else missed + 1,
            crossing=self._crossing(),
        )

    def _pilot(self) -> None:
        """Look at a few sizes around the start; over a wide range where the measure is not monotone."""
        if self.points:
            sizes = set()  # others have looked before
        elif self.goal.is_monotone:
            sizes = {self._within(round(self.start * factor)) for factor in (1 / STEP, 1, STEP)}
        else:
            sizes = {*(self.low * STEP**i for i in range(12) if self.low * STEP**i < self.high), self.high}
            sizes = {size for size in sizes if size <= max(self.start * STEP**2, self.low)}
        if sizes:
            self._look(sorted(sizes), self.effort.pilot)

    def _reach_out(self) -> None:
        """Look farther out until the goal is missed below and reached above, or at the ends."""
        step = STEP
        while self._verdict_at(max(self.points)) != "reached" and max(self.points) < self.high:
            self._look([self._within(step * max(self.points))], self.effort.pilot)
            step = step**2  # what is out of reach is seen at the end, not on the way there
        while self.goal.is_monotone and self._verdict_at(min(self.points)) != "missed" and min(self.points) > self.low:
            self._look([self._within(min(self.points) // STEP)], self.effort.pilot)
        for size in (max(self.points), min(self.points)):
            self._decide(size)

    def _first_replicates(self, size: int) -> int:
        """Return the replicates of a new size: what its decision will need, once the line says how near it is."""
        line = self._crossing()
        if line is None or line.mcse > KNOWN:
            return self.effort.pilot
        distance = abs(line.slope * (np.log(size) - line.log_size))
        needed = self.effort.most * (MARGIN * MCSES * self._error_at_most() / max(distance, 1e-9)) ** 2
        most = max(min(self.effort.most, self._work_left / self.weigh(size)), self.effort.pilot)
        return int(np.clip(np.ceil(min(needed, most) / 100) * 100, self.effort.pilot, most))

    def _verdict_at(self, size: int) -> Verdict:
        return self.points[size].verdict(self.goal)

    def _within(self, size: int) -> int:
        return int(min(max(size, self.low), self.high))

    def _look(self, sizes: Sequence[int], replicates: int) -> None:
        self.points.update(self.evaluate(sizes, replicates))

    def _decide(self, size: int, *, at_first: int | None = None) -> None:
        """Give a size the replicates that its decision needs, up to the most."""
        self.looks += 1
        if size not in self.points:
            self._look([size], at_first or self.effort.pilot)
        for _ in range(MOST_RAISES):
            point = self.points[size]
            n = point.n + point.n_failed
            if point.verdict(self.goal) != "open" or self._is_settled(size) or not np.isfinite(point.value):
                return
            wanted = SPARE * max(point.n_to_decide(self.goal), n)
            most = min(self.effort.most, n + self._work_left / self.weigh(size))
            if most < SPARE * n:
                return
            # What would come near the most anyway gets it at once: every look costs a start.
            self._look([size], int(min(np.ceil(wanted / 100) * 100, most) if wanted < most / 2 else most))

    def _bracket(self) -> tuple[int | None, int | None]:
        """Return the largest size that is missed, and the smallest above it that is reached."""
        verdicts = {size: point.verdict(self.goal) for size, point in self.points.items()}
        missed = max((size for size, verdict in verdicts.items() if verdict == "missed"), default=None)
        above = [s for s, verdict in verdicts.items() if verdict == "reached" and (missed is None or s > missed)]
        return missed, min(above, default=None)

    def _crossing(self) -> Crossing | None:
        missed, reached = self._bracket()
        ends = [self.low if missed is None else missed, self.high if reached is None else reached]
        near = float(np.sqrt(ends[0] * ends[1]))
        first = crossing(self.points, self.goal, near=near)
        return first and crossing(self.points, self.goal, near=first.size)

    def _next(self) -> int | None:
        """Return the size to look at next, or None where nothing more can be told."""
        missed, reached = self._bracket()
        if reached is None:
            return None
        below = self.low - 1 if missed is None else missed
        if reached <= FINEST * (below + 1):
            return None
        opened = [s for s in self.points if below < s < reached and self._is_settled(s)]
        line = self._crossing()
        if not opened:
            return self._between(below, reached, line)
        gaps = [(max(opened), reached, 1), (below, min(opened), -1)]
        for low, high, sign in gaps:
            if high - low > 1 and (size := self._told_apart(low, high, line, sign)) is not None:
                return size
        return None

    def _doubtful(self) -> int | None:
        """Return an end of the bracket that few replicates have decided narrowly, which may be luck of many looks."""
        ends = [size for size in self._bracket() if size is not None and not self._is_settled(size)]
        near = (s for s in ends if abs(self.points[s].value - self.goal.target) < SURE * self.points[s].mcse)
        return next(near, None)

    def _is_settled(self, size: int) -> bool:
        """Return whether a size has all the replicates that it can get."""
        return self.points[size].n + self.points[size].n_failed >= self.effort.most

    def _between(self, low: int, high: int, line: Crossing | None) -> int:
        """Return a size between two: where the line meets the target, not too near either, else the middle."""
        bottom, top = np.log(max(low, 0.7)), np.log(high)
        at = 0.5 * (bottom + top) if line is None else line.log_size
        reach = 0.15 * (top - bottom)
        return int(min(max(round(float(np.exp(np.clip(at, bottom + reach, top - reach)))), low + 1), high - 1))

    def _told_apart(self, low: int, high: int, line: Crossing | None, sign: int) -> int | None:
        """Return the size nearest to the crossing that all replicates would decide, if it lies between two others."""
        if line is None:
            size = round(float(np.sqrt(max(low, 0.7) * high)))
            return int(min(max(size, low + 1), high - 1)) if high / max(low, 1) > FINE else None
        away = MARGIN * MCSES * self._error_at_most() / abs(line.slope)
        inner, outer = (low, high) if sign > 0 else (high, low)
        # An open size may lie beyond where a decision was expected: then a step farther.
        farther = [sign * line.log_size + away, sign * np.log(inner) + STRIDE * away]
        size = np.exp(sign * max(farther))
        size = int(np.ceil(size) if sign > 0 else np.floor(size))
        gains = abs(np.log(max(outer, 0.7) / max(size, 0.7))) > STRIDE * away
        return size if low < size < high and gains else None

    def _error_at_most(self) -> float:
        """Return the MCSE at the target, on the scale of the curve, with the most replicates."""
        known = [p for p in self.points.values() if np.isfinite(p.value) and p.mcse > 0]
        if self.goal.is_probability or not known:
            spread = np.sqrt(self.goal.target * (1 - self.goal.target) / self.effort.most) if known else 0.0
            return on_scale(self.goal, self.goal.target, float(spread), self.effort.most)[1]
        nearest = min(known, key=lambda p: abs(p.value - self.goal.target))
        mcse = nearest.mcse * np.sqrt(nearest.n / self.effort.most)
        return on_scale(self.goal, self.goal.target, float(mcse), self.effort.most)[1]


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a search found.

    Args:
        points: size -> the measure there, ascending.
        status: ``reached``; ``at_once``: by the smallest size; ``beyond``: not shown up to the largest.
        answer: the smallest size for which the goal is shown, above every size that is shown to miss it; or None.
        first: the smallest size that the simulation does not rule out.
        crossing: where the fitted curve meets the target, or None.
    """

    points: Mapping[int, Point]
    status: Status
    answer: int | None
    first: int
    crossing: Crossing | None
