"""What a run says on its way: the logger ``simstudy``, standard error, and ``run.log`` in the run's folder.

A session adds its handlers to the logger and takes them away when it ends, so that a program that has set up logging
of its own is left as it was, and its handlers get the same records. A line is one line, whatever names stand in it,
and ``run.log`` is a file in the run's folder: a run that was received may have a link there, which is not followed.
"""

import errno
import logging
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from simstudy.errors import RunError, printable

FILE = "run.log"
FILE_FORMAT = "%(asctime)s %(levelname)s %(message)s"
ON_A_BAR = "on_a_bar"  # attribute of the records that the terminal, mostly a bar in it, shows already

log = logging.getLogger("simstudy")


@contextmanager
def session_log(folder: Path, *, quiet: bool = False, verbose: bool = False) -> Iterator[None]:
    """Log to standard error and, appended, to ``run.log`` in a folder.

    Args:
        folder: run folder, which exists.
        quiet: warnings and errors alone on standard error; the file has all.
        verbose: a line for every block too, in both.

    Raises:
        RunError: a link, a folder or a device stands in the place of ``run.log``.
    """
    file = _File(folder / FILE)
    file.setFormatter(_OneLine(FILE_FORMAT))
    console = _Console(level=logging.WARNING if quiet else logging.DEBUG)
    console.setFormatter(_OneLine())
    console.addFilter(lambda record: not getattr(record, ON_A_BAR, False))
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


class _OneLine(logging.Formatter):
    """One line a record: names in it cannot end it, nor act on a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        return printable(super().format(record))


class _Console(logging.StreamHandler[Any]):
    """Standard error as it is at the moment, which a bar or a test may have replaced."""

    def __init__(self, *, level: int):
        logging.Handler.__init__(self, level)

    @property
    def stream(self) -> TextIO:
        return sys.stderr


class _File(logging.StreamHandler[Any]):
    """A file whose disk may be full: the run's own writing says so, not a traceback per line."""

    def __init__(self, path: Path):
        logging.Handler.__init__(self)
        self.stream = _opened(path)

    def emit(self, record: logging.LogRecord) -> None:
        if self.stream is None:
            return
        try:
            super().emit(record)
        except OSError:
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Let a line go that the disk does not take."""

    def close(self) -> None:
        super().close()
        try:
            if self.stream is not None:
                self.stream.close()
        except OSError:
            self.handleError(logging.makeLogRecord({}))


def _opened(path: Path) -> TextIO | None:
    """Open a file of its own folder to append, or return None where the disk takes no file.

    Raises:
        RunError: something else than a file has its name.
    """
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
    flags |= getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
    refusal = RunError(f"{path}: expected a file, got a link, a folder or a device, which is not written; remove it")
    try:
        descriptor = os.open(path, flags, 0o666)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EMLINK, errno.EISDIR, errno.ENXIO):
            raise refusal from None
        return None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise refusal
    return os.fdopen(descriptor, "a", encoding="utf-8", errors="backslashreplace")
