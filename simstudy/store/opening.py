"""A run as a user names it: a folder, an opened run, or tables that are in no folder."""

import os
from pathlib import Path

from simstudy.errors import RunError, printable, shown
from simstudy.store.run import STUDY, Run
from simstudy.types import RunTables

RunSource = RunTables | str | os.PathLike[str]


def open_run(source: RunSource) -> RunTables:
    """Return the tables of a run.

    Args:
        source: run folder, opened run, or tables that are in no folder.

    Raises:
        RunError: it is none of them, or the folder is no run that can be read.

    >>> open_run(3)
    Traceback (most recent call last):
    simstudy.errors.RunError: expected a run, or the folder of one such as 'runs/pooling', got 3
    """
    if isinstance(source, str | os.PathLike):
        return Run.open(Path(source))
    if not (hasattr(source, "study") and callable(getattr(source, "parts", None))):
        what = shown(source) if isinstance(source, int | float | list | tuple | dict) else type(source).__name__
        near = "; simstudy.run(study) makes it" if hasattr(source, "canonical") else ""
        raise RunError(f"expected a run, or the folder of one such as 'runs/pooling', got {what}{near}")
    return source


def open_folder(source: RunSource) -> Run:
    """Return a run that is in a folder.

    Raises:
        RunError: as ``open_run``; or it is tables that are in no folder.
    """
    run = open_run(source)
    if not isinstance(run, Run):
        raise RunError(f"expected a run in a folder, got {printable(type(run).__name__)}, which is in none")
    return run


def is_run_folder(source: object) -> bool:
    """Whether a name is that of a folder with the study of a run."""
    return isinstance(source, str | os.PathLike) and (Path(source) / STUDY).is_file()
