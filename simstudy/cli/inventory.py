"""``simstudy list``: what there is."""

from textwrap import fill
from typing import Annotated

import typer

from simstudy.cli.exits import tell
from simstudy.cli.options import Load, check_choice, load_parts

WIDTH = 100
LISTED = ("studies", "mechanisms", "likelihoods", "structures", "terms", "samplers", "models", "measures")


def list_command(
    what: Annotated[str | None, typer.Argument(help=f"One of {', '.join(LISTED)}; without it, all names.")] = None,
    load: Load = None,
) -> None:
    """Say what there is, a line each."""
    if what is not None:
        check_choice("WHAT", what, LISTED)
    load_parts(load)
    from simstudy.cli.parts import inventory

    if what is None:
        for kind in LISTED:
            listed = ", ".join(inventory(kind)) or "none; --load FILE.py registers your own"
            tell(fill(f"{kind}: {listed}", WIDTH, subsequent_indent="  "), lines=True)
        return
    lines = inventory(what)
    width = max(map(len, lines), default=0)
    for name, text in lines.items():
        tell(f"{name:<{width}}  {text}")
