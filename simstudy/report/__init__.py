"""Reports: tables of a run in, one HTML file out. Neither JAX nor NumPyro is imported here.

The module can be called, ``simstudy.report(run, path)``: the package offers a function of that name, and importing a
submodule binds the module itself to it. What draws is imported with the first report, so that a command line that
makes none does not wait for it.
"""

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from simstudy.report.protocol import preregistration

if TYPE_CHECKING:
    from simstudy.report.comparing import write_comparison
    from simstudy.report.document import write_report, write_reports
    from simstudy.store.opening import RunSource

__all__ = ["preregistration", "write_comparison", "write_report", "write_reports"]
_PLACES = {
    "write_comparison": "simstudy.report.comparing",
    "write_report": "simstudy.report.document",
    "write_reports": "simstudy.report.document",
}


def __getattr__(name: str) -> Any:
    if name in _PLACES:
        return getattr(import_module(_PLACES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


class CallableReports(ModuleType):
    """This module: what it holds, and what calling it does (``calling.report``)."""

    if TYPE_CHECKING:
        from simstudy.report import figures as figures
        from simstudy.report import publishing as publishing

    def __call__(self, run: "RunSource | Sequence[RunSource]", path: "str | os.PathLike[str] | None" = None) -> Path:
        """Score a run, or several, write their report and return its path; see ``calling.report``."""
        written: Path = import_module("simstudy.report.calling").report(run, path)
        return written


sys.modules[__name__].__class__ = CallableReports
