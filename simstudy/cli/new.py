"""``simstudy new``: a study file to begin from, every key told in words."""

from pathlib import Path
from typing import Annotated

import typer

from simstudy.cli.exits import tell
from simstudy.cli.options import existing_folder, study_names
from simstudy.errors import StudyError
from simstudy.study.naming import study_file

ENDING = ".toml"


def new_command(
    name: Annotated[str, typer.Argument(help="Of the study; its file is NAME.toml.")],
    like: Annotated[
        str, typer.Option(help="Study to begin from: a TOML file, or a built-in one.", autocompletion=study_names)
    ] = "pooling",
) -> None:
    """Write a study file to edit, with every key told in words and the options that are left to their defaults.

    simstudy new mine --like lecture
    """
    target = Path(name if name.endswith(ENDING) else f"{name}{ENDING}")
    existing_folder("NAME", target)
    if target.exists():
        raise StudyError(f"{target}: is there already, and is not written over; give another name")
    pattern = study_file(like)
    from simstudy.store.atomic import publish, stage, writing
    from simstudy.study.commented import commented
    from simstudy.study.study_file import check_sections, read_study_file

    check_sections(read_study_file(pattern))
    text = commented(pattern.read_text("utf-8"), name=target.name.removesuffix(ENDING))
    with writing(target.parent):
        publish(stage(target.parent, text.encode()), target)
    tell(f"study: {target}")
