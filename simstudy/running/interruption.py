"""Ctrl-C and SIGTERM while a run is under way: the first lets the parts in hand finish, the second stops at once.

Where nothing of a run outlives its command, nothing is worth the wait, and the first stops at once.
"""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType, TracebackType

DEFERRED = (signal.SIGINT, signal.SIGTERM)


class Interruption:
    """Defers the first signal for as long as the ``with`` block lasts, and raises what it means at the end.

    Python hands signals to the main thread only; in any other this does nothing. A signal that the process ignores, as
    one in the background may, stays ignored; within ``ending_at_once`` none is deferred.

    Attributes:
        signal: the signal that came, or None.

    Raises:
        KeyboardInterrupt: At the end of the block after Ctrl-C, at once after another signal.
        SystemExit: The same after SIGTERM, with the code 143 that shells give to a process that it ended.
    """

    def __init__(self) -> None:
        self.signal: signal.Signals | None = None
        self._handlers: dict[signal.Signals, object] = {}

    def __enter__(self) -> "Interruption":
        if threading.current_thread() is threading.main_thread():
            heeded = [number for number in _heeded() if signal.getsignal(number) is not _end]
            self._handlers = {number: signal.signal(number, self._defer) for number in heeded}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
        if self.signal is not None and error is None:
            raise _ending(self.signal)

    def _defer(self, number: int, frame: FrameType | None) -> None:
        if self.signal is not None:
            raise _ending(signal.Signals(number))
        self.signal = signal.Signals(number)
        text = f"\nsimstudy: {self.signal.name}: the parts in hand are finished and stored; once more stops at once\n"
        # A handler may have come in the middle of a print, and must not print itself.
        with suppress(OSError, ValueError):
            os.write(sys.__stderr__.fileno() if sys.__stderr__ else 2, text.encode())


@contextmanager
def ending_at_once() -> Iterator[None]:
    """Let the first Ctrl-C or SIGTERM end what stands in the ``with`` block, runs of studies among it.

    Raises:
        KeyboardInterrupt: after Ctrl-C.
        SystemExit: after SIGTERM, with the code 143.
    """
    is_heard = threading.current_thread() is threading.main_thread()
    handlers = {number: signal.signal(number, _end) for number in (_heeded() if is_heard else ())}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def _heeded() -> list[signal.Signals]:
    """Return the signals that the process does not ignore."""
    return [number for number in DEFERRED if signal.getsignal(number) not in (signal.SIG_IGN, None)]


def _end(number: int, frame: FrameType | None) -> None:
    raise _ending(signal.Signals(number))


def _ending(number: signal.Signals) -> BaseException:
    return KeyboardInterrupt() if number == signal.SIGINT else SystemExit(128 + number)
