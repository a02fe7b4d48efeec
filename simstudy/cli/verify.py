"""``simstudy verify``: whether a run folder or a published folder is what it says, and its fits come again."""

from pathlib import Path
from typing import Annotated

import typer

from simstudy.cli.exits import BAD_ANSWER, tell
from simstudy.cli.options import Load, load_parts


def verify_command(
    folder: Annotated[Path, typer.Argument(help="Run folder, or what publish wrote; it is not changed.")],
    fits: Annotated[int, typer.Option(min=0, help="How many random fits to simulate and fit again.")] = 0,
    seed: Annotated[int, typer.Option(min=0, help="Of the draw of these fits.")] = 0,
    load: Load = None,
    data: Annotated[
        Path | None, typer.Option("--folder", help="Folder of the data file, for a run without its data.")
    ] = None,
) -> None:
    """Say what is missing, foreign or edited, and which fits come again: exit code 0 if all is well, 1 if not."""
    from simstudy.crate.metadata import METADATA, seal
    from simstudy.crate.verify import verify

    load_parts(load)
    found = verify(folder, fits=fits, seed=seed, data_folder=data)
    for line in (*found.problems, *found.sentences):
        tell(line)
    if (folder / METADATA).exists():
        tell(f"SHA-256 of its metadata: {seal(folder)}")
    if not found.is_clean:
        raise typer.Exit(BAD_ANSWER)
    tell("clean: the study and every part are as the run wrote them")
