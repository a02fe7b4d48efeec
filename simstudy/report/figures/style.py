"""How figures look and what they call things: settings, the caller's own axes, the caller's own names.

A setting of matplotlib that the session has changed (``matplotlib.rcParams["font.family"] = "Times New Roman"``) wins
over the style; sizes follow ``font.size``. Reports look alike whatever the session has set (``as_in_reports``).
Nothing global is changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import matplotlib as mpl
import seaborn as sns
from matplotlib.axes import Axes

from simstudy.report.reading.palette import GRID, INK, MUTED

SIZE, FAMILY = "font.size", "font.family"
STYLE: dict[str, Any] = {
    "font.family": ["DejaVu Sans"],
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 9,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "legend.fontsize": 9,
    "text.color": INK,
    "axes.titlecolor": INK,
    "axes.labelcolor": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "axes.edgecolor": MUTED,
    "axes.linewidth": 0.8,
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "axes.grid": True,
    "grid.color": GRID,
    "grid.linewidth": 0.7,
    "axes.axisbelow": True,
    "xtick.major.size": 3,
    "ytick.major.size": 3,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "lines.linewidth": 1.6,
    "lines.markersize": 5,
    "figure.constrained_layout.h_pad": 0.06,
    "figure.constrained_layout.w_pad": 0.06,
    "figure.constrained_layout.hspace": 0.04,
    "figure.constrained_layout.wspace": 0.03,
    "axes.unicode_minus": True,
    "text.parse_math": False,
    "axes.formatter.useoffset": False,
}
SIZES = ("axes.titlesize", "axes.labelsize", "xtick.labelsize", "ytick.labelsize", "legend.fontsize")
FACES = ("font.sans-serif", "font.serif", "font.monospace", "font.cursive", "font.fantasy")


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """What the caller of a figure asks for: axes to draw on, and names."""

    ax: Axes | None = None
    labels: Mapping[str, str] = field(default_factory=dict)


_ASKED: ContextVar[_Asked] = ContextVar("asked", default=_Asked())  # noqa: B039 - nothing changes it
_SET: ContextVar[Mapping[str, Any]] = ContextVar("settings", default={})  # noqa: B039 - nothing changes it


@contextmanager
def drawing(*, ax: Axes | None = None, labels: Mapping[str, str] | None = None) -> Iterator[None]:
    """Draw in the style inside the block, on the caller's axes and by the caller's names where there are any.

    Matplotlib's settings are as before after it.

    Args:
        ax: axes to draw on, for figures of one panel.
        labels: name -> what is written in its place.
    """
    token = _ASKED.set(_Asked(ax=ax, labels=labels or {}))
    try:
        with mpl.rc_context(settings()):
            yield
    finally:
        _ASKED.reset(token)


@contextmanager
def as_in_reports() -> Iterator[None]:
    """Draw and write by the style alone inside the block, whatever the session has set.

    The block has to hold the writing, too: matplotlib makes some ticks when it lays them out, by the settings of then.
    """
    with mpl.rc_context(), setting({}):
        mpl.rcdefaults()
        yield


@contextmanager
def setting(chosen: Mapping[Any, Any]) -> Iterator[None]:
    """Let settings of matplotlib win over the style inside the block, be they matplotlib's own defaults or not."""
    token = _SET.set(chosen)
    try:
        with mpl.rc_context(dict(chosen)):
            yield
    finally:
        _SET.reset(token)


def settings() -> dict[Any, Any]:
    """Return the style, less what the session has set itself, with sizes in proportion to its ``font.size``."""
    style: dict[Any, Any] = {**sns.axes_style("ticks"), **STYLE}
    own = {**_changed(style), **_SET.get()}
    if SIZE in own:
        style |= {name: STYLE[name] * own[SIZE] / STYLE[SIZE] for name in SIZES}
    return {**style, **own}


def _changed(style: Mapping[Any, Any]) -> dict[Any, Any]:
    """Return the session's settings that are not matplotlib's own, of those that the style has."""
    now: Mapping[Any, Any] = mpl.rcParams
    default: Mapping[Any, Any] = mpl.rcParamsDefault
    changed = {name: now[name] for name in style if now[name] != default[name]}
    if any(now[name] != default[name] for name in FACES):
        changed[FAMILY] = now[FAMILY]
    return changed


def points(size: float) -> float:
    """Return a size of text in points, in proportion to the size that the figure is drawn with."""
    now: Mapping[Any, Any] = mpl.rcParams
    return size * now[SIZE] / STYLE[SIZE]


def asked_axes() -> Axes | None:
    """Return the axes that the caller wants the figure on, if any."""
    return _ASKED.get().ax


def called(*names: str, length: int | None = None) -> str:
    """Return the caller's label of the first of some names that has one, else the last name, cut at a length.

    >>> with drawing(labels={"rmse": "Error"}):
    ...     called("rmse", "RMSE"), called("bias", "bias of the mean", length=6)
    ('Error', 'bias…')
    """
    labels = _ASKED.get().labels
    found = next((labels[name] for name in names if name in labels), None)
    if found is not None:
        return found
    return names[-1] if length is None else clip_text(names[-1], length)


def clip_text(text: str, length: int) -> str:
    """Return the text, cut at a number of characters.

    >>> clip_text("a long label", 7)
    'a long…'
    """
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"
