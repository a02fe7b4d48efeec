"""A protocol as a Word document, by python-docx, which the extra ``docx`` brings."""

from __future__ import annotations

import io
from typing import Any

from simstudy.report.protocol.paper import Block, Grid, Paper, Points


def as_docx(paper: Paper) -> bytes:
    """Return a text as a Word document, with Word's own headings and lists.

    Raises:
        TableError: python-docx is not installed.
    """
    from simstudy.report.publishing.word import printable, python_docx

    document = python_docx().Document()
    document.add_heading(printable(paper.title), level=0)
    for title, blocks in paper.sections:
        document.add_heading(printable(title), level=1)
        for block in blocks:
            _add(document, block)
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def _add(document: Any, block: Block) -> None:
    from simstudy.report.publishing.word import add_table, printable

    if isinstance(block, Points):
        for line in block.lines:
            document.add_paragraph(printable(line), style="List Bullet")
    elif isinstance(block, Grid):
        add_table(document, [list(block.heads), *map(list, block.rows)], right=[False] * len(block.heads))
        document.add_paragraph()
    else:
        document.add_paragraph(printable(block.text))
