"""How the functions of this folder are compiled: once for a version of Numba and stored; they divide as NumPy does."""

from collections.abc import Callable
from typing import Any, TypeVar

from numba import njit

Function = TypeVar("Function", bound=Callable[..., Any])
ANY_ORDER = {"reassoc", "contract", "nsz"}


def native(function: Function) -> Function:
    """Return the function, compiled when it is first called."""
    compiled: Function = njit(cache=True, error_model="numpy")(function)
    return compiled


def reordered(function: Function) -> Function:
    """Return the function, compiled with its sums in the order that is fastest: the same for every row."""
    compiled: Function = njit(cache=True, error_model="numpy", fastmath=ANY_ORDER)(function)
    return compiled
