"""``simstudy show``: a study's file, its size, and every prior that it takes, the default ones among them."""

import math
from typing import Annotated, Any

import typer

from simstudy.cli.exits import tell
from simstudy.cli.options import Load, load_parts, study_names
from simstudy.errors import StudyError
from simstudy.study.naming import study_file


def show_command(
    study: Annotated[
        str, typer.Argument(help="A TOML file, or the name of a built-in study.", autocompletion=study_names)
    ],
    load: Load = None,
) -> None:
    """Print a study file with what it comes to as comments: a study file again, to be edited.

    simstudy show lecture > mine.toml
    """
    file = study_file(study)
    from simstudy.store.opening import is_run_folder
    from simstudy.study.opening import open_study

    if is_run_folder(file):
        raise StudyError(f"{study}: is a run, and keeps no study file; expected a TOML file or a built-in study")
    load_parts(load)
    shown = open_study(file)
    tell(file.read_text("utf-8").removesuffix("\n"), lines=True)
    for line in ["", *comments(shown)]:
        tell(f"# {line}" if line else "")


def comments(study: Any) -> list[str]:
    """Return size and priors of a study, a line each, and the priors that its data or its truth contradict.

    Args:
        study: a ``simstudy.Study``.
    """
    from simstudy.store.cards import counted, size_words
    from simstudy.study.conflict import told_of

    sizes = len(study.scenarios), len(study.methods), study.replicates
    lines = [f"{size_words(*sizes)}: {counted(math.prod(sizes), 'fit')}"]
    scaled = study.priors_of_data
    for method in study.methods:
        if method.priors_text:
            of_data = " (scaled to the data)" if method.name in scaled else ""
            lines.append(f"priors of {method.name}: {method.priors_text}{of_data}")
    for one in study.extensions:
        said = f"{one['part']} ({one['package']})" if one["package"] else one["part"]
        lines.append(f"extension: {said}{': ' if one['words'] else ''}{one['words']}")
    return lines + [f"warning: {told}" for told in told_of(study.conflicts)]
