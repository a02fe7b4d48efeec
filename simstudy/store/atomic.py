"""Files that are wholly there or not at all: written aside, flushed to the disk, renamed into place.

Leaves to others what stands in the files and where they belong.
"""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from simstudy.errors import RunError, SimstudyError


def stage(folder: Path, content: bytes) -> Path:
    """Write a new file of a name of its own into a folder, flush it to the disk and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f".{uuid4().hex}.tmp"
    try:
        with path.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path


def leftovers(folder: Path) -> list[Path]:
    """Return the staged files that a crash has left in a folder."""
    return sorted(folder.glob(f".{'[0-9a-f]' * 32}.tmp"))


def publish(staged: Path, path: Path) -> None:
    """Rename a staged file into place, replacing what is there, and flush the folder that names it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    os.replace(staged, path)
    flush_folder(path.parent)


def flush_folder(folder: Path) -> None:
    """Flush a folder's list of names to the disk, where the system can."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Turn a refusal of the disk into an error that says what to do.

    Raises:
        RunError: The disk is full, read-only or gone, or the folder forbids it.
    """
    try:
        yield
    except OSError as error:
        raise RunError(
            f"{folder} cannot be written ({error.strerror or error}); what is finished is stored: make room or give "
            "write permission, then run the same command again"
        ) from error


def canonical_json(value: Mapping[str, Any]) -> str:
    """Return the one text of a JSON object: sorted keys, two spaces, no NaN.

    >>> print(canonical_json({"b": [1, 2.5], "a": None}))
    {
      "a": null,
      "b": [
        1,
        2.5
      ]
    }
    """
    return json.dumps(value, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False)


def write_json(path: Path, value: Mapping[str, Any], *, staging: Path | None = None) -> None:
    """Write a JSON object atomically, by way of a staging folder on the same disk (its own folder by default)."""
    publish(stage(staging or path.parent, f"{canonical_json(value)}\n".encode()), path)


def write_text(path: Path, text: str) -> None:
    """Write a text to a file that the user named, as ``write_content`` does."""
    write_content(path, text.encode())


def write_content(path: Path, content: bytes) -> None:
    """Write a file that the user named, atomically; what was there stays until the new one is whole.

    Raises:
        SimstudyError: It cannot be written there.
    """
    try:
        staged = stage(path.parent, content)
        try:
            publish(staged, path)
        finally:
            staged.unlink(missing_ok=True)
    except OSError as error:
        raise SimstudyError(f"{path} cannot be written ({error.strerror}); give another file with --out") from None
