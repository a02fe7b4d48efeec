"""A table as a Word document, by python-docx, which the extra ``docx`` brings."""

from __future__ import annotations

import io
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import pandas as pd

from simstudy.errors import TableError
from simstudy.report.publishing.formats import as_text, is_numeric

INSTALL = "a Word document needs python-docx: python3 -m pip install 'simstudy[docx]'"
RULE, THIN = "8", "4"
"""Lines of a table in eighths of a point: above and below it, and under its head."""


def as_docx(frame: pd.DataFrame) -> bytes:
    """Return a document that holds the table: its caption, a head that repeats on every page, three lines.

    Raises:
        TableError: python-docx is not installed.
    """
    texts, document = as_text(frame), python_docx().Document()
    if caption := frame.attrs.get("caption"):
        document.add_paragraph(printable(caption), style="Caption")
    right = [is_numeric(texts.iloc[:, i]) for i in range(texts.shape[1])]
    add_table(document, [[str(name) for name in texts.columns], *texts.to_numpy(object).tolist()], right=right)
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def add_table(document: Any, lines: Sequence[Sequence[str]], *, right: Sequence[bool]) -> None:
    """Add a table of texts to a document.

    Args:
        document: of python-docx.
        lines: its head, then its rows.
        right: by column, whether it stands to the right.
    """
    table = document.add_table(rows=len(lines), cols=len(right))
    for row, cells in zip(table.rows, lines, strict=True):
        for place, text, is_right in zip(row.cells, cells, right, strict=True):
            _write(place.paragraphs[0], text, is_right=is_right, bold=cells is lines[0])
    _rule(table.rows[0], top=RULE, bottom=THIN)
    _rule(table.rows[-1], bottom=RULE)
    table.rows[0]._tr.get_or_add_trPr().append(_element("w:tblHeader"))


def python_docx() -> Any:
    """Return the package.

    Raises:
        TableError: it is not installed; says how to.
    """
    try:
        return import_module("docx")
    except ModuleNotFoundError as error:
        raise TableError(INSTALL) from error


def _write(paragraph: Any, text: str, *, is_right: bool, bold: bool) -> None:
    alignment = import_module("docx.enum.text").WD_ALIGN_PARAGRAPH
    run = paragraph.add_run(printable(text))
    run.bold = bold
    run.font.size = import_module("docx.shared").Pt(9)
    paragraph.paragraph_format.space_after = 0
    paragraph.alignment = alignment.RIGHT if is_right else alignment.LEFT


def _rule(row: Any, **sides: str) -> None:
    for place in row.cells:
        properties = place._tc.get_or_add_tcPr()
        borders = properties.find(import_module("docx.oxml.ns").qn("w:tcBorders"))
        if borders is None:
            borders = _element("w:tcBorders")
            properties.append(borders)
        for side, size in sides.items():
            borders.append(_element(f"w:{side}", val="single", sz=size, space="0", color="auto"))


def _element(tag: str, **attributes: str) -> Any:
    qn = import_module("docx.oxml.ns").qn
    made = import_module("docx.oxml").OxmlElement(tag)
    for name, value in attributes.items():
        made.set(qn(f"w:{name}"), value)
    return made


def printable(text: str) -> str:
    """Return a text without the control characters that XML cannot hold."""
    return "".join(letter for letter in text if letter.isprintable() or letter in "\n\t")
