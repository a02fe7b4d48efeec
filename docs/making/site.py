"""What Sphinx is told beside its settings: pages become notebooks, the reference is written, links are checked."""

from typing import Any

from docs.making.pages import as_notebook


def setup(app: Any) -> dict[str, Any]:
    """Connect the steps of making the site to those of Sphinx."""
    app.connect("source-read", _read)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _read(app: Any, page: str, source: list[str]) -> None:
    source[0] = as_notebook(source[0])
