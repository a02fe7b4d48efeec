"""Blocks through an executor: a bounded number in flight, and none lost when a worker dies.

Decides which block goes next and what becomes of one whose worker died; leaves to the caller what a block is, how it
is divided, and what a failure means for its fits.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from simstudy.errors import RunError, SimstudyError
from simstudy.executors.messages import RemoteError
from simstudy.executors.queue import Block, BlockQueue

Item = TypeVar("Item")

DEATHS_TO_SPLIT = 2
TICK_SECONDS = 1.0


class WorkerDied(BrokenExecutor):
    """The worker that had this very task died; the executor and all other tasks live.

    Args:
        text: how it died.
        deaths: workers that died with the task.
        alone: whether the worker had no other task, so that this one is to blame.
    """

    def __init__(self, text: str, *, deaths: int = 1, alone: bool = True):
        super().__init__(text)
        self.deaths, self.alone = deaths, alone


@dataclass(frozen=True, kw_only=True)
class BlockFailure:
    """What came of a block that gave no result.

    Args:
        reason: "worker died", or the exception that the task raised, in one line.
        error: the exception.
    """

    reason: str
    error: BaseException


def run_blocks(
    task: Callable[[Item], Any],
    items: Iterable[Item],
    *,
    executor_factory: Callable[[], Executor],
    window: int | Callable[[Executor], int],
    split: Callable[[Item], tuple[Item, Item] | None],
    stop: Callable[[], bool] = lambda: False,
    abandon: Callable[[], bool] = lambda: False,
) -> Iterator[tuple[Item, Any]]:
    """Run a task on every item and yield (item, result) as they finish.

    Items with the same ``program`` attribute share a compiled program: one of them goes first, and the others only
    when it has returned, so that a program is compiled once and then found in the compilation cache. First items of
    different programs go before all others, which then go program by program in turn.

    An item whose worker died runs again; one that ended two workers is split in two, and one that cannot be split is
    a failure; where its worker had other items too, it runs alone once more before it is. Where an executor breaks as
    a whole it is replaced, and what was in flight runs again one by one, so that only the item that ends workers is
    blamed for it.

    Args:
        task: a function of one item that worker processes can import or unpickle.
        items: what to run, the preferred first.
        executor_factory: makes an executor; called again when one is broken.
        window: most items in flight, at least 1; twice the number of workers keeps them busy. A function of the
            executor where that number changes.
        split: divides an item in two, or returns None where it cannot be divided.
        stop: asked every second and before an item is sent off; once true, items that have begun finish and the
            others are not run.
        abandon: asked every second; once true, items that have begun are given up too.

    Yields:
        (item, result), or (item, ``BlockFailure``) where the worker died or the task raised.

    Raises:
        SimstudyError: The task raised it: misuse, which every other item would meet again.

    >>> from simstudy.executors import InProcessExecutor
    >>> squares = run_blocks(
    ...     lambda n: n**2, [1, 2, 3], executor_factory=InProcessExecutor, window=2, split=lambda n: None
    ... )
    >>> list(squares)
    [(1, 1), (2, 4), (3, 9)]
    """
    loop = _Loop(task, BlockQueue(items), executor_factory=executor_factory, window=window, split=split, stop=stop)
    try:
        while loop.send() and not abandon():
            yield from loop.collect()
    finally:
        loop.end()


class _Loop(Generic[Item]):
    """An executor, what is in flight there, and what waits."""

    def __init__(
        self,
        task: Callable[[Item], Any],
        queue: BlockQueue[Item],
        *,
        executor_factory: Callable[[], Executor],
        window: int | Callable[[Executor], int],
        split: Callable[[Item], tuple[Item, Item] | None],
        stop: Callable[[], bool],
    ):
        self._executor = executor_factory()
        self._in_flight: dict[Future[Any], Block[Item]] = {}
        self._task, self._queue, self._factory = task, queue, executor_factory
        self._window, self._split, self._stop = window, split, stop

    def send(self) -> bool:
        """Fill the window, as far as nothing has come back meanwhile, and say whether anything is in flight."""
        if self._stop():
            self._call_back()
        while len(self._in_flight) < self._room() and not self._stop():
            block = self._queue.take(self._in_flight.values())
            if block is None or not self._submit(block):
                break
        return bool(self._in_flight)

    def collect(self) -> Iterator[tuple[Item, Any]]:
        """Wait a moment for something to come back and yield what came of it, in the order of sending."""
        done, _ = wait(self._in_flight, timeout=TICK_SECONDS, return_when=FIRST_COMPLETED)
        for future in [future for future in self._in_flight if future in done]:
            if block := self._in_flight.pop(future, None):
                yield from self._settle(block, future)

    def end(self) -> None:
        """Shut the executor down, at once where the loop was left with blocks in flight."""
        for future in self._in_flight:
            future.cancel()
        self._executor.shutdown(wait=not self._in_flight)

    def _room(self) -> int:
        return self._window if isinstance(self._window, int) else max(1, self._window(self._executor))

    def _call_back(self) -> None:
        """Give up what is in flight and has not begun."""
        for future in [future for future in self._in_flight if future.cancel()]:
            del self._in_flight[future]

    def _submit(self, block: Block[Item]) -> bool:
        """Send a block off and say whether there is time to send another."""
        try:
            future = self._executor.submit(self._task, block.item)
        except BrokenExecutor:
            if self._in_flight:
                self._queue.put_back([block])
                return False
            future = self._submit_anew(block)
        self._in_flight[future] = block
        return not future.done()

    def _submit_anew(self, block: Block[Item]) -> Future[Any]:
        self._replace_executor()
        try:
            return self._executor.submit(self._task, block.item)
        except BrokenExecutor as error:
            raise RunError(
                f"the executor is broken and cannot be replaced ({error}); what is finished is stored: run the same "
                "command again with a new one"
            ) from error

    def _settle(self, block: Block[Item], future: Future[Any]) -> Iterator[tuple[Item, Any]]:
        error = future.exception()
        if isinstance(error, WorkerDied):
            yield from self._died(block, error)
        elif isinstance(error, BrokenExecutor):
            yield from self._broke(block, error)
        elif isinstance(error, SimstudyError):
            raise error
        else:
            self._queue.returned(block)
            yield block.item, future.result() if error is None else BlockFailure(reason=_line(error), error=error)

    def _died(self, block: Block[Item], error: BaseException) -> Iterator[tuple[Item, Any]]:
        is_sure = block.suspect or getattr(error, "alone", True)
        block.deaths += getattr(error, "deaths", 1)
        if block.deaths < DEATHS_TO_SPLIT:
            self._queue.put_back([block])
        elif halves := self._split(block.item):
            self._queue.put_back(Block(half, suspect=block.suspect) for half in halves)
        elif not is_sure:
            block.suspect = True
            self._queue.put_back([block])
        else:
            self._queue.gave_up(block)
            yield block.item, BlockFailure(reason="worker died", error=error)

    def _broke(self, block: Block[Item], error: BaseException) -> Iterator[tuple[Item, Any]]:
        """Replace an executor that broke as a whole; one block that was alone in it is to blame, else none yet is."""
        wait(self._in_flight)
        broken = [other for other in self._in_flight if isinstance(other.exception(), BrokenExecutor)]
        others = [self._in_flight.pop(future) for future in broken]
        self._replace_executor()
        if not others:
            yield from self._died(block, error)
        for suspect in (suspects := [block, *others] if others else []):
            suspect.suspect = True
        self._queue.put_back(suspects)

    def _replace_executor(self) -> None:
        self._executor.shutdown(wait=False)
        self._executor = self._factory()


def _line(error: BaseException) -> str:
    """Return an exception in one line; one of another process is its own words."""
    text = str(error) if isinstance(error, RemoteError) else f"{type(error).__name__}: {error}"
    return " ".join(text.split())
