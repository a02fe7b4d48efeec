"""``simstudy protocol``: a study's pre-registration text, before there is a run."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from simstudy.cli.exits import tell
from simstudy.cli.options import Load, check_study, load_parts, study_names
from simstudy.errors import StudyError


def protocol_command(
    study: Annotated[
        str,
        typer.Argument(help="A TOML file, the name of a built-in study, or a run.", autocompletion=study_names),
    ],
    out: Annotated[
        Path | None, typer.Option(help="File ending in .md, .tex or .docx; else Markdown on standard output.")
    ] = None,
    replicates: Annotated[int | None, typer.Option(min=1, help="Instead of the study's own number.")] = None,
    load: Load = None,
) -> None:
    """Write what a study will do, in ADEMP terms, for pre-registration."""
    check_study(study)
    from simstudy.report.protocol import FORMS, preregistration, protocol
    from simstudy.store.atomic import write_content
    from simstudy.study.opening import open_study

    if out is not None:
        if out.suffix not in FORMS:
            raise StudyError(f"--out {out}: expected a file ending in {', '.join(FORMS)}")
        if out.suffix == ".docx":
            from simstudy.report.publishing.word import python_docx

            python_docx()  # is missed before a study is read
    load_parts(load)
    planned = open_study(study)
    planned = planned.with_replicates(replicates) if replicates else planned
    now = datetime.now(UTC)
    if out is None:
        tell(preregistration(planned, written=now).removesuffix("\n"), lines=True)
    else:
        write_content(out, FORMS[out.suffix](protocol(planned, written=now)))
        tell(f"protocol: {out}")
