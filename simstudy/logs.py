"""What a run says on its way: the logger ``simstudy``, standard error, and ``run.log`` in the run's folder.

A session adds its handlers to the logger and takes them away when it ends, so that a program that has set up logging
of its own is left as it was, and its handlers get the same records.
"""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

FILE = "run.log"
FILE_FORMAT = "%(asctime)s %(levelname)s %(message)s"
ON_A_BAR = "on_a_bar"  # attribute of the records that a bar in the terminal shows already

log = logging.getLogger("simstudy")


@contextmanager
def session_log(folder: Path, *, quiet: bool = False, verbose: bool = False) -> Iterator[None]:
    """Log to standard error and, appended, to ``run.log`` in a folder.

    Args:
        folder: run folder, which exists.
        quiet: warnings and errors alone on standard error; the file has all.
        verbose: a line for every block too, in both.
    """
    console = _Console(level=logging.WARNING if quiet else logging.DEBUG)
    console.addFilter(lambda record: not getattr(record, ON_A_BAR, False))
    file = _File(folder / FILE, encoding="utf-8", delay=True)
    file.setFormatter(logging.Formatter(FILE_FORMAT))
    before = log.level
    log.setLevel(logging.DEBUG if verbose else logging.INFO)
    for handler in (console, file):
        log.addHandler(handler)
    try:
        yield
    finally:
        log.setLevel(before)
        for handler in (console, file):
            log.removeHandler(handler)
            handler.close()


class _Console(logging.StreamHandler):
    """Standard error as it is at the moment, which a bar or a test may have replaced."""

    def __init__(self, *, level: int):
        logging.Handler.__init__(self, level)

    @property
    def stream(self) -> TextIO:
        return sys.stderr


class _File(logging.FileHandler):
    """A file whose disk may be full: the run's own writing says so, not a traceback per line."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            super().emit(record)
        except OSError:
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Let a line go that the disk does not take."""

    def close(self) -> None:
        try:
            super().close()
        except OSError:
            self.handleError(logging.makeLogRecord({}))
