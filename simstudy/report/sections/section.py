"""What a section of a report is made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from matplotlib.figure import Figure

from simstudy.report.figures.canvas import MIDDLE, NARROW, WIDE
from simstudy.report.figures.style import as_in_reports
from simstudy.report.svg import to_svg, with_prefix
from simstudy.report.tables import Table

SMALL = MIDDLE


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A figure twice, for a wide and for a narrow screen, with its caption.

    Attributes:
        name: unique on the page.
        title: what it is.
        caption: what to see in it.
        wide: SVG for screens of 820 pixels and more, and for paper.
        narrow: SVG for phones.
        inches: width of the wide one.
        is_folded: whether it shows when its title is clicked.
    """

    name: str
    title: str
    caption: str
    wide: str
    narrow: str
    inches: float = WIDE
    is_folded: bool = False

    @property
    def is_small(self) -> bool:
        """Whether the caption has room beside the wide one, on a page's full width."""
        return self.inches <= SMALL

    def with_prefix(self, prefix: str) -> Picture:
        """Return the picture under a name that begins with a prefix."""
        wide, narrow = (with_prefix(svg, prefix) for svg in (self.wide, self.narrow))
        return replace(self, name=f"{prefix}{self.name}", wide=wide, narrow=narrow)


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
        is_open: whether it is unfolded when the page opens.
    """

    name: str
    title: str
    paragraphs: Sequence[str] = ()
    pictures: Sequence[Picture] = ()
    terms: Sequence[tuple[str, Sequence[str]]] = ()
    tables: Sequence[Table] = field(default_factory=tuple)
    is_open: bool = True

    def with_prefix(self, prefix: str) -> Section:
        """Return the section with every name in it beginning with a prefix, for a page of several runs."""
        return replace(
            self,
            name=f"{prefix}{self.name}",
            pictures=[picture.with_prefix(prefix) for picture in self.pictures],
            tables=[replace(table, prefix=prefix) for table in self.tables],
        )


def picture(
    name: str, title: str, caption: str, draw: Callable[[float], Figure], *, width: float = WIDE, narrow: float = NARROW
) -> Picture:
    """Return the picture that ``draw`` makes at two widths in inches."""
    words = f"{title}. {caption}"
    with as_in_reports():
        wide, small = (
            drawn(draw, inches, name=f"{name}-{size}", description=words)
            for inches, size in ((width, "wide"), (narrow, "narrow"))
        )
    return Picture(name=name, title=title, caption=caption, wide=wide, narrow=small, inches=width)


def drawn(draw: Callable[[float], Figure], inches: float, *, name: str, description: str) -> str:
    """Return a figure at a width as SVG: nine tenths of the time that a page takes."""
    return to_svg(draw(inches), name=name, description=description)
