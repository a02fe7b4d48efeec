"""The description of a run that was made before runs stored one: its study is made again to say it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from simstudy.study.study import Study


def describe(canonical: Mapping[str, Any], *, folder: Path | None = None) -> dict[str, Any]:
    """Return ``Study.description`` of a run's canonical study.

    Args:
        canonical: ``study.json``.
        folder: what the path of a data file is relative to.

    Raises:
        StudyError: a model or mechanism of the study is not registered, or its data file is not there.
    """
    return Study.from_canonical(canonical, folder=folder).description
