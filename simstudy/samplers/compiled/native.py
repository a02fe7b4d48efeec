"""How the functions of this folder are compiled: stored, and whole, so that no process rounds sums otherwise.

What a compiled function calls is inlined into it. A call of another compiled function would have, in the process that
compiled both, a copy of its own, whose sums may be rounded otherwise than those of the copy that is stored.
"""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from numba import njit

Function = TypeVar("Function", bound=Callable[..., Any])
ANY_ORDER = {"reassoc", "contract", "nsz"}


def compiled(function: Function) -> Function:
    """Return a function that Python calls, compiled with its sums in the order that is fastest."""
    out: Function = njit(cache=True, error_model="numpy", fastmath=ANY_ORDER)(function)
    return out


def inlined(function: Function) -> Function:
    """Return a function that compiled ones call, which becomes part of them."""
    out: Function = njit(inline="always", error_model="numpy", fastmath=ANY_ORDER)(function)
    return out


def forget_older(folder: Path) -> None:
    """Forget what was stored of older sources: Numba looks at the file of a function, not at what is inlined in it."""
    newest = max(path.stat().st_mtime for path in folder.glob("*.py"))
    for index in folder.glob("__pycache__/*.nbi"):
        with suppress(OSError):
            if index.stat().st_mtime < newest:
                index.unlink()


forget_older(Path(__file__).parent)
