"""Reports: tables of a run in, one HTML file out. Neither JAX nor NumPyro is imported here.

The module can be called, ``simstudy.report(run, path)``: the package offers a function of that name, and importing a
submodule binds the module itself to it.
"""

import os
import sys
from pathlib import Path
from types import ModuleType

from simstudy.measures import performance
from simstudy.report.ademp import preregistration
from simstudy.report.document import write_report
from simstudy.types import RunTables

__all__ = ["preregistration", "write_report"]


class _CallableModule(ModuleType):
    def __call__(self, run: RunTables, path: str | os.PathLike[str]) -> Path:
        """Write the report of a run and return its path."""
        return write_report(run, performance(run), path)


sys.modules[__name__].__class__ = _CallableModule
