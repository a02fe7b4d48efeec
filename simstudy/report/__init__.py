"""Reports: tables of a run in, one HTML file out. Neither JAX nor NumPyro is imported here.

What draws is imported with the first report, so that a command line that makes none does not wait for it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from simstudy.report.ademp import preregistration

if TYPE_CHECKING:
    from simstudy.report.document import write_report

__all__ = ["preregistration", "write_report"]


def __getattr__(name: str) -> Any:
    if name == "write_report":
        return import_module("simstudy.report.document").write_report
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
