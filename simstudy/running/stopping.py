"""When a run stops before its last block: a signal, a time limit, or more failed fits than it may have."""

import time
from collections import deque
from collections.abc import Callable

from simstudy.running.interruption import Interruption
from simstudy.running.tolerance import FALSE_ALARM, Cell, Tolerance

GO_ON = "what is finished is stored: run the same command again to go on"
REMEMBERED_BLOCKS = 16


class Stopping:
    """Decides when no more blocks begin, and when those that have begun are given up.

    Blocks stop beginning early enough for those in hand to finish within the time, judged by the slowest of the latest
    ones; what is still running when the time is over is given up, and fitted again when the run goes on.

    Args:
        interruption: where signals arrive.
        fits_per_block: fits of the largest block to come.
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
        fits_per_block: int = 1,
        time_limit: float | None = None,
        tolerance: Tolerance | None = None,
        clock: Callable[[], float] = time.monotonic,
    ):
        self.reason = ""
        self._interruption, self._tolerance, self._clock = interruption, tolerance, clock
        self._end = None if time_limit is None else clock() + time_limit
        self._fits_per_block = fits_per_block
        self._seconds_per_fit: deque[float] = deque(maxlen=REMEMBERED_BLOCKS)

    def returned(self, *, seconds: float, n_fits: int) -> None:
        """Remember how long a block took, compilation apart."""
        self._seconds_per_fit.append(seconds / n_fits)

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
        return self._end is not None and self._clock() >= self._end and self.is_due()

    def _time(self) -> str:
        if self._end is None:
            return ""
        block_seconds = self._fits_per_block * max(self._seconds_per_fit, default=0.0)
        if self._clock() + block_seconds < self._end:
            return ""
        return f"no further block would end within the time limit; {GO_ON}"

    def _failures(self) -> str:
        limit = self._tolerance
        if limit is None or not limit.is_exceeded():
            return ""
        return (
            f"{limit.n_bad} of {limit.n_done} fits failed or are not finite, so that more than {limit.limit:.1%} of "
            f"all {limit.n_planned} will (chance of a false alarm below {FALSE_ALARM:.1%}); see the reasons in the "
            "table of fits, mend the study, or allow more with --max-failed"
        )
