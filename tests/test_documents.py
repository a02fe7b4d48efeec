"""Pages that say so are run as they stand, and leave what they promise."""

import re
import shutil
import subprocess

import pytest

from tests.executed import EXECUTED, ROOT, execute

PAGES = [path for path in sorted((ROOT / "docs").glob("*.md")) if path.read_text("utf-8").startswith(EXECUTED)]
POINTS_PER_CM = 72 / 2.54


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where docs/publishing.md has been run."""
    pytest.importorskip("docx")
    import matplotlib as mpl

    folder = tmp_path_factory.mktemp("publishing")
    with pytest.MonkeyPatch.context() as patch, mpl.rc_context():
        patch.chdir(folder)
        execute(ROOT / "docs" / "publishing.md")
    return folder


def test_pages_are_found():
    """The pages on publishing, on Python and on parts of one's own are among those that are run."""
    assert {"extending.md", "publishing.md", "python.md"} <= {path.name for path in PAGES}


def test_python_at_hand(tmp_path, monkeypatch, capsys):
    """Every block of docs/python.md runs, and what it names is there: a study file, a run and its report."""
    pytest.importorskip("arviz")
    monkeypatch.chdir(tmp_path)
    names = execute(ROOT / "docs" / "python.md")
    assert names["page"].resolve() == tmp_path / "runs" / "schools" / "report.html"
    assert names["mean"].dims == ("scenario", "method", "group")
    assert names["posterior"].groups() == ["posterior"]
    assert {path.name for path in tmp_path.iterdir()} == {"runs", "waiting_rooms.toml"}


def test_tables(folder):
    """A Word document with a table, and LaTeX that compiles in an article."""
    import docx

    (table,) = docx.Document(str(folder / "table.docx")).tables
    assert [cell.text for cell in table.rows[0].cells] == ["τ", "none", "partial"]
    assert "$\\tau$" in (folder / "table.tex").read_text("utf-8")
    if shutil.which("pdflatex") is None:
        pytest.skip("needs pdflatex")
    document = "\\documentclass{article}\\usepackage{booktabs}\\begin{document}\\input{table}\\end{document}"
    for name, text in (("article", document), ("waiting", None)):
        if text is not None:
            (folder / f"{name}.tex").write_text(text)
        command = ["pdflatex", "-halt-on-error", "-interaction=nonstopmode", f"{name}.tex"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-2000:]


@pytest.mark.parametrize("name", ["profile", "zip", "coverage"])
def test_figures_have_the_width_and_the_font(folder, name):
    """8.5 cm, with the font embedded."""
    content = (folder / f"{name}.pdf").read_bytes()
    width = float(re.search(rb"/MediaBox \[ ?0 0 ([\d.]+)", content)[1])
    assert width == pytest.approx(8.5 * POINTS_PER_CM, abs=0.1)
    assert b"DejaVuSerif" in content
    assert b"/Type3" not in content


def test_protocols_and_the_published_folder(folder):
    """Nothing deviates from what was registered, and the copy holds what the run has."""
    assert "Nothing differs." in (folder / "copy" / "deviations.md").read_text("utf-8")
    assert (folder / "copy" / "registered" / "protocol.md").read_bytes() == (folder / "protocol.md").read_bytes()
    assert "Waits of twenty customers at each of four desks" in (folder / "waiting.tex").read_text("utf-8")
    assert (folder / "copy" / "report.html").stat().st_size > 10_000


def test_links_lead_somewhere():
    """Every relative link of a page of documentation is a file of the project."""
    for page in (ROOT / "docs").glob("*.md"):
        for target in re.findall(r"\]\(([^)h#][^)#]*)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
