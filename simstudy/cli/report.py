"""``simstudy report``: the page of runs, from their tables alone."""

from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Annotated

import typer

from simstudy.cli.exits import tell
from simstudy.cli.options import Load, load_parts
from simstudy.errors import StudyError


def report_command(
    runs: Annotated[list[Path], typer.Argument(help="Run folders.")],
    out: Annotated[
        Path | None, typer.Option(help="HTML file; by default report.html in the run's folder, or beside several runs.")
    ] = None,
    load: Load = None,
) -> None:
    """Write the report of runs, from their tables alone."""
    load_parts(load)
    if out is not None and out.is_dir():
        raise StudyError(f"--out {out}: is a folder; expected the name of an HTML file")
    tell(f"report: {write_reports(runs, out)[0]}")


def write_reports(folders: list[Path], out: Path | None) -> tuple[Path, list[str]]:
    """Score runs, keep their performance tables, and write their report: one page, with a part for each run.

    Several runs have no folder of their own: their page goes, by default, where their folders lie.

    Returns:
        The page, and the sentences that its first part leads with.
    """
    from simstudy.errors import RunError
    from simstudy.measures import performance
    from simstudy.report.document import lay_out, make_parts, write_page
    from simstudy.store import Run, write_performance
    from simstudy.store.atomic import writing

    runs = [Run.open(folder) for folder in folders]
    tables = [performance(run) for run in runs]
    for run, table in zip(runs, tables, strict=True):
        with nullcontext() if out is None else suppress(RunError):  # a read-only run has a report elsewhere
            write_performance(run.folder, table)
    first = runs[0].folder
    page = out or (first if len(runs) == 1 else first.parent) / "report.html"
    parts = make_parts(runs, tables)
    with writing(page.parent):
        return write_page(lay_out(parts), page), list(parts[0].lead)
