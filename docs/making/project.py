"""Pages that stand beside the package, as pages of the site; links between them and the documentation lead on."""

import os
import re
from pathlib import Path

PAGES = {
    "architecture": "ARCHITECTURE.md",
    "contributing": "CONTRIBUTING.md",
    "security": "SECURITY.md",
    "changelog": "CHANGELOG.md",
    "benchmarks": "benchmarks/README.md",
}
"""Page of ``docs/project`` -> the file that it is, from the root of the project."""
FOLDER = "docs/project"
LINK = re.compile(r"\]\((?P<path>[^):#\s]+)(?P<heading>#[^)\s]*)?\)")


def project_pages(root: Path) -> dict[str, str]:
    """Return page -> its text, with links as the page has to have them."""
    return {
        name: relinked((root / file).read_text("utf-8"), written_in=Path(file), page=f"{FOLDER}/{name}.md")
        for name, file in PAGES.items()
    }


def relinked(text: str, *, written_in: Path, page: str) -> str:
    """Return a page with its links to files as they lead from where it stands on the site.

    Args:
        text: of the page.
        written_in: the file that its links are written in, from the root of the project.
        page: where it stands, from the root of the project.

    >>> relinked("[trust](../SECURITY.md), [here](own_data.md#priors)", written_in=Path("docs/a.md"), page="docs/a.md")
    '[trust](project/security.md), [here](own_data.md#priors)'
    >>> relinked("[more](docs/clusters.md)", written_in=Path("SECURITY.md"), page="docs/project/security.md")
    '[more](../clusters.md)'
    """
    on_site = {file: f"{FOLDER}/{name}.md" for name, file in PAGES.items()}

    def lead(link: re.Match[str]) -> str:
        target = os.path.normpath(written_in.parent / link["path"])
        path = os.path.relpath(on_site.get(target, target), Path(page).parent)
        return f"]({path}{link['heading'] or ''})"

    return LINK.sub(lead, text)
