"""Values of options that more than one command reads."""

import os
from pathlib import Path

from simstudy.errors import StudyError, suggestion

WORKERS_PER_CORE, FEWEST_OF_MOST_WORKERS = 4, 16


def read_share(text: str) -> float:
    """Read a share such as 5% or 0.05."""
    try:
        share = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise StudyError(f"--max-failed {text}: expected a share such as 5% or 0.05")
    return share


def check_workers(workers: int | None) -> None:
    """Refuse more worker processes than the machine gains from, by far.

    Raises:
        StudyError: says how many cores this process may use.
    """
    from simstudy.store.provenance import allowed_cores  # with pandas: not before a command needs it

    cores = len(allowed_cores()) or os.cpu_count() or 1
    most = max(FEWEST_OF_MOST_WORKERS, WORKERS_PER_CORE * cores)
    if workers is not None and workers > most:
        raise StudyError(
            f"--workers {workers}: expected at most {most}, since this process may use {cores} "
            f"core{'' if cores == 1 else 's'}; leave the option out for a worker per core"
        )


def existing_folder(option: str, file: Path) -> Path:
    """Return the folder that a file is to be written to.

    Raises:
        StudyError: there is no such folder, or a folder stands in the file's place.
    """
    if not file.parent.is_dir():
        raise StudyError(f"{option} {file}: there is no folder {str(file.parent)!r}; make it first")
    if file.is_dir():
        raise StudyError(f"{option} {file}: is a folder; expected the name of a file")
    return file.parent


def check_choice(option: str, value: str, allowed: tuple[str, ...]) -> None:
    """Raise a StudyError unless the value is one of those allowed."""
    if value not in allowed:
        raise StudyError(f"{option}: got {value!r}{suggestion(value, allowed)}; expected one of {', '.join(allowed)}")
