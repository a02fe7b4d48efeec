"""Whether the compiled functions are stored, for this source, processor and version of Numba; and storing them."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numba import typeof

from simstudy.summaries import diagnostics, quantile_errors, ranks
from simstudy.summaries import rows as in_numpy
from simstudy.summaries.compiled import rows
from simstudy.summaries.compiled.asked import asked_of

CONSTANTS = (diagnostics, quantile_errors, ranks, in_numpy)
"""Modules whose constants are compiled in."""
INDEX = ".nbi"


def _arguments() -> tuple[Any, ...]:
    """Return arguments of the types that every call has."""
    return np.zeros((1, 8)), np.zeros(1), np.zeros(1, bool), asked_of(1, 8, (0.25, 0.75)), np.full((1, 22), np.nan)


_DISPATCHER: Any = rows.describe


def _stored() -> Any:
    return _DISPATCHER._cache  # Numba has no public name for where it stores a function


def _sources() -> list[Path]:
    return [*Path(rows.__file__).parent.glob("*.py"), *(Path(str(module.__file__)) for module in CONSTANTS)]


def _newest(paths: Iterable[Path]) -> float:
    """Return when the newest of some files was written; 0 where there is none."""
    return max((path.stat().st_mtime for path in paths), default=0.0)


def folder() -> Path:
    """Return where Numba stores the functions; it makes the folder when it does."""
    where = Path(_stored().cache_path)
    where.mkdir(parents=True, exist_ok=True)
    return where


def is_stored() -> bool:
    """Whether a call would load what is stored, and that was made of the sources as they are.

    Numba looks at the file of the function that is called, not at those of the functions that it calls.
    """
    if _newest(folder().glob(f"rows.describe-*{INDEX}")) < _newest(_sources()):
        return False
    types = tuple(typeof(one) for one in _arguments())
    return _stored().load_overload(types, _DISPATCHER.targetctx) is not None


def store() -> None:
    """Compile the functions and store them in the place of all that were stored before."""
    for index in folder().glob(f"*{INDEX}"):
        index.unlink()
    rows.describe(*_arguments())
