"""Which functions make rows of draws: the compiled ones where Numba is installed, NumPy's where it is not.

The two agree to the rounding of their sums: 3e-5 of an effective sample size, 1e-10 of what has no autocovariances.

Compiled functions are always those that are stored. A process that compiles them itself keeps, of a function that
others call, the copy that it made first, whose sums may be rounded otherwise: its rows would differ from those of any
later process in their last bits. So a process of its own compiles and stores them, one at a time on a machine.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import nullcontext, suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from filelock import FileLock

from simstudy.summaries import rows
from simstudy.summaries.rows import Columns

RowColumns = Callable[..., Columns]
PACKAGE_PARENT = Path(__file__).parents[2]
COMPILE = "from simstudy.summaries.compiled.stored import store; store()"


@cache
def row_columns() -> RowColumns:
    """Return the fastest ``row_columns`` there is; where it has to be compiled first, this takes seconds."""
    if find_spec("numba") is None:
        return rows.row_columns
    from simstudy.summaries.compiled.rows import row_columns as compiled
    from simstudy.summaries.compiled.stored import folder, is_stored

    if not is_stored():
        where = folder()
        with FileLock(where / "simstudy.lock") if os.access(where, os.W_OK) else nullcontext():
            if not is_stored():
                _compile()
    return compiled


def _compile() -> None:
    """Compile and store in another process; where that cannot be, this one compiles when it needs to."""
    paths = [str(PACKAGE_PARENT), *filter(None, [os.environ.get("PYTHONPATH")])]
    with suppress(OSError, subprocess.SubprocessError):
        subprocess.run(  # noqa: S603 - this Python, with fixed arguments
            [sys.executable, "-c", COMPILE],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=300,
            check=False,
        )
