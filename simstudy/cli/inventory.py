"""``simstudy list``: what there is."""

from textwrap import fill
from typing import Annotated

import typer

from simstudy.cli.exits import tell
from simstudy.cli.options import check_choice
from simstudy.cli.parts import LISTED, inventory

WIDTH = 100


def list_command(
    what: Annotated[
        str | None,
        typer.Argument(
            help=f"One of {', '.join(LISTED)}; without it, all names.",
            autocompletion=lambda incomplete: [kind for kind in LISTED if kind.startswith(incomplete)],
        ),
    ] = None,
) -> None:
    """Say what there is, a line each."""
    if what is not None:
        check_choice("WHAT", what, LISTED)
    if what is None:
        for kind in LISTED:
            names = dict.fromkeys(name.rpartition(" ")[2] for name, _ in inventory(kind))
            tell(fill(f"{kind}: {', '.join(names)}", WIDTH, subsequent_indent="  "), lines=True)
        return
    lines = inventory(what)
    width = max(len(name) for name, _ in lines)
    for name, text in lines:
        tell(f"{name:<{width}}  {text}")
