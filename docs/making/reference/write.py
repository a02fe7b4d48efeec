"""Write the pages of the reference, each by the module that knows it."""

from collections.abc import Callable
from pathlib import Path

from docs.making.reference.api import api_page
from docs.making.reference.commands import commands_page
from docs.making.reference.families import estimands_page, families_page, priors_page
from docs.making.reference.keys import keys_page
from docs.making.reference.measures import measures_page
from docs.making.reference.tables import tables_page

PAGES: dict[str, Callable[[], str]] = {
    "keys": keys_page,
    "commands": commands_page,
    "families": families_page,
    "priors": priors_page,
    "estimands": estimands_page,
    "measures": measures_page,
    "tables": tables_page,
    "python": api_page,
}


def write_reference(folder: Path) -> None:
    """Write all pages of the reference."""
    for name, page in PAGES.items():
        write_changed(folder / f"{name}.md", page())


def write_changed(path: Path, text: str) -> None:
    """Write a page whose text has changed, so that Sphinx reads none in vain."""
    if not path.exists() or path.read_text("utf-8") != text:
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
