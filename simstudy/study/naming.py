"""The file of a study as a user names it: a path, or the name of a built-in one."""

import os
from pathlib import Path

from simstudy.errors import StudyError, suggestion
from simstudy.study.built_in_studies import built_in_studies


def study_file(name: str | os.PathLike[str]) -> Path:
    """Return the file of a study; whether it is there and what it holds is for who reads it.

    Raises:
        StudyError: there is no such built-in study, and the name is that of no file.

    >>> study_file("lecture").name
    'lecture.toml'
    """
    known = built_in_studies()
    if isinstance(name, str) and name in known:
        return known[name]
    path = Path(name)
    if not path.suffix and not path.exists():
        text = os.fspath(name)
        raise StudyError(
            f"no study {text!r}{suggestion(text, known)}; expected a TOML file or a built-in study: {', '.join(known)}"
        )
    return path
