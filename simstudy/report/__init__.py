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
from simstudy.types import RunTables

if TYPE_CHECKING:
    from simstudy.report.comparing import write_comparison
    from simstudy.report.document import write_report, write_reports

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


class _CallableModule(ModuleType):
    def __call__(self, run: RunTables | Sequence[RunTables], path: str | os.PathLike[str]) -> Path:
        """Score a run, or several, write their report and return its path."""
        runs = list(run) if isinstance(run, Sequence) else [run]
        performance = import_module("simstudy.measures").performance
        return self.write_reports(runs, [performance(each) for each in runs], path)


sys.modules[__name__].__class__ = _CallableModule
