"""``simstudy verify``: whether a run folder is what its run wrote."""

from pathlib import Path
from typing import Annotated

import typer

from simstudy.cli.exits import BAD_ANSWER


def verify_command(
    run: Annotated[Path, typer.Argument(help="Run folder; it is not changed.")],
) -> None:
    """Say what of a run is missing, foreign or edited: exit code 0 if nothing is, 1 if something is, 2 for no run."""
    from simstudy.store.verification import verify

    if problems := verify(run):
        for problem in problems:
            print(problem)
        raise typer.Exit(BAD_ANSWER)
    print("clean: the study and every part are as the run wrote them")
