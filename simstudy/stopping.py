"""When a run stops before its last block: a signal, a time limit, or more failed fits than it may have."""

import time
from collections import deque
from collections.abc import Callable

from simstudy.duration import duration_text
from simstudy.interruption import Interruption
from simstudy.tolerance import FALSE_ALARM, Cell, Tolerance

GO_ON = "what is finished is stored: run the same command again to go on"
REMEMBERED_BLOCKS = 16


class Stopping:
    """Decides when no more blocks begin, and when those that have begun are given up.

    Blocks stop beginning early enough for those in hand to finish within the time, judged by the longest of the latest
    ones; what is still running when the time is over is given up, and fitted again when the run goes on.

    Args:
        interruption: where signals arrive.
        time_limit: seconds from now, or None.
        tolerance: counts failed fits; None for no limit.
        clock: seconds.

    Attributes:
        reason: why the run stops, and what to do; empty while it goes on, and after a signal.
    """

    def __init__(
        self,
        interruption: Interruption,
        *,
        time_limit: float | None = None,
        tolerance: Tolerance | None = None,
        clock: Callable[[], float] = time.monotonic,
    ):
        self.reason = ""
        self._interruption, self._tolerance, self._clock = interruption, tolerance, clock
        self._limit, self._end = time_limit, None if time_limit is None else clock() + time_limit
        self._seconds: deque[float] = deque(maxlen=REMEMBERED_BLOCKS)

    def returned(self, *, seconds: float) -> None:
        """Remember how long a block took."""
        self._seconds.append(seconds)

    def count(self, cell: Cell, *, bad: bool) -> None:
        """Count a finished fit of a scenario and method."""
        if self._tolerance is not None:
            self._tolerance.count(cell, bad=bad)

    def is_due(self) -> bool:
        """Whether no more blocks may begin."""
        self.reason = self.reason or self._failures() or self._time()
        return bool(self.reason or self._interruption.signal)

    def is_over(self) -> bool:
        """Whether the blocks that have begun have no more time."""
        return self._end is not None and self._clock() >= self._end

    def _time(self) -> str:
        if self._limit is None or self._end is None:
            return ""
        if self._clock() + max(self._seconds, default=0.0) < self._end:
            return ""
        return f"the time limit of {duration_text(self._limit)} is reached; {GO_ON}"

    def _failures(self) -> str:
        limit = self._tolerance
        if limit is None or not limit.is_exceeded():
            return ""
        return (
            f"{limit.n_bad} of {limit.n_done} fits failed or are not finite, so that more than {limit.limit:.1%} of "
            f"all {limit.n_planned} will (chance of a false alarm below {FALSE_ALARM:.1%}); see the reasons in the "
            "table of fits, mend the study, or allow more with --max-failed"
        )
