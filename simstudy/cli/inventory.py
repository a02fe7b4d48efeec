"""``simstudy list``: what there is."""

from textwrap import fill
from typing import Annotated

import typer

from simstudy.cli.exits import tell
from simstudy.cli.options import Load, check_choice, load_parts
from simstudy.cli.parts import LISTED, NAMED, inventory

WIDTH = 100


def list_command(
    what: Annotated[
        str | None,
        typer.Argument(
            help=f"One of {', '.join(LISTED)}; without it, names of all parts.",
            autocompletion=lambda incomplete: [kind for kind in LISTED if kind.startswith(incomplete)],
        ),
    ] = None,
    load: Load = None,
) -> None:
    """Say what there is, a line each."""
    if what is not None:
        check_choice("WHAT", what, LISTED)
    load_parts(load)
    if what is None:
        for kind in NAMED:
            names = ", ".join(name for name, _ in inventory(kind)) or "none; --load FILE.py registers your own"
            tell(fill(f"{kind}: {names}", WIDTH, subsequent_indent="  "), lines=True)
        tell(f"and, each with its own list: {', '.join(kind for kind in LISTED if kind not in NAMED)}")
        return
    lines = inventory(what)
    width = max((len(name) for name, _ in lines), default=0)
    for name, text in lines:
        tell(f"{name:<{width}}  {text}")
