"""The report of runs, as users ask for it: scored, drawn and written in one call."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import cast

from simstudy.errors import RunError
from simstudy.measures import performance
from simstudy.report.document import write_reports
from simstudy.store import Run
from simstudy.store.opening import RunSource, open_run

PAGE = "report.html"


def report(run: RunSource | Sequence[RunSource], path: str | os.PathLike[str] | None = None) -> Path:
    """Score a run, or several, write their report and return its path.

    Args:
        run: the run, or its folder; or several of them.
        path: HTML file; by default ``report.html`` in the folder of a single run.

    Raises:
        RunError: a folder is no run; or there is no path, and several runs or one that is in no folder.
    """
    runs = [open_run(each) for each in (run if isinstance(run, list | tuple) else [cast("RunSource", run)])]
    if path is None:
        if len(runs) != 1 or not isinstance(runs[0], Run):
            raise RunError("report: several runs, or one that is in no folder, need a path: report(runs, 'page.html')")
        path = runs[0].folder / PAGE
    return write_reports(runs, [performance(each) for each in runs], path)
