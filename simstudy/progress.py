"""Progress of a run: a bar in a terminal, a line now and then in a file."""

import sys
import time
from types import TracebackType
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

SECONDS_BETWEEN_LINES = 15.0
WARMING_UP = "compiling the first programs"


class RunProgress:
    """Counts fits and says how fast they come and how long the rest will take.

    Args:
        total: fits to come.
        stored: fits that are on disk already.
        stream: where to write; standard error by default.
        quiet: write nothing.
    """

    def __init__(self, total: int, *, stored: int = 0, stream: TextIO | None = None, quiet: bool = False):
        self.total = total
        self.done = 0
        self.bad = 0
        self._stored = stored
        self._stream = stream or sys.stderr
        self._quiet = quiet
        self._started = self._last_line = time.monotonic()
        self._first_done: float | None = None
        self._bar: Progress | None = None

    def __enter__(self) -> "RunProgress":
        if self._stored:
            self._write(f"{self._stored} fits are stored already and stay; {self.total} to come")
        console = Console(file=self._stream)
        if console.is_terminal and not self._quiet:
            self._bar = Progress(
                TextColumn("fits"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                TextColumn("{task.description}"),
                console=console,
            )
            self._task = self._bar.add_task(WARMING_UP, total=self.total)
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._bar:
            self._bar.stop()
        self._write(f"{self.done} of {self.total} fits in {_duration(time.monotonic() - self._started)}{self._bad()}")

    def advance(self, n_fits: int, *, bad: int = 0) -> None:
        """Count finished fits, the failed and non-finite ones among them."""
        now = time.monotonic()
        self._first_done = self._first_done or now
        self.done += n_fits
        self.bad += bad
        if self._bar:
            self._bar.update(self._task, completed=self.done, description=self.speed(now))
        elif now - self._last_line > SECONDS_BETWEEN_LINES:
            self._last_line = now
            self._write(f"{self.done} of {self.total} fits, {self.speed(now)}{self._bad()}")

    def speed(self, now: float) -> str:
        """Return fits per second and the time left, as text."""
        elapsed = max(now - self._started, 1e-9)
        rate = self.done / elapsed
        left = (self.total - self.done) / rate if rate else float("inf")
        return f"{rate:.1f} fits/s, {_duration(left)} left"

    def _bad(self) -> str:
        return f", {self.bad} failed or not finite" if self.bad else ""

    def _write(self, text: str) -> None:
        if not self._quiet:
            print(text, file=self._stream, flush=True)


def _duration(seconds: float) -> str:
    """Return a duration for people.

    >>> _duration(5.0), _duration(125.0), _duration(7300.0)
    ('5 s', '2 min 5 s', '2 h 1 min')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
