"""A Python file that registers parts (``--load FILE.py``); it is run only when the user names it."""

import importlib.util
import sys
from collections.abc import Iterable
from pathlib import Path

import cloudpickle

from simstudy.errors import StudyError


def load_files(paths: Iterable[str | Path] | None) -> None:
    """Run the Python files that a command line names, in their order.

    Raises:
        StudyError: there is no such file, or running it fails.
    """
    for path in paths or ():
        load_file(path)


def load_file(path: str | Path) -> None:
    """Run a Python file that registers parts.

    Raises:
        StudyError: there is no such file, or running it fails.
    """
    path = Path(path)
    spec = importlib.util.spec_from_file_location(f"simstudy_user_{path.stem}", path)
    if not path.is_file() or spec is None or spec.loader is None:
        raise StudyError(f"--load {path}: expected a Python file that registers parts, such as models or samplers")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        # Whatever a user's file raises is the user's to see, in one line; its exit would pass for that of the run.
        said = error if isinstance(error, StudyError) else f"{type(error).__name__}: {error}"
        raise StudyError(f"--load {path}: {said}") from error
    # Worker processes cannot import the file by name: its functions and classes travel by value.
    cloudpickle.register_pickle_by_value(module)
