"""A study as the command line names it: a TOML file, or the name of a built-in one."""

from pathlib import Path
from typing import Any

from simstudy.errors import StudyError, suggestion


def open_study(name: str) -> Any:
    """Return the study.

    Raises:
        StudyError: There is no such file and no such built-in study, or the file is no valid study.
    """
    path = study_file(name)
    from simstudy.study.study import Study

    return Study.from_toml(path)


def study_file(name: str) -> Path:
    """Return the file of a study; whether it is there and what it holds is for who reads it.

    Raises:
        StudyError: There is no such built-in study, and the name is that of no file.
    """
    from simstudy.cli.parts import built_in_studies

    known = built_in_studies()
    if name in known:
        return Path(known[name])
    if not Path(name).suffix and not Path(name).exists():
        raise StudyError(
            f"no study {name!r}{suggestion(name, known)}; expected a TOML file or a built-in study: {', '.join(known)}"
        )
    return Path(name)
