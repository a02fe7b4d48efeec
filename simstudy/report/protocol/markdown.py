"""A protocol as Markdown."""

from __future__ import annotations

import re

from simstudy.report.protocol.paper import Block, Grid, Paper, Points

_SPECIAL = re.compile(r"[\\`*#<>\[\]|]")
_EMPHASIS = re.compile(r"(?<!\w)_|_(?!\w)")


def as_markdown(paper: Paper) -> str:
    """Return a text as Markdown, in which no name can be read as more than a name."""
    parts = [f"## {title}\n\n" + "\n\n".join(map(_block, blocks)) for title, blocks in paper.sections]
    return f"# {plain(paper.title)}\n\n" + "\n\n".join(parts) + "\n"


def plain(text: str) -> str:
    """Return a text with the characters that Markdown would read escaped; an underscore within a word is not read."""
    return _EMPHASIS.sub(r"\\_", _SPECIAL.sub(r"\\\g<0>", " ".join(text.split())))


def _block(block: Block) -> str:
    if isinstance(block, Points):
        return "\n".join(f"- {plain(line)}" for line in block.lines)
    if isinstance(block, Grid):
        rows = [map(plain, block.heads), ["---"] * len(block.heads), *(map(plain, row) for row in block.rows)]
        return "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return plain(block.text)
