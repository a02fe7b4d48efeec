"""``simstudy table``: measures of a run, or the groups of its data, as a table for a paper."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from simstudy.cli.options import Load, check_choice, existing_folder, load_parts, read_labels
from simstudy.errors import StudyError

DOCX = "docx"
FORMATS = ("markdown", "latex", DOCX, "csv", "html")


def table_command(
    run: Annotated[Path, typer.Argument(help="Run folder.")],
    measure: Annotated[list[str] | None, typer.Option(help="Measure; may be given again. By default rmse.")] = None,
    estimand: Annotated[list[str] | None, typer.Option(help="Estimand; may be given again.")] = None,
    wide: Annotated[bool, typer.Option("--wide/--long", help="A column a method, or a row a number.")] = True,
    groups: Annotated[bool, typer.Option("--groups", help="Groups of real data by their names, instead.")] = False,
    level: Annotated[float | None, typer.Option(help="Level of intervals; by default the one nearest to 0.95.")] = None,
    label: Annotated[
        list[str] | None, typer.Option(help="What a method is called, METHOD=TEXT; may be given again.")
    ] = None,
    form: Annotated[str, typer.Option("--format", help=f"One of {', '.join(FORMATS)}.")] = FORMATS[0],
    out: Annotated[Path | None, typer.Option(help="File; standard output by default.")] = None,
    load: Load = None,
) -> None:
    """Write measures of a run as a table for a paper: factors, methods, values with their MCSE."""
    load_parts(load)
    check_choice("--format", form, FORMATS)
    if groups and (measure or estimand or label or level is not None or not wide):
        raise StudyError("--groups: a table of groups has no measures; leave out the other options of the table")
    if out is None and form == DOCX:
        raise StudyError("--format docx: a Word document needs a file; add --out table.docx")
    if out is not None:
        existing_folder("--out", out)
    if form == DOCX:
        from simstudy.report.publishing.word import python_docx

        python_docx()  # is missed before a run is scored
    from simstudy.report.publishing import group_table, table

    if groups:
        frame = group_table(run)
    else:
        labels, names = read_labels(run, label), estimand or None
        frame = table(run, measure=measure or "rmse", estimand=names, wide=wide, level=level, labels=labels)
    content = _content(frame, form)
    if out is None:
        sys.stdout.write(content.decode())
    else:
        from simstudy.store.atomic import publish, stage, writing

        with writing(out.parent):
            publish(stage(out.parent, content), out)
        print(f"table: {out}")


def _content(frame: Any, form: str) -> bytes:
    if form == DOCX:
        from simstudy.report.publishing.word import as_docx

        return as_docx(frame)
    from simstudy.report.publishing.formats import TEXTS

    return TEXTS[form](frame).encode()
