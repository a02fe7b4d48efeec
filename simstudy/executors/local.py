"""Worker processes on this machine behind the ``concurrent.futures.Executor`` interface.

Each worker has a thread here that hands it one task at a time. So the death of a worker is the failure of exactly the
task that it ran: its future holds ``WorkerDied``, the worker is replaced, and all other tasks go on.
"""

import atexit
import threading
from collections import deque
from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from typing import Any

import cloudpickle

from simstudy.errors import RunError
from simstudy.executors.blocks import WorkerDied
from simstudy.executors.environment import worker_environment
from simstudy.executors.worker import NotReadyError, Worker

MOST_STARTS = 5  # of one worker in a row


@dataclass(eq=False, kw_only=True)
class _Task:
    pickled: bytes
    program: Hashable
    future: Future[Any] = field(default_factory=Future)


class LocalExecutor(Executor):
    """Worker processes, each pinned to a core and given one task at a time.

    An idle worker prefers a task whose ``program`` (an attribute of the task's first argument) it has run before,
    because it need not trace and load that program again.

    Args:
        workers: number of processes, at least 1.
        environment: variables that a process finds when it starts.
    """

    def __init__(self, workers: int, *, environment: Mapping[str, str]):
        if workers < 1:
            raise RunError(f"workers = {workers}; expected at least 1, or an InProcessExecutor for none")
        self.n_workers = workers
        self._environment = dict(environment)
        self._waiting: deque[_Task] = deque()
        self._changed = threading.Condition()
        self._closed = self._aborted = False
        self._seen: set[Hashable] = set()
        self._workers: set[Worker] = set()
        self._threads = [threading.Thread(target=self._attend, daemon=True) for _ in range(workers)]
        for thread in self._threads:
            thread.start()
        # Before multiprocessing's own exit, which asks by SIGTERM, to which workers are deaf, and waits for ever.
        atexit.register(self._abort)

    def submit(self, task: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Queue a task; it is pickled by value where it is of ``__main__``."""
        program = getattr(args[0], "program", None) if args else None
        queued = _Task(pickled=cloudpickle.dumps((task, args, kwargs)), program=program)
        with self._changed:
            if self._closed:
                raise RuntimeError("this executor was shut down")
            self._waiting.append(queued)
            self._changed.notify()
        return queued.future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the workers: once all tasks are done, or with ``wait=False`` at once, in the middle of their tasks."""
        atexit.unregister(self._abort)
        with self._changed:
            self._closed, self._aborted = True, self._aborted or not wait
            while self._waiting and (cancel_futures or self._aborted):
                self._waiting.popleft().future.cancel()
            for worker in self._workers if self._aborted else ():
                worker.kill()
            self._changed.notify_all()
        if wait:
            for thread in self._threads:
                thread.join()

    def _abort(self) -> None:
        self.shutdown(wait=False)

    def _attend(self) -> None:
        """Keep one worker process busy until the executor is shut down and its queue is empty."""
        worker: Worker | None = None
        known: set[Hashable] = set()
        while (task := self._next(known)) is not None:
            worker = self._run(task, worker)
            known = known | {task.program} if worker else set()
        if worker:
            self._end(worker)

    def _next(self, known: set[Hashable]) -> _Task | None:
        """Take the first task of a program that this worker has run or no worker has, else the first of all."""
        with self._changed:
            while not self._waiting and not self._closed:
                self._changed.wait()
            if not self._waiting:
                return None
            near = (t for t in self._waiting if t.program in known or t.program not in self._seen)
            task = next(near, self._waiting[0])
            self._waiting.remove(task)
            self._seen.add(task.program)
            return task

    def _run(self, task: _Task, worker: Worker | None) -> Worker | None:
        """Settle the task's future and return the worker, or None where there is none any more."""
        if not task.future.set_running_or_notify_cancel():
            return worker
        try:
            worker = worker or self._start()
            returned, value = worker.call(task.pickled)
        except EOFError:
            task.future.set_exception(WorkerDied(f"the worker process {self._end(worker)}"))
            return None
        except Exception as error:
            task.future.set_exception(error)
            return None
        if returned:
            task.future.set_result(value)
        else:
            task.future.set_exception(value)
        return worker

    def _start(self) -> Worker:
        worker = self._started()
        with self._changed:
            self._workers.add(worker)
            if self._aborted:
                worker.kill()
        return worker

    def _started(self) -> Worker:
        """Start a process, again where one was killed at its start: no task is to blame for that."""
        for _ in range(MOST_STARTS - 1):
            try:
                return Worker(self._environment)
            except NotReadyError as error:
                if not error.was_killed:
                    raise
        return Worker(self._environment)

    def _end(self, worker: Worker | None) -> str:
        if worker is None:
            return "did not start"
        with self._changed:
            self._workers.discard(worker)
        return worker.end()


def local_executor(workers: int, *, environment: Mapping[str, str] | None = None) -> LocalExecutor:
    """Return worker processes on this machine, single-threaded, one per core.

    Args:
        workers: number of processes, at least 1.
        environment: variables for the workers beside those of ``worker_environment``.

    >>> with local_executor(1) as executor:
    ...     executor.submit(pow, 2, 10).result()
    1024
    """
    return LocalExecutor(workers, environment=worker_environment(environment))
