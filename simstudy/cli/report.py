"""``simstudy report``: the page of runs, from their tables alone."""

from pathlib import Path
from typing import Annotated

import typer

from simstudy.errors import StudyError


def report_command(
    runs: Annotated[list[Path], typer.Argument(help="Run folders.")],
    out: Annotated[Path | None, typer.Option(help="HTML file; by default report.html in the run's folder.")] = None,
) -> None:
    """Write the report of runs, from their tables alone."""
    if out is not None and out.is_dir():
        raise StudyError(f"--out {out}: is a folder; expected the name of an HTML file")
    print(f"report: {write_reports(runs, out)}")


def write_reports(folders: list[Path], out: Path | None) -> Path:
    """Score runs, keep their performance tables, and write their report."""
    from simstudy.measures import performance
    from simstudy.report import write_report
    from simstudy.store import Run, write_performance

    runs = [Run.open(folder) for folder in folders]
    tables = [performance(run) for run in runs]
    for run, table in zip(runs, tables, strict=True):
        write_performance(run.folder, table)
    return write_report(runs[0], tables[0], out or runs[0].folder / "report.html")
