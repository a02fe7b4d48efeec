"""Results that go straight into a paper: tables and figures of a run, made for print.

>>> from simstudy.report.publishing import cell
>>> cell(0.70712, 0.0123)
'0.707 (0.012)'
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from simstudy.report.publishing.group_table import group_table
from simstudy.report.publishing.numbers import cell
from simstudy.report.publishing.tabulate import table

if TYPE_CHECKING:
    from simstudy.report.publishing.draw import available, content, figure

__all__ = ["available", "cell", "content", "figure", "group_table", "table"]


def __getattr__(name: str) -> Any:
    if name in __all__:  # what draws is imported with the first figure
        return getattr(import_module("simstudy.report.publishing.draw"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
