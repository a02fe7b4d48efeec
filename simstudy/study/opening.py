"""A study as a user names it: a file, a built-in one, a mapping, a run that was made of it, or the study itself."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from simstudy.errors import RunError, StudyError, TableError, printable, shown
from simstudy.store import Run
from simstudy.store.data import kept_data
from simstudy.store.opening import is_run_folder
from simstudy.study.naming import study_file
from simstudy.study.study import Study
from simstudy.tables import Table, parquet_table

LONGEST_REASON = 300
StudySource = Study | Run | Mapping[str, Any] | str | os.PathLike[str]


def open_study(source: StudySource) -> Study:
    """Return the study.

    Args:
        source: TOML file, name of a built-in study, mapping with the sections of a study file, run or run folder,
            or a study.

    Raises:
        StudyError: it is none of them, or no valid study.
        RunError: it is a run that cannot be read, or whose study cannot be made again.

    >>> open_study("lecture").name
    'lecture'
    >>> open_study(3)
    Traceback (most recent call last):
    simstudy.errors.StudyError: expected a study, its TOML file, the name of a built-in one, or a run of it, got 3
    """
    if isinstance(source, Study):
        return source
    if isinstance(source, Run):
        return study_of(source)
    if isinstance(source, Mapping):
        return Study.from_dict(source)
    if is_run_folder(source):
        return study_of(Run.open(source))  # type: ignore[arg-type]
    if isinstance(source, str | os.PathLike):
        return Study.from_toml(study_file(source))
    raise StudyError(
        f"expected a study, its TOML file, the name of a built-in one, or a run of it, got {shown(source)}"
    )


def folder_of(source: StudySource) -> Path | None:
    """Return the folder of a run that stands for its study; None for any other study."""
    if isinstance(source, Run):
        return source.folder
    return Path(source) if is_run_folder(source) else None  # type: ignore[arg-type]


def study_of(run: Run, folder: Path | None = None) -> Study:
    """Return the study of a run.

    Args:
        run: the run.
        folder: what the path of a data file is relative to; by default the data that the run kept are read.

    Raises:
        RunError: ``study.json`` of a run that nothing binds it to is none that can be made again.
        StudyError: a model, mechanism or data file of the study is not there, or is another one now.
    """
    try:
        return Study.from_canonical(run.study, folder=folder, rows=None if folder is not None else _rows(run))
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        first = str(error).partition("\n")[0]
        why = printable(f"{type(error).__name__}: {first}"[:LONGEST_REASON])
        raise RunError(
            f"{printable(str(run.folder))}: its study.json is no study that can be made again ({why}); restore it from "
            "a copy"
        ) from None


def _rows(run: Run) -> Table | None:
    """Return the data that a run kept, or None.

    Raises:
        RunError: they are damaged, or of another run.
    """
    content = kept_data(run.folder)
    if content is None:
        return None
    try:
        return parquet_table(content)
    except TableError as error:
        raise RunError(f"{printable(str(run.folder))}: data.parquet cannot be read: {error}") from error
