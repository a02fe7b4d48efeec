"""How the functions of this folder are compiled: once for a version of Numba and stored; they divide as NumPy does.

Numba looks at the file of the function that is called, not at those of the functions that it calls, so what was stored
before any source of the folder was changed is forgotten.
"""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from numba import njit

Function = TypeVar("Function", bound=Callable[..., Any])
ANY_ORDER = {"reassoc", "contract", "nsz"}
SOURCES = Path(__file__).parent
INDEX = "*.nbi"


def native(function: Function) -> Function:
    """Return the function, compiled when it is first called."""
    compiled: Any = njit(cache=True, error_model="numpy")(function)
    _forget_stale(compiled)
    return compiled


def reordered(function: Function) -> Function:
    """Return the function, compiled with its sums in the order that is fastest: the same for every call."""
    compiled: Any = njit(cache=True, error_model="numpy", fastmath=ANY_ORDER)(function)
    _forget_stale(compiled)
    return compiled


def _forget_stale(compiled: Any) -> None:
    """Remove what is stored of a function, where a source of the folder is newer."""
    newest = max(path.stat().st_mtime for path in [*SOURCES.glob("*.py"), SOURCES.parent / "effect.py"])
    stored = Path(compiled._cache.cache_path)  # Numba has no public name for where it stores a function
    stem = f"{Path(compiled.py_func.__code__.co_filename).stem}.{compiled.py_func.__name__}-"
    with suppress(OSError):
        for index in stored.glob(INDEX):
            if index.name.startswith(stem) and index.stat().st_mtime < newest:
                index.unlink(missing_ok=True)
