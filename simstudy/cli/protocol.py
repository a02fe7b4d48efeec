"""``simstudy protocol``: a study's pre-registration text, before there is a run."""

from pathlib import Path
from typing import Annotated

import typer

from simstudy.cli.exits import tell
from simstudy.cli.studies import open_study


def protocol_command(
    study: Annotated[str, typer.Argument(help="A TOML file, or the name of a built-in study.")],
    out: Annotated[Path | None, typer.Option(help="Markdown file; standard output by default.")] = None,
    replicates: Annotated[int | None, typer.Option(min=1, help="Instead of the study's own number.")] = None,
    load: Annotated[list[Path] | None, typer.Option(help="Python file that registers models or mechanisms.")] = None,
) -> None:
    """Write what a study will do, in ADEMP terms, for pre-registration."""
    from simstudy.report import preregistration
    from simstudy.store.atomic import write_text
    from simstudy.study.registry import load_file

    for path in load or []:
        load_file(path)
    planned = open_study(study)
    text = preregistration(planned.with_replicates(replicates) if replicates else planned)
    if out is None:
        tell(text.removesuffix("\n"), lines=True)
    else:
        write_text(out, text)
        tell(f"protocol: {out}")
