"""``simstudy list``: what there is."""

from typing import Annotated

import typer

from simstudy.cli.options import check_choice

LISTED = ("studies", "mechanisms", "likelihoods", "structures", "samplers", "measures")


def list_command(what: Annotated[str, typer.Argument(help=f"One of {', '.join(LISTED)}.")]) -> None:
    """Say what there is, a line each."""
    check_choice("WHAT", what, LISTED)
    from simstudy.inventory import inventory

    lines = inventory(what)
    width = max(map(len, lines))
    for name, text in lines.items():
        print(f"{name:<{width}}  {text}")
