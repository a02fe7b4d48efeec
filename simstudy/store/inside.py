"""Files inside a run folder, which may have come from anyone: no link is followed there, and only plain files are read.

A run that someone sent could hold a link to a file of its receiver, who would read or write it unasked. Paths are said
without control characters, which could write lines of their own into a log or a terminal.
"""

import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from simstudy.errors import RunError, printable

A_LINK = "it is a link, and no link is followed inside a run"
NO_FILE = "it is no plain file"
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)


def said(path: Path | str) -> str:
    r"""Return a path as a message says it: characters that a terminal would obey or hide are escaped.

    >>> said("runs/a b"), said("fits/a\nb.parquet")
    ('runs/a b', 'fits/a\\nb.parquet')
    """
    return printable(str(path))


def read_inside(folder: Path, *names: str) -> bytes:
    """Return the bytes of a plain file inside a folder.

    Args:
        folder: run folder, which may be reached by a link itself.
        names: of the folders on the way and of the file.

    Raises:
        OSError: it is not there, it or a folder on the way is a link, or it is no plain file.
    """
    descriptor = _open_inside(folder, names)
    with os.fdopen(descriptor, "rb") as file:
        return file.read()


def digest_inside(folder: Path, *names: str) -> str:
    """Return the SHA-256 of a plain file inside a folder, or an empty text where there is none to be read."""
    try:
        descriptor = _open_inside(folder, names)
    except FileNotFoundError:
        return ""
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EINVAL, errno.ENOTDIR):
            return ""
        raise
    with os.fdopen(descriptor, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_there(path: Path) -> bool:
    """Return whether anything has that name, be it a link that leads nowhere."""
    return os.path.lexists(path)


def refuse_links(folder: Path) -> None:
    """Refuse a run that holds a link, before anything is written into it.

    Raises:
        RunError: names the first link.
    """
    for path in _links(folder):
        raise RunError(
            f"{said(path)} is a link; a run that is written to holds none, since what is written through it would "
            "land elsewhere: put what it leads to in its place, or remove it"
        )


def _links(folder: Path) -> Iterator[Path]:
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            if entry.is_symlink():
                yield Path(entry.path)
            elif entry.is_dir(follow_symlinks=False):
                yield from _links(Path(entry.path))


def _open_inside(folder: Path, names: tuple[str, ...]) -> int:
    """Open a file for reading and return its descriptor; a pipe is not waited for."""
    path = folder
    for name in names:
        path = path / name
        if path.is_symlink():
            raise OSError(errno.ELOOP, A_LINK, str(path))
    descriptor = os.open(path, os.O_RDONLY | _NO_FOLLOW)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, NO_FILE, str(path))
    return descriptor
