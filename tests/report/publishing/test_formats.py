"""Documents hold the table that they are given: read back, every cell is there; nothing breaks out of its cell."""

import csv
import io
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser

import pytest

import simstudy
from simstudy.errors import TableError
from simstudy.report.publishing.formats import TEXTS, as_text
from simstudy.report.publishing.latex import escaped
from simstudy.report.publishing.word import INSTALL, as_docx

EVIL = 'a|b & <i>"c"</i> _d_ $e$ 5 % #f ~g^h {i} \\j\n=k'


@pytest.fixture(scope="module")
def frame(paper_run, paper_scores):
    """A table of two measures, one method with a name that tries every sign of every format."""
    made = simstudy.table(paper_run, measure=["rmse", "coverage"], performance=paper_scores)
    return made.rename(columns={"none": EVIL})


class Cells(HTMLParser):
    def __init__(self):
        super().__init__()
        self.rows, self.tags = [], set()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_data(self, data):
        if self.rows and self.rows[-1] and self.lasttag in ("td", "th"):
            self.rows[-1][-1] += data.strip("\n") if data == "\n" else data


def lines_of(frame):
    texts = as_text(frame)
    return [list(map(str, texts.columns)), *texts.to_numpy(object).tolist()]


def test_html_is_the_table(frame):
    """Parsed, the fragment has the cells and no element of a name."""
    read = Cells()
    read.feed(TEXTS["html"](frame))
    assert read.rows == lines_of(frame)
    assert read.tags == {"table", "caption", "thead", "tbody", "tr", "th", "td"}


def test_csv_is_the_table(frame):
    """Read back, it has the cells."""
    assert list(csv.reader(io.StringIO(TEXTS["csv"](frame)))) == lines_of(frame)


def test_csv_of_a_long_table_has_every_digit(paper_run, paper_scores):
    """Numbers stay numbers, to the last bit."""
    made = simstudy.table(paper_run, wide=False, performance=paper_scores)
    read = list(csv.DictReader(io.StringIO(TEXTS["csv"](made))))
    assert [float(row["value"]) for row in read] == made["value"].tolist()


def test_markdown_is_the_table(frame):
    """Split at its unescaped pipes, it has the cells; every line has as many."""
    lines = TEXTS["markdown"](frame).splitlines()
    read = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    assert {len(row) for row in read} == {frame.shape[1]}
    assert [row[0] for row in read[2:]] == as_text(frame)["J"].tolist()
    assert all(set(rule) <= set("-:") for rule in read[1])


def test_latex_holds_together(frame):
    """Braces and dollars are paired, and each line has the ampersands of its columns."""
    text = TEXTS["latex"](frame)
    bare = re.sub(r"\\[\\{}$&#_%]", "", text)
    assert bare.count("{") == bare.count("}")
    assert bare.count("$") % 2 == 0
    rows = [line for line in text.splitlines() if line.endswith("\\\\")]
    assert len(rows) == len(frame) + 1
    assert {len(re.findall(r"(?<!\\)&", row)) for row in rows} == {frame.shape[1] - 1}
    for rule in ("\\toprule", "\\midrule", "\\bottomrule"):
        assert text.count(rule) == 1
    assert text.isascii()


def test_latex_of_many_rows_breaks_over_pages(paper_run, paper_scores):
    """More rows than a page has are a longtable, whose head comes again."""
    made = simstudy.table(paper_run, measure=["rmse", "coverage", "bias"], wide=False, performance=paper_scores)
    text = TEXTS["latex"](made)
    assert len(made) > 40
    assert "\\begin{longtable}{rrllrrr}" in text
    assert "\\endhead" in text
    assert "\\begin{tabular}" not in text


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="LaTeX is not installed")
def test_latex_compiles(frame, paper_run, paper_scores, tmp_path):
    """With booktabs and longtable alone, both kinds of table become a page, names of every sign among them."""
    made = simstudy.table(paper_run, measure=["rmse", "coverage", "bias"], wide=False, performance=paper_scores)
    packages = "\\usepackage[utf8]{inputenc}\\usepackage{booktabs,longtable}"
    body = TEXTS["latex"](frame) + TEXTS["latex"](made.rename(columns={"method": EVIL}))
    text = f"\\documentclass{{article}}{packages}\\begin{{document}}\n{body}\\end{{document}}\n"
    (tmp_path / "paper.tex").write_text(text, "utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]


@pytest.mark.parametrize("letter", "αβγδεζηθικλμνξοπρσςτυφχψωΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩ")
def test_greek_letters_are_commands_that_latex_has(letter):
    """matplotlib's own reader of LaTeX knows every one of them, or it is a letter of Latin shape."""
    from matplotlib.mathtext import MathTextParser

    text = escaped(letter)
    assert re.fullmatch(r"\$(\\[a-zA-Z]+|[A-Zo])\$", text)
    MathTextParser("path").parse(text)


def test_docx_is_the_table(frame):
    """Opened again, the document has caption and cells, and a head that repeats."""
    docx = pytest.importorskip("docx")
    document = docx.Document(io.BytesIO(as_docx(frame)))
    (table,) = document.tables
    assert [[cell.text for cell in row.cells] for row in table.rows] == lines_of(frame)
    assert document.paragraphs[0].text == frame.attrs["caption"]
    assert "w:tblHeader" in table.rows[0]._tr.xml
    assert "w:tblHeader" not in table.rows[1]._tr.xml


def test_without_python_docx_the_message_says_how_to_get_it(frame, monkeypatch):
    """One sentence, with the command."""
    monkeypatch.setitem(sys.modules, "docx", None)
    with pytest.raises(TableError, match=re.escape(INSTALL)):
        as_docx(frame)
