"""``simstudy table``: what it writes, and where."""

import io
import sys
from pathlib import Path

import pytest

import simstudy as package
from simstudy.cli.options import read_labels
from simstudy.report.publishing.formats import TEXTS
from tests.cli.test_cli import simstudy

BASELINE = str(Path("benchmarks/regress/baseline").resolve())


@pytest.fixture(scope="module")
def frame():
    return package.table(BASELINE, measure="rmse", estimand="theta")


@pytest.mark.parametrize("form", TEXTS)
def test_standard_output_is_the_table(frame, form, tmp_path):
    """Every format that is text goes to standard output, and to a file with --out, as Python makes it."""
    asked = ["table", BASELINE, "--measure", "rmse", "--estimand", "theta", "--format", form]
    done = simstudy(*asked, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == TEXTS[form](frame)
    done = simstudy(*asked, "--out", "table.txt", cwd=tmp_path)
    assert done.stdout == "table: table.txt\n"
    assert (tmp_path / "table.txt").read_text("utf-8") == TEXTS[form](frame)


def test_a_word_document(frame, tmp_path):
    """It opens and holds the table."""
    docx = pytest.importorskip("docx")
    done = simstudy("table", BASELINE, "--format", "docx", "--out", "table.docx", cwd=tmp_path)
    assert done.returncode == 0
    (table,) = docx.Document(io.BytesIO((tmp_path / "table.docx").read_bytes())).tables
    assert [cell.text for cell in table.rows[0].cells] == list(frame.columns)


def test_without_python_docx(tmp_path, monkeypatch):
    """One message that says how to install it, exit code 2, and no file."""
    monkeypatch.setitem(sys.modules, "docx", None)
    done = simstudy("table", BASELINE, "--format", "docx", "--out", "table.docx", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr == ("simstudy: a Word document needs python-docx: python3 -m pip install 'simstudy[docx]'\n")
    assert not list(tmp_path.iterdir())


def test_long_tables(tmp_path):
    """A row per number, of several measures."""
    done = simstudy(
        "table", BASELINE, "--long", "--format", "csv", "--measure", "rmse", "--measure", "bias", cwd=tmp_path
    )
    head, *rows = done.stdout.splitlines()
    assert head == "τ,measure,method,value,mcse,n_used"
    assert len(rows) == 2 * 2 * 3


def test_unknown_names_are_refused(tmp_path):
    """With the name that was meant, exit code 2 and nothing on standard output."""
    done = simstudy("table", BASELINE, "--measure", "rmes", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "did you mean 'rmse'" in done.stderr


def test_methods_are_called_otherwise(tmp_path):
    """By --label METHOD=TEXT, where the name has an equals sign too; a name that is no method's is refused."""
    first = str(package.Run.open(BASELINE).methods["method"].iloc[0])
    done = simstudy("table", BASELINE, "--label", f"{first}=p = 1", cwd=tmp_path)
    assert "p = 1" in done.stdout.splitlines()[0]
    assert first not in done.stdout
    for text in ("nobody=a", first, f"{first}= "):
        done = simstudy("table", BASELINE, "--label", text, cwd=tmp_path)
        assert (done.returncode, done.stdout) == (2, "")
        assert f"--label {text}: expected METHOD=TEXT, METHOD one of" in done.stderr
    assert read_labels(tmp_path, None) is None
