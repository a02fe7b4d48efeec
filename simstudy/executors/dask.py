"""Blocks on a Dask cluster that is there already, behind the ``concurrent.futures.Executor`` interface.

A worker is examined when it is first seen, at the start or when it joins later, and gets blocks only if it is admitted
(``admission``); one that is refused is named and left alone. Its answers are read as typed data (``messages``): one
that cannot be read is the failure of its block. Dask's own talk with the scheduler is made of pickles all the same. A
block whose worker died is sent again by Dask's scheduler, which gives up after some deaths; that is ``WorkerDied``
here. Leaves starting workers to Dask.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import cloudpickle

from simstudy.errors import RunError, shown
from simstudy.executors.admission import admit, required_versions
from simstudy.executors.blocks import WorkerDied
from simstudy.executors.messages import MessageError, answer, decode_answer
from simstudy.logs import log

SCHEME, TLS_SCHEME = "dask://", "tls://"
SCHEMES = (SCHEME, TLS_SCHEME)
# Loggers that print tracebacks of a lost scheduler, which is an error of ours, in words.
TALKATIVE = ("distributed.client", "distributed.batched", "distributed.core", "distributed.comm")
CONNECT_SECONDS = 15
LOOK_SECONDS = 1.0  # between looks at who is in the cluster
REMIND_SECONDS = 60.0
MOST_SENDINGS = 4  # of one task, each to workers that then all went away
TOO_MANY = "runs {n_threads} tasks at once; start it with --nthreads 1, and a worker process per core"
INSTALL = "python3 -m pip install 'simstudy[dask]'"


@dataclass(eq=False, kw_only=True)
class _Task:
    pickled: bytes
    future: Future[Any] = field(default_factory=Future)
    sent: Future[Any] | None = None
    n_sendings: int = 0
    workers: frozenset[str] = frozenset()


class DaskExecutor(Executor):
    """An executor on the workers of a running Dask scheduler, one task at a time on each.

    Futures cannot be cancelled: Dask does not say whether a task has begun. ``shutdown(wait=False)`` drops them.

    Args:
        address: ``dask://HOST:PORT`` of the scheduler; ``tls://HOST:PORT`` for one that wants certificates, which come
            from Dask's configuration. Where that requires encryption, ``dask://`` is encrypted too.

    Raises:
        RunError: Dask is not installed, no scheduler answers, or all workers that are there are refused.
    """

    def __init__(self, address: str):
        self._address = address
        self._client = _connect(address)
        self._required = required_versions()
        self._admitted: frozenset[str] = frozenset()
        self._refused: dict[str, str] = {}
        self._named: set[str] = set()
        self._is_used = False
        self._open: set[_Task] = set()
        self._lock = threading.RLock()
        self._closed = threading.Event()
        self._reminded = -REMIND_SECONDS
        try:
            self._look()
            if self._refused and not self._admitted:
                reasons = "\n".join(f"  {worker} {reason}" for worker, reason in self._refused.items())
                raise RunError(f"--executor {address}: no worker there can take part\n{reasons}")
        except BaseException:
            self.shutdown(wait=False)
            raise
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    @property
    def n_workers(self) -> int:
        """Workers that are there and admitted."""
        return len(self._admitted)

    def submit(self, task: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Send a task to an admitted worker, or keep it until there is one."""
        queued = _Task(pickled=cloudpickle.dumps((task, args, kwargs)))
        queued.future.set_running_or_notify_cancel()
        with self._lock:
            if self._closed.is_set():
                raise RuntimeError("this executor was shut down")
            self._is_used = True
            self._open.add(queued)
            self._send(queued)
        return queued.future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Leave the cluster: once all tasks are done, or with ``wait=False`` at once, dropping them."""
        if wait:
            for task in list(self._open):
                task.future.exception()
        with self._lock:
            self._closed.set()
            dropped = [task for task in self._open if not task.future.done()]
            self._open.clear()
        for task in dropped:
            _drop(task.sent)
            task.future.set_exception(WorkerDied("the executor was shut down"))
        with suppress(Exception):  # what a lost scheduler makes of a goodbye is of no interest
            self._client.close()

    def _send(self, task: _Task) -> Future[Any] | None:
        """Send a task off, where there is a worker for it, and return what it was before, to be dropped."""
        if task.n_sendings == MOST_SENDINGS:
            died = f"{MOST_SENDINGS} times all workers that could run it went away"
            self._end(task, WorkerDied(died, deaths=MOST_SENDINGS, alone=False))
        elif self._admitted:
            return self._send_anew(task)
        return None

    def _send_anew(self, task: _Task) -> Future[Any] | None:
        before, task.workers, task.n_sendings = task.sent, self._admitted, task.n_sendings + 1
        pool = self._client.get_executor(pure=False, workers=sorted(self._admitted))
        task.sent = pool.submit(answer, task.pickled)
        task.sent.add_done_callback(lambda sent: self._settle(task, sent))
        return before

    def _settle(self, task: _Task, sent: Future[Any]) -> None:
        """Pass on what came of a task, unless it was sent anew meanwhile."""
        if task.sent is not sent:
            return
        if sent.cancelled():
            self._end(task, self._lost())
        elif error := sent.exception():
            self._end(task, _translated(error))
        else:
            self._end(task, *_told(sent.result()))

    def _end(self, task: _Task, error: BaseException | None, value: Any = None) -> None:
        with self._lock:
            if task not in self._open:
                return
            self._open.discard(task)
        if error is None:
            task.future.set_result(value)
        else:
            task.future.set_exception(error)

    def _lost(self) -> RunError:
        return RunError(
            f"the Dask scheduler at {self._address} was lost; what is finished is stored: run the same command again "
            "when it is back"
        )

    def _watch(self) -> None:
        while not self._closed.wait(LOOK_SECONDS):
            with suppress(OSError, RuntimeError):  # of a scheduler that does not answer at the moment
                self._look()
                if self._is_used:
                    self._say()
            if self._client.status == "closed":
                for task in list(self._open):
                    self._end(task, self._lost())

    def _look(self) -> None:
        """Examine who has come, and send anew what waits for workers that have gone."""
        present: Mapping[str, Any] = self._client.scheduler_info(n_workers=-1)["workers"]
        new = {address: present[address] for address in present.keys() - self._admitted - self._refused.keys()}
        findings = self._examine({address: worker["nthreads"] for address, worker in new.items()})
        refusals = {address: why for address, why in findings.items() if why}
        with self._lock:
            self._refused = {address: why for address, why in self._refused.items() if address in present} | refusals
            self._admitted = (self._admitted & present.keys()) | (findings.keys() - refusals.keys())
            lonely = [task for task in self._open if not task.workers & self._admitted]
            before = [self._send(task) for task in lonely]
        # Not under the lock: Dask's loop does the dropping, and may be waiting for the lock itself, to settle a task.
        for sent in before:
            _drop(sent)

    def _examine(self, n_threads: Mapping[str, int]) -> dict[str, str]:
        """Return, by address, why a worker is refused, or an empty text; nothing of one that has gone again."""
        found = {address: TOO_MANY.format(n_threads=n) for address, n in n_threads.items() if n > 1}
        if others := sorted(n_threads.keys() - found.keys()):
            answers = self._client.run(admit, self._required, workers=others, on_error="return")
            found |= {address: _reason(why) for address, why in answers.items() if not isinstance(why, OSError)}
        return found

    def _say(self) -> None:
        for address in self._refused.keys() - self._named:
            log.warning("worker %s gets no fits: it %s", address, self._refused[address])
        self._named = set(self._refused)
        if not self._admitted and time.monotonic() - self._reminded > REMIND_SECONDS:
            self._reminded = time.monotonic()
            log.warning("%s has no worker for the run; waiting for one", self._address)


def _connect(address: str) -> Any:
    try:
        from distributed import Client
    except ImportError:
        raise RunError(f"--executor {address} needs Dask, which is not installed: {INSTALL}") from None
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    place = address.split("://", 1)[1]
    security = _security(address)
    scheme = "tls" if security.require_encryption or address.startswith(TLS_SCHEME) else "tcp"
    try:
        return Client(f"{scheme}://{place}", timeout=CONNECT_SECONDS, set_as_default=False, security=security)
    except (OSError, ValueError, TypeError) as error:
        raise RunError(
            f"--executor {address}: no Dask scheduler answers there ({_cause(error)}); start one with `dask "
            f"scheduler`, and give its address as dask://HOST:PORT, or tls://HOST:PORT where it wants certificates"
        ) from None


def _security(address: str) -> Any:
    """Return the certificates that Dask's configuration names (``distributed.comm.tls``).

    Raises:
        RunError: the address needs them and there are none, or they cannot be read.
    """
    from distributed import Security

    security: Any = Security()
    named = {"ca-file": security.tls_ca_file, "client.cert": security.tls_client_cert}
    if address.startswith(TLS_SCHEME) or security.require_encryption:
        if missing := [name for name, value in named.items() if not value]:
            keys = " and ".join(f"distributed.comm.tls.{name}" for name in missing)
            raise RunError(f"--executor {address}: Dask's configuration names no {keys}; see docs/clusters.md")
        try:
            security.get_connection_args("client")
        except (OSError, ValueError) as error:
            raise RunError(
                f"--executor {address}: the certificates in Dask's configuration cannot be read ({error}); expected "
                "PEM files under distributed.comm.tls, see docs/clusters.md"
            ) from None
    return security


def _cause(error: BaseException) -> str:
    """Return what Dask says of a failed connection, with its cause, on one line."""
    texts = [str(error) or type(error).__name__]
    while (error := error.__cause__ or error.__context__) is not None:  # type: ignore[assignment]
        texts.append(str(error) or type(error).__name__)
    return ": ".join(dict.fromkeys(" ".join(text.split()) for text in texts))


def _told(answered: Any) -> tuple[BaseException | None, Any]:
    """Return (error, result) of an answer; an answer that cannot be read is the error."""
    try:
        returned, value = decode_answer(answered)
    except MessageError as error:
        return error, None
    return (None, value) if returned else (value, None)


def _translated(error: BaseException) -> BaseException:
    from distributed import KilledWorker

    if isinstance(error, KilledWorker):
        return WorkerDied(str(error), deaths=error.allowed_failures + 1, alone=False)
    return RunError(f"a worker could not take a block ({type(error).__name__}: {error})")


def _drop(sent: Future[Any] | None) -> None:
    if sent is not None:
        sent.cancel()


def _reason(answered: Any) -> str:
    if isinstance(answered, str):
        return answered
    if not isinstance(answered, Exception):
        return f"answered {shown(answered)} when it was examined; install the driver's versions there"
    return f"cannot run simstudy ({str(answered) or type(answered).__name__}); install the driver's versions there"
