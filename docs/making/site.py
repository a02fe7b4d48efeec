"""What Sphinx is told beside its settings: make the runs, write the reference, read pages as notebooks, check links."""

from pathlib import Path
from typing import Any

from sphinx.util.parallel import make_chunks

from docs.making.docstrings import as_plain
from docs.making.gallery import gallery_page
from docs.making.kernel import BUILD
from docs.making.links import check_links
from docs.making.pages import EXECUTED, as_notebook
from docs.making.project import project_pages, relinked
from docs.making.reference.write import write_changed, write_reference
from docs.making.runs import make_runs

BEFORE_NAPOLEON, LAST = 400, 900


def setup(app: Any) -> dict[str, Any]:
    """Connect the steps of making the site to those of Sphinx."""
    app.connect("builder-inited", _prepare)
    app.connect("env-before-read-docs", _share_out)
    app.connect("source-read", _read)
    app.connect("autodoc-process-docstring", _read_docstring, priority=BEFORE_NAPOLEON)
    app.connect("build-finished", _finish, priority=LAST)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _prepare(app: Any) -> None:
    """Write what is written from code, and make the runs that pages show, before pages are looked for."""
    source = Path(app.srcdir)
    write_reference(source / "reference")
    for name, text in project_pages(source.parent).items():
        write_changed(source / "project" / f"{name}.md", text)
    write_changed(source / "gallery" / "index.md", gallery_page())
    make_runs(source / BUILD / "runs")


def _share_out(app: Any, env: Any, names: list[str]) -> None:
    """Order pages so that each process is given as many that are executed: Sphinx hands out pages in a row."""
    source = Path(app.srcdir)
    executed = [name for name in names if (source / f"{name}.md").read_text("utf-8").startswith(EXECUTED)]
    others = [name for name in names if name not in executed]
    size = max(map(len, make_chunks(names, app.parallel)), default=0)
    ordered: list[str] = []
    for i in range(app.parallel):
        own = executed[i :: app.parallel]
        filled = max(size - len(own), 0)
        ordered += own + others[:filled]
        others = others[filled:]
    names[:] = ordered + others


def _read(app: Any, page: str, source: list[str]) -> None:
    file = f"{Path(app.srcdir).name}/{page}.md"
    text = source[0] if page.startswith("project/") else relinked(source[0], written_in=Path(file), page=file)
    source[0] = as_notebook(text)


def _read_docstring(app: Any, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    lines[:] = as_plain(lines)


def _finish(app: Any, error: Exception | None) -> None:
    if error is None and app.builder.format == "html":
        check_links(Path(app.outdir), listed=Path(app.srcdir) / BUILD / "external_links.txt")
