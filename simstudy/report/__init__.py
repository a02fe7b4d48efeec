"""Reports: tables of a run in, one HTML file out. Neither JAX nor NumPyro is imported here.

The module can be called, ``simstudy.report(run, path)``: the package offers a function of that name, and importing a
submodule binds the module itself to it. What draws is imported with the first report, so that a command line that
makes none does not wait for it.
"""

import os
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from simstudy.report.protocol import preregistration
from simstudy.types import RunTables

if TYPE_CHECKING:
    from simstudy.report.document import write_report

__all__ = ["preregistration", "write_report"]


def __getattr__(name: str) -> Any:
    if name == "write_report":
        return import_module("simstudy.report.document").write_report
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


class _CallableModule(ModuleType):
    def __call__(self, run: RunTables, path: str | os.PathLike[str]) -> Path:
        """Score a run, write its report and return the report's path."""
        performance = import_module("simstudy.measures").performance(run)
        return self.write_report(run, performance, path)


sys.modules[__name__].__class__ = _CallableModule
