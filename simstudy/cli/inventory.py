"""``simstudy list``: what there is."""

from textwrap import fill
from typing import Annotated

import typer

from simstudy.cli.exits import tell
from simstudy.cli.options import check_choice

WIDTH = 100
LISTED = ("studies", "mechanisms", "likelihoods", "structures", "terms", "samplers", "measures")


def list_command(
    what: Annotated[str | None, typer.Argument(help=f"One of {', '.join(LISTED)}; without it, all names.")] = None,
) -> None:
    """Say what there is, a line each."""
    if what is not None:
        check_choice("WHAT", what, LISTED)
    from simstudy.cli.parts import inventory

    if what is None:
        for kind in LISTED:
            tell(fill(f"{kind}: {', '.join(inventory(kind))}", WIDTH, subsequent_indent="  "), lines=True)
        return
    lines = inventory(what)
    width = max(map(len, lines))
    for name, text in lines.items():
        tell(f"{name:<{width}}  {text}")
