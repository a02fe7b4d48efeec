"""What a section of a report is made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from matplotlib.figure import Figure

from simstudy.report.figures.canvas import NARROW, WIDE
from simstudy.report.svg import to_svg
from simstudy.report.tables import Table

SMALL = 5.5


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A figure twice, for a wide and for a narrow screen, with its caption.

    Attributes:
        name: unique on the page.
        title: what it is.
        caption: what to see in it.
        wide: SVG for screens of 820 pixels and more, and for paper.
        narrow: SVG for phones.
        is_small: whether the caption has room beside the wide one.
    """

    name: str
    title: str
    caption: str
    wide: str
    narrow: str
    is_small: bool = False


@dataclass(frozen=True, kw_only=True)
class Section:
    """One question of a report.

    Attributes:
        name: its id on the page.
        title: its heading.
        paragraphs: what is said before the pictures.
        pictures: figures, in order.
        terms: definitions, as (term, lines).
        tables: tables, in order.
    """

    name: str
    title: str
    paragraphs: Sequence[str] = ()
    pictures: Sequence[Picture] = ()
    terms: Sequence[tuple[str, Sequence[str]]] = ()
    tables: Sequence[Table] = field(default_factory=tuple)


def picture(
    name: str, title: str, caption: str, draw: Callable[[float], Figure], *, width: float = WIDE, narrow: float = NARROW
) -> Picture:
    """Return the picture that ``draw`` makes at two widths in inches."""
    words = f"{title}. {caption}"
    wide, small = (
        to_svg(draw(inches), name=f"{name}-{size}", description=words)
        for inches, size in ((width, "wide"), (narrow, "narrow"))
    )
    return Picture(name=name, title=title, caption=caption, wide=wide, narrow=small, is_small=width <= SMALL)
