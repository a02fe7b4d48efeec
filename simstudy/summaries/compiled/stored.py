"""Whether the compiled functions are stored, for this source, processor and version of Numba; and storing them."""

from pathlib import Path
from typing import Any

import numpy as np
from numba import typeof

from simstudy.summaries.compiled import rows
from simstudy.summaries.compiled.asked import asked_of


def _arguments() -> tuple[Any, ...]:
    """Return arguments of the types that every call has."""
    return np.zeros((1, 8)), np.zeros(1), np.zeros(1, bool), asked_of(1, 8, (0.25, 0.75)), np.full((1, 22), np.nan)


_DISPATCHER: Any = rows.describe


def _stored() -> Any:
    return _DISPATCHER._cache  # Numba has no public name for where it stores a function


def folder() -> Path:
    """Return where Numba stores the functions; it makes the folder when it does."""
    where = Path(_stored().cache_path)
    where.mkdir(parents=True, exist_ok=True)
    return where


def is_stored() -> bool:
    """Whether a call would load what is stored and compile nothing."""
    types = tuple(typeof(one) for one in _arguments())
    return _stored().load_overload(types, _DISPATCHER.targetctx) is not None


def store() -> None:
    """Compile and store the functions, unless they are."""
    rows.describe(*_arguments())
