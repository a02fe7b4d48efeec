"""One worker process: pinned to a core, deaf to Ctrl-C and SIGTERM, gone when its driver is gone.

A process comes from loky, so that a script needs no ``__main__`` guard and may bring functions of its own; loky's pool
is not used, because there one dead worker takes the whole pool and everything in flight with it.
"""

import os
import pickle
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Iterable, Mapping
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from typing import Any

import cloudpickle
import psutil
from loky.backend import get_context

from simstudy.errors import RunError
from simstudy.store.provenance import allowed_cores

READY = b"ready"
WATCH_SECONDS = 0.5
END_SECONDS = 5.0

# multiprocessing reaps all of its dead children whenever it starts one, which must not happen during another's join.
_children = threading.Lock()


class NotReadyError(RunError):
    """A worker process ended before it was ready.

    Args:
        text: how it ended, and what to do.
        was_killed: whether a signal ended it, which another process may survive.
    """

    def __init__(self, text: str, *, was_killed: bool):
        super().__init__(text)
        self.was_killed = was_killed


class Worker:
    """The driver's end of a worker process, which runs one task at a time.

    Args:
        environment: variables that the process finds when it starts.

    Raises:
        NotReadyError: The process ended before it was ready.
    """

    def __init__(self, environment: Mapping[str, str]):
        context = get_context("loky")
        self._connection, theirs = context.Pipe()
        with _children:
            self._process = context.Process(
                target=serve, args=(theirs, os.getpid()), env=dict(environment), name="simstudy", daemon=True
            )
            self._process.start()
        theirs.close()
        try:
            self._connection.recv_bytes()
        except (EOFError, OSError):
            raise NotReadyError(
                f"a worker process {self.end()} before it was ready; what it printed says why "
                "(environment variables and memory limits are the usual causes)",
                was_killed=(self._process.exitcode or 0) < 0,
            ) from None

    def call(self, task: bytes) -> tuple[bool, Any]:
        """Run a pickled task and return (True, result) or (False, exception).

        Raises:
            EOFError: The process died.
        """
        try:
            self._connection.send_bytes(task)
            return pickle.loads(self._connection.recv_bytes())  # noqa: S301 - from our own worker
        except OSError as error:
            raise EOFError from error

    def kill(self) -> None:
        """End the process at once, whatever it is doing."""
        with suppress(psutil.NoSuchProcess):
            psutil.Process(self._process.pid).kill()

    def end(self) -> str:
        """Let the process end, waiting for it, and say how it ended."""
        self._connection.close()
        if not wait([self._process.sentinel], END_SECONDS):
            self.kill()
            wait([self._process.sentinel])
        with _children:
            self._process.join()
        return _ending(self._process.exitcode)


def serve(connection: Connection, driver: int) -> None:
    """Run tasks in a worker process until the driver closes the connection or dies."""
    for number in (
        signal.SIGINT,
        signal.SIGTERM,
    ):  # a terminal and a batch system send them to the driver's workers too
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_watch, args=(driver,), daemon=True).start()
    claim = claim_core(allowed_cores())
    connection.send_bytes(READY)
    with suppress(BrokenPipeError, ConnectionResetError):  # of a driver that died meanwhile: nobody waits
        while (task := _receive(connection)) is not None:
            connection.send_bytes(answer(task))
    del claim


def claim_core(cores: Iterable[int], *, scope: str = "simstudy") -> socket.socket | None:
    """Pin this process to the first core that no other worker on this machine holds.

    The claim is a name of the kernel (an abstract socket) that goes when its holder does, so that studies running side
    by side share the cores and a dead worker leaves nothing to clean up. Where no core is free, and on systems without
    such names, the process is not pinned.

    Args:
        cores: cores to choose from, the preferred first.
        scope: who shares the claims.

    Returns:
        The claim, to be kept for as long as the core is held, or None.
    """
    if not sys.platform.startswith("linux"):
        return None
    for core in cores:
        claim = socket.socket(socket.AF_UNIX)
        try:
            claim.bind(f"\0{scope}-core-{core}")
            os.sched_setaffinity(0, {core})
        except OSError:
            claim.close()
        else:
            return claim
    return None


def _watch(driver: int) -> None:
    """End this process soon after its driver, even in the middle of a task.

    The kernel's own signal for it (PR_SET_PDEATHSIG) follows the thread that started the process, not the driver.
    """
    while os.getppid() == driver and psutil.pid_exists(driver):
        time.sleep(WATCH_SECONDS)
    os._exit(1)


def _receive(connection: Connection) -> bytes | None:
    try:
        return connection.recv_bytes()
    except (EOFError, OSError):
        return None


def answer(task: bytes) -> bytes:
    """Run a pickled task, (function, args, kwargs), and return its pickled answer: (True, result) or (False, error)."""
    try:
        function, args, kwargs = pickle.loads(task)  # noqa: S301 - from our own driver
        return pickle.dumps((True, function(*args, **kwargs)), protocol=pickle.HIGHEST_PROTOCOL)
    except Exception as error:
        error.add_note(f"in a worker process:\n{traceback.format_exc()}")
        return _pickled(error)


def _pickled(error: Exception) -> bytes:
    """Pickle an exception, or one of plain text in place of one that cannot cross to another process."""
    try:
        content = cloudpickle.dumps((False, error))
        pickle.loads(content)  # noqa: S301 - just made
        return content
    except Exception:
        return pickle.dumps((False, RuntimeError(f"{type(error).__name__}: {error}")))


def _ending(exit_code: int | None) -> str:
    if exit_code is not None and exit_code < 0:
        return f"was ended by {signal.Signals(-exit_code).name}"
    return f"ended with exit code {exit_code}"
