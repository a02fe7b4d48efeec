"""Files that come from outside: regular ones alone, since a FIFO or a device would hold a command up for good.

Leaves to others where a file may lie and what it has to hold.
"""

import errno
import os
import stat
from pathlib import Path
from typing import IO


def open_file(path: Path) -> IO[bytes]:
    """Open a regular file to read it.

    Raises:
        OSError: there is none, it may not be read, or it is something else; ``strerror`` says what.
    """
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags)
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode):
        return os.fdopen(descriptor, "rb")
    os.close(descriptor)
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    raise OSError(errno.EINVAL, "expected a file, got a pipe or a device; write its content to a file", str(path))
