"""Exit codes, and how a message and an answer reach the user: one line is one line, whatever names stand in it.

Standard output may be a full disk or a pipe that nobody reads any more: what could not be written is found out before
the command ends, not by the interpreter that ends after it.
"""

import contextlib
import errno
import os
import sys

from simstudy.errors import printable

DONE, BAD_ANSWER, MISUSE, INTERRUPTED, TERMINATED = 0, 1, 2, 130, 143
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF})

LIST_ITEM = "\n  "


def say(text: str) -> None:
    """Print a message on standard error; one that nobody can read is let go.

    Lists of ours are indented; any other line end comes from a name, which has no line of its own.
    """
    message = LIST_ITEM.join(map(printable, text.split(LIST_ITEM)))
    try:
        print(f"simstudy: {message}", file=sys.stderr, flush=True)
    except OSError:
        silence(sys.stderr)


def tell(text: str, *, lines: bool = False) -> None:
    """Print a line of an answer on standard output, or several lines of our own."""
    print(printable(text, lines=lines))


def prepare() -> None:
    """Give the command streams that take every text: a closed one leads nowhere, a missing letter is escaped."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - lives as long as the process
        with contextlib.suppress(AttributeError, ValueError, OSError):  # a stream of a test or a notebook
            getattr(sys, name).reconfigure(errors="backslashreplace")


def settle() -> int:
    """Write out what standard output still holds, and return the exit code that this leads to.

    A closed pipe is the reader's choice and goes without a word; a full disk is an answer lost.
    """
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        silence(sys.stdout)
    except OSError as error:
        say(unwritten(error))
        silence(sys.stdout)
        return MISUSE
    return DONE


def unwritten(error: OSError) -> str:
    """Return what a message says of an answer that could not be written."""
    return f"the answer cannot be written ({error.strerror}); make room, or send it elsewhere"


def silence(stream: object) -> None:
    """Lead a stream that cannot be written to nowhere, so that the end of the process does not try it again."""
    try:
        descriptor = stream.fileno()  # type: ignore[attr-defined]
    except (OSError, ValueError, AttributeError):  # a stream of a test or a notebook
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)
