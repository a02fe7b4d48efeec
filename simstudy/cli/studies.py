"""A study as the command line names it: a TOML file, or the name of a built-in one."""

from pathlib import Path
from typing import Any

from simstudy.errors import StudyError, suggestion


def open_study(name: str) -> Any:
    """Return the study.

    Raises:
        StudyError: There is no such file and no such built-in study, or the file is no valid study.
    """
    from simstudy.cli.parts import built_in_studies
    from simstudy.study.study import Study

    known = built_in_studies()
    if name in known:
        return Study.from_toml(known[name])
    if not Path(name).suffix and not Path(name).exists():
        raise StudyError(
            f"no study {name!r}{suggestion(name, known)}; expected a TOML file or a built-in study: {', '.join(known)}"
        )
    return Study.from_toml(name)
