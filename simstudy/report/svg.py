"""A matplotlib figure as inline SVG that follows the page: text stays text, colors become CSS variables.

What is dropped is what a page cannot use: the XML prologue, metadata, the ids of groups. Clip paths and markers keep
their ids, salted with the picture's name, since they are referred to and must be unique on the page.
"""

from __future__ import annotations

import io
import re
import warnings
from html import escape
from itertools import groupby
from operator import itemgetter
from typing import Any

import matplotlib as mpl
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from simstudy.report.reading.palette import variable_of

FONTS = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
PX_PER_INCH = 96
LINES = "stroke-linejoin:round;stroke-linecap:butt"

_COLOR = re.compile(r"#[0-9a-fA-F]{6}\b")
_NUMBER = re.compile(r"-?\d+\.\d{3,}")
_TAG = re.compile(r"<[^>]+>")
_PROLOGUE = re.compile(r"^.*?(?=<svg)", re.DOTALL)
_METADATA = re.compile(r"<metadata>.*?</metadata>", re.DOTALL)
_GROUP_ID = re.compile(r'<g id="[^"]*"')
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_SPACE = re.compile(r">\s+<")
_ROOT = re.compile(r"<svg[^>]*>")
_STYLE = re.compile(r'<defs>\s*<style type="text/css">.*?</style>\s*</defs>', re.DOTALL)
_CELL = re.compile(
    r'<path d="M (?P<a>\S+) (?P<b>\S+) \s*L (?P<c>\S+) (?P=b) \s*L (?P=c) (?P<d>\S+) \s*L (?P=a) (?P=d) '
    r'\s*L (?P=a) (?P=b) \s*" clip-path="[^"]*" style="fill: (?P<fill>#[0-9a-f]{6})"/>'
)
_MARK = re.compile(r'<((?:use xlink:href|path d)="[^>]*?")((?: clip-path="[^"]*")? style="[^"]*")/>')
_MARKS = re.compile(rf"(?:{_MARK.pattern}){{2,}}")
_PLACE = re.compile(r'\b([xy])="([^"]*)"')
_INNER_ID = re.compile(r'\bid="|url\(#|href="#')
_TEXT_FONT = re.compile(r"font-family: [^;\"]*;? ?")


def to_svg(figure: Figure, *, name: str, description: str) -> str:
    """Return the figure as an ``<svg>`` element for an HTML page.

    Args:
        figure: a matplotlib figure.
        name: unique on the page; makes the element's inner ids unique and reproducible.
        description: what the picture shows, in words, for those who do not see it.
    """
    width, height = (PX_PER_INCH * inches for inches in figure.get_size_inches())
    text = _PROLOGUE.sub("", _draw(figure, name), count=1)
    for pattern in (_METADATA, _COMMENT, _STYLE, _TEXT_FONT):
        text = pattern.sub("", text)
    text = _GROUP_ID.sub("<g", text)
    text = _TAG.sub(_round_numbers, text)
    text = _TAG.sub(_name_colors, _CELL.sub(_as_rect, text))
    text = _MARKS.sub(_share_style, _SPACE.sub("><", text).replace("\n", ""))
    view = 72 / PX_PER_INCH
    size = f'data-width="{width:.0f}" data-height="{height:.0f}" style="max-width:{width:.0f}px;{LINES}"'
    names = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    box = f'viewBox="0 0 {width * view:.0f} {height * view:.0f}"'
    root = f'<svg {names} {box} role="img" aria-label="{escape(description)}" font-family="{FONTS}" {size}>'
    return _ROOT.sub(lambda _: root, text, count=1).strip()


def with_prefix(svg: str, prefix: str) -> str:
    """Return an ``<svg>`` element whose inner ids, and what refers to them, begin with a prefix.

    >>> with_prefix('<path id="p1" clip-path="url(#p2)"/><use xlink:href="#m3"/>', "a-")
    '<path id="a-p1" clip-path="url(#a-p2)"/><use xlink:href="#a-m3"/>'
    """
    return _INNER_ID.sub(rf"\g<0>{prefix}", svg)


def _draw(figure: Figure, name: str) -> str:
    """Return what matplotlib writes. Laid out here, since ``savefig`` would draw everything once more to do so."""
    buffer = io.StringIO()
    canvas = FigureCanvasSVG(figure)
    settings: dict[Any, Any] = {"svg.fonttype": "none", "svg.hashsalt": name, "svg.id": None}
    with mpl.rc_context(settings), warnings.catch_warnings():
        # The reader's fonts draw the text; letters that matplotlib's lacks are measured wrong at most.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        if (engine := figure.get_layout_engine()) is not None:
            engine.execute(figure)
            figure.set_layout_engine("none")
        canvas.print_svg(buffer, metadata={"Date": None, "Creator": None})
    return buffer.getvalue()


def _round_numbers(tag: re.Match[str]) -> str:
    """Round inside tags alone: a number that a reader sees stays as it is."""
    return _NUMBER.sub(lambda match: f"{float(match.group()):.2f}".rstrip("0").rstrip("."), tag.group())


def _name_colors(tag: re.Match[str]) -> str:
    return _COLOR.sub(_as_variable, tag.group())


def _as_rect(match: re.Match[str]) -> str:
    """Return a map's cell as a rectangle, in half the letters and without seams between cells."""
    left, top, right, bottom = (float(match[name]) for name in ("a", "b", "c", "d"))
    place = f'x="{left:g}" y="{min(top, bottom):g}" width="{right - left:.2f}" height="{abs(bottom - top):.2f}"'
    return f'<rect {place} fill="{match["fill"]}" shape-rendering="crispEdges"/>'


def _share_style(run: re.Match[str]) -> str:
    """Give markers and lines that are drawn in one style that style once: a third of the letters of a scatter plot."""
    styled = groupby(_MARK.findall(run.group()), key=itemgetter(1))
    return "".join(f"<g{style}>{''.join(_bare(mark) for mark, _ in marks)}</g>" for style, marks in styled)


def _bare(mark: str) -> str:
    """Return a mark without its style, placed to a tenth of a point."""
    return "<" + _PLACE.sub(lambda place: f'{place[1]}="{float(place[2]):.1f}"', mark) + "/>"


def _as_variable(match: re.Match[str]) -> str:
    color = match.group()
    variable = variable_of(color)
    return f"var(--{variable},{color})" if variable else color
