"""Progress of a run: a bar in a terminal, a line now and then in a file."""

import sys
import time
from collections import deque
from collections.abc import Callable, Hashable, Mapping
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from simstudy.logs import ON_A_BAR, log
from simstudy.running.duration import duration_text
from simstudy.running.forecast import Forecast

SECONDS_BETWEEN_LINES = 15.0
RECENT_SECONDS = 30.0  # fits per second are those of this time


class RunProgress:
    """Counts fits and says how fast they come and how long the rest will take.

    Args:
        fits: fits to come of each program.
        stored: fits that are on disk already.
        n_workers: says how many workers there are at the moment.
        quiet: no bar; what is logged has its own level.
        clock: seconds, for the rates.
    """

    def __init__(
        self,
        fits: Mapping[Hashable, int],
        *,
        stored: int = 0,
        n_workers: Callable[[], int] = lambda: 1,
        quiet: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ):
        self.total = sum(fits.values())
        self.done = self.bad = self._n_compiled = 0
        self._compile_seconds = 0.0
        self._stored, self._quiet, self._n_workers, self._clock = stored, quiet, n_workers, clock
        self._forecast = Forecast(fits)
        self._started = self._last_line = clock()
        self._recent = deque([(self._started, 0)])
        self._bar: Progress | None = None

    def __enter__(self) -> "RunProgress":
        if self._stored:
            log.info("%d fits are stored already and stay; %d to come", self._stored, self.total)
        console = Console(file=sys.stderr)
        if console.is_terminal and not self._quiet:
            self._bar = Progress(
                TextColumn("fits"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                TextColumn("{task.description}"),
                console=console,
            )
            self._task = self._bar.add_task(self.outlook(), total=self.total)
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._bar:
            self._bar.stop()
        log.info("%s", self.summary())

    def advance(
        self, program: Hashable, n_fits: int, *, bad: int = 0, seconds: float | None = None, compiling: float = 0.0
    ) -> None:
        """Count a finished block.

        Args:
            program: its program.
            n_fits: its fits.
            bad: the failed and non-finite ones among them.
            seconds: what it took, compilation apart; None where it gave nothing.
            compiling: seconds of compilation or of loading a compiled program; 0 where it was there.
        """
        now = self._clock()
        self.done += n_fits
        self.bad += bad
        self._n_compiled += compiling > 0
        self._compile_seconds += compiling
        self._forecast.returned(program, n_fits=n_fits, seconds=seconds)
        self._recent.append((now, self.done))
        while len(self._recent) > 2 and now - self._recent[1][0] > RECENT_SECONDS:
            self._recent.popleft()
        self._show(now)

    def outlook(self) -> str:
        """Return how far the programs are compiled or, once they are, fits per second and the time left."""
        forecast, now = self._forecast, self._clock()
        left = forecast.seconds_left(n_workers=self._n_workers())
        if left is not None:
            return f"{self._rate(now):.1f} fits/s, about {duration_text(left)} left"
        text = f"compiling, {forecast.n_ready} of {forecast.n_programs} programs ready"
        if not forecast.n_ready:
            return text
        compiling = (now - self._started) / forecast.n_ready * (forecast.n_programs - forecast.n_ready)
        return f"{text}, the others in about {duration_text(compiling)}"

    def summary(self) -> str:
        """Return what was done, in how long, and what of it went into compilation."""
        elapsed = max(self._clock() - self._started, 1e-9)
        parts = [f"{self.done} of {self.total} fits in {duration_text(elapsed)}, {self.done / elapsed:.1f} fits/s"]
        if self._n_compiled:
            seconds = duration_text(self._compile_seconds)
            plural = "s" if self._n_compiled > 1 else ""
            parts.append(f"{self._n_compiled} program{plural} compiled or loaded, {seconds} of the workers' time")
        return "; ".join(parts) + self._bad()

    def _show(self, now: float) -> None:
        if self._bar:
            self._bar.update(self._task, completed=self.done, description=self.outlook())
        if now - self._last_line > SECONDS_BETWEEN_LINES:
            self._last_line = now
            text = f"{self.done} of {self.total} fits, {self.outlook()}{self._bad()}"
            log.info("%s", text, extra={ON_A_BAR: self._bar is not None})

    def _rate(self, now: float) -> float:
        then, done = self._recent[0]
        return (self.done - done) / max(now - then, 1e-9)

    def _bad(self) -> str:
        return f", {self.bad} failed or not finite" if self.bad else ""
