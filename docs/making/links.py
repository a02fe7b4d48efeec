"""Links of the finished site: those within lead somewhere, down to the heading; those outside are listed."""

from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

APART = {"_downloads", "_static"}
"""Folders with pages of their own: reports, which link to nothing outside themselves, and parts of the theme."""


class LostLinksError(Exception):
    """Links that lead nowhere, a line each."""


class _Page(HTMLParser):
    """What a page links to, and what in it can be linked to."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.names: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("id", "name") and value:
                self.names.add(value)
            elif name in ("href", "src") and value:
                self.links.append(value)


def check_links(site: Path, *, listed: Path) -> None:
    """Hold every link within the site to its file and its heading, and list those that lead elsewhere.

    Args:
        site: folder of the finished pages.
        listed: file that the addresses outside are written to, a line each.

    Raises:
        LostLinksError: names the links that lead nowhere.
    """
    pages = {path: _read(path) for path in sorted(site.rglob("*.html")) if not APART & set(path.parts)}
    outside: set[str] = set()
    lost: list[str] = []
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                outside.add(link)
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not target.exists():
                lost.append(f"{path.relative_to(site)}: {link}: no such file")
            elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].names:
                lost.append(f"{path.relative_to(site)}: {link}: no such heading")
    listed.write_text("".join(f"{link}\n" for link in sorted(outside)), "utf-8")
    if lost:
        raise LostLinksError("links that lead nowhere:\n  " + "\n  ".join(lost))


def _read(path: Path) -> _Page:
    page = _Page()
    page.feed(path.read_text("utf-8"))
    return page
