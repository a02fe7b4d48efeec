"""Why a fit failed, in one line that a person can act on: what was raised, and where.

The place is that in the user's own code, and where nothing of it was running that in this package.
"""

import re
import sysconfig
import traceback
from pathlib import Path

from simstudy.errors import SimstudyError, printable

LONGEST = 300
OUT_OF_MEMORY = re.compile(r"out of memory|RESOURCE_EXHAUSTED|unable to allocate", re.IGNORECASE)
AMOUNT = re.compile(r"(?:allocating|allocate)\s+(\d[\d.]*)\s+(bytes|[KMGTPE]iB)", re.IGNORECASE)
GIB = 2**30
# Frames below these folders are not the user's.
FOREIGN = tuple(
    dict.fromkeys(
        [str(Path(__file__).parents[1]), *(sysconfig.get_paths()[name] for name in ("stdlib", "purelib", "platlib"))]
    )
)


def reason_of(error: BaseException) -> str:
    """Return the reason that stands in a fit's row.

    >>> reason_of(MemoryError("Unable to allocate 72.8 TiB for an array"))
    'out of memory: 72.8 TiB were asked for at once; a smaller model, fewer draws or fewer workers need less'
    >>> reason_of(KeyError("y"))
    "KeyError: 'y'"
    """
    text = str(error)
    if isinstance(error, SimstudyError):
        return printable(text[:LONGEST])
    if isinstance(error, MemoryError) or OUT_OF_MEMORY.search(text):
        amount = AMOUNT.search(text)
        asked = f"{_size(*amount.groups())} were asked for at once; " if amount else ""
        return f"out of memory: {asked}a smaller model, fewer draws or fewer workers need less"
    first = text.strip().partition("\n")[0]
    what = f"{type(error).__name__}: {first}" if first else f"{type(error).__name__} without a message"
    return printable(f"{what[:LONGEST]}{_where(error)}")


def _size(number: str, unit: str) -> str:
    return f"{float(number) / GIB:,.1f} GiB" if unit.lower() == "bytes" else f"{number} {unit}"


def _where(error: BaseException) -> str:
    """Return the innermost place in the user's own code, or else in this package; an empty text where there is none."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [
        frame for frame in frames if not frame.filename.startswith(FOREIGN) and not frame.filename.startswith("<frozen")
    ] or [frame for frame in frames if frame.filename.startswith(FOREIGN[0])]
    if not own:
        return ""
    return f" (in {own[-1].name}, {Path(own[-1].filename).name} line {own[-1].lineno})"
