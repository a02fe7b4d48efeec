"""Which block goes next: programs to be compiled first, then the compiled ones in turn, suspects one by one."""

from collections import OrderedDict, deque
from collections.abc import Collection, Hashable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")


@dataclass(eq=False)
class Block(Generic[Item]):
    """An item on its way.

    Args:
        item: what the task is given.
        deaths: workers that it is known to have ended.
        suspect: it was in flight when an executor broke as a whole, and must run while nothing else does.
    """

    item: Item
    deaths: int = 0
    suspect: bool = False

    @property
    def program(self) -> Hashable:
        """The compiled program that the item needs; None where it does not say."""
        return getattr(self.item, "program", None)


class BlockQueue(Generic[Item]):
    """Blocks that wait, by program.

    The first block of a program leads: the others wait until it has ``returned``, so that a program is compiled once.
    """

    def __init__(self, items: Iterable[Item]):
        self._programs: OrderedDict[Hashable, deque[Block[Item]]] = OrderedDict()
        self._suspects: deque[Block[Item]] = deque()
        self._compiled: set[Hashable] = {None}
        self._compiling: set[Hashable] = set()
        for item in items:
            block = Block(item)
            self._programs.setdefault(block.program, deque()).append(block)

    def take(self, in_flight: Collection[Block[Item]]) -> Block[Item] | None:
        """Remove and return the next block, or None where all that wait must wait for those in flight."""
        if self._suspects or any(block.suspect for block in in_flight):
            return None if in_flight else self._suspects.popleft()
        for program in self._released():
            return self._take_from(program)
        return None

    def put_back(self, blocks: Iterable[Block[Item]]) -> None:
        """Return blocks, in their order, to be taken before all others of their program."""
        for block in reversed(list(blocks)):
            self._compiling.discard(block.program)
            waiting = self._suspects if block.suspect else self._programs.setdefault(block.program, deque())
            waiting.appendleft(block)

    def returned(self, block: Block[Item]) -> None:
        """Release the other blocks of a program."""
        self._compiling.discard(block.program)
        self._compiled.add(block.program)

    def gave_up(self, block: Block[Item]) -> None:
        """Let another block lead the program of one that will not return."""
        self._compiling.discard(block.program)

    def _released(self) -> Iterator[Hashable]:
        for compiled in (False, True):
            for program in self._programs:
                if (program in self._compiled) is compiled and program not in self._compiling:
                    yield program

    def _take_from(self, program: Hashable) -> Block[Item]:
        blocks = self._programs[program]
        block = blocks.popleft()
        self._programs.move_to_end(program)
        if not blocks:
            del self._programs[program]
        if program not in self._compiled:
            self._compiling.add(program)
        return block
