"""A text with headings, lists and tables, of no format yet."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Prose:
    """A paragraph."""

    text: str


@dataclass(frozen=True)
class Points:
    """A list, a line each."""

    lines: tuple[str, ...]


@dataclass(frozen=True)
class Grid:
    """A table of texts: its heads and its rows."""

    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


Block = Prose | Points | Grid


@dataclass(frozen=True)
class Paper:
    """A title, and under each heading what stands there."""

    title: str
    sections: tuple[tuple[str, tuple[Block, ...]], ...]
