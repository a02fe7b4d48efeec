"""Which functions make rows of draws: the compiled ones where Numba is installed, NumPy's where it is not.

The two agree to the rounding of their sums: 3e-5 of an effective sample size, 1e-10 of what has no autocovariances.
"""

from collections.abc import Callable
from functools import cache
from importlib.util import find_spec

from simstudy.summaries import rows
from simstudy.summaries.rows import Columns

RowColumns = Callable[..., Columns]


@cache
def row_columns() -> RowColumns:
    """Return the fastest ``row_columns`` there is."""
    if find_spec("numba") is None:
        return rows.row_columns
    from simstudy.summaries.compiled.rows import row_columns as compiled

    return compiled
