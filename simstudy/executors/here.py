"""An executor that runs each task at once, in the calling process: one process on the device, or a debugger."""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any


class InProcessExecutor(Executor):
    """Runs a task before ``submit`` returns; an exception of the task stands in its future.

    >>> with InProcessExecutor() as executor:
    ...     executor.submit(pow, 2, 3).result()
    8
    """

    def submit(self, task: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run a task and return its finished future."""
        future: Future[Any] = Future()
        try:
            future.set_result(task(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future
