"""A figure of a run by its name, in the width and font of a journal; written to a file."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager

from simstudy.errors import TableError, suggestion
from simstudy.measures import performance as score
from simstudy.report.evidence import Evidence
from simstudy.report.figures.style import setting
from simstudy.report.publishing.drawings import DRAWINGS, Drawing
from simstudy.report.publishing.wish import Wish
from simstudy.report.reading.scenarios import find_scenarios
from simstudy.report.reading.vocabulary import speaking
from simstudy.store.opening import RunSource, open_run

KINDS = ("pdf", "svg", "png")
DPI = 300
CM_PER_INCH = 2.54
GENERIC = ("serif", "sans-serif", "monospace")
TRUE_TYPE = 42
"""The kind of fonts that journals take; matplotlib's own, Type 3, many refuse."""
UNDATED: dict[str, dict[str, None]] = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}
"""Metadata that leaves out the time, so that the same figure is the same file."""


def figure(
    run: RunSource,
    name: str,
    *,
    scenario: str | None = None,
    estimand: str | None = None,
    measure: str | None = None,
    labels: Mapping[str, str] | None = None,
    ax: Axes | None = None,
    width: float | None = None,
    performance: pd.DataFrame | None = None,
) -> Figure:
    """Return a figure of a run, methods in the colors that they have in its report.

    Args:
        run: the run, or its folder.
        name: of the figure, one of ``available(run)``.
        scenario: id, label or part of a label (``tau=0.5``); figures over the design are drawn of all that fit it.
        estimand: that of the run's answer where left out.
        measure: the figure's own where left out.
        labels: name -> what is written for it, of methods, scenarios, measures and estimands.
        ax: axes to draw on, where the figure has one panel.
        width: in centimeters; below 15.3 it is laid out for a column.
        performance: the run's performance table, if it is at hand; scored anew where left out.

    Raises:
        RunError: the folder is no run.
        TableError: there is no such figure, or the run has not what it draws.
    """
    drawing = _drawing(name)
    if ax is not None and not drawing.takes_axes:
        raise TableError(f"figure {name}: has panels that belong together, in a figure of its own; leave ax out")
    evidence = _evidence(run, performance)
    with speaking(evidence.description.vocabulary):
        found = None if scenario is None else tuple(find_scenarios(evidence.run, evidence.design, scenario))
        wish = Wish(evidence=evidence, scenarios=found, estimand=estimand, measure=measure)
        how: dict[str, Any] = {"labels": labels} | ({} if width is None else {"width": width / CM_PER_INCH})
        if ax is not None:
            how["ax"] = ax
        try:
            return drawing.read(wish)(**how)
        except TableError as error:
            raise TableError(f"figure {name}: {error}") from error


def available(run: RunSource, *, performance: pd.DataFrame | None = None) -> dict[str, tuple[str, str]]:
    """Return name -> (what it shows, why the run has nothing of the kind or an empty text), of every figure."""
    evidence = _evidence(run, performance)
    with speaking(evidence.description.vocabulary):
        return {name: (drawing.line, _missing(drawing, evidence)) for name, drawing in DRAWINGS.items()}


def content(drawn: Figure, kind: str, *, dpi: float = DPI) -> bytes:
    """Return a figure as the bytes of a file, on white paper.

    Args:
        drawn: the figure.
        kind: ``pdf``, ``svg`` or ``png``.
        dpi: dots per inch of a PNG.
    """
    buffer = io.BytesIO()
    settings: dict[Any, Any] = {"pdf.fonttype": TRUE_TYPE, "svg.hashsalt": "simstudy"}
    when = UNDATED.get(kind)
    with mpl.rc_context(settings):
        drawn.savefig(buffer, format=kind, dpi=dpi, facecolor="white", metadata=when)
    return buffer.getvalue()


def in_font(family: str | None, size: float | None) -> Any:
    """Return a context in which figures have a font; sizes of text in proportion to ``size``, 9 points by default.

    Raises:
        TableError: this machine has no such font.
    """
    chosen: dict[str, Any] = {}
    if family is not None:
        known = sorted({font.name for font in fontManager.ttflist})
        if family not in (*known, *GENERIC):
            near = suggestion(family, known)
            raise TableError(f"font: this machine has no {family!r}{near}; {_some(known)}")
        chosen["font.family"] = [family]
    if size is not None:
        chosen["font.size"] = size
    return setting(chosen)


def _some(fonts: list[str]) -> str:
    plain = [name for name in fonts if not name.startswith(("STIX", "cm"))]
    return f"it has {', '.join(plain[:6])}{' and others' if len(plain) > 6 else ''}"


def _drawing(name: str) -> Drawing:
    called = name.replace("_", "-").removesuffix("-plot")
    if called not in DRAWINGS:
        raise TableError(f"figure: there is no {name!r}{suggestion(called, DRAWINGS)}; there are {', '.join(DRAWINGS)}")
    return DRAWINGS[called]


def _evidence(run: RunSource, performance: pd.DataFrame | None) -> Evidence:
    tables = open_run(run)
    return Evidence(run=tables, performance=score(tables) if performance is None else performance)


def _missing(drawing: Drawing, evidence: Evidence) -> str:
    """Return why a figure cannot be drawn of any scenario, or an empty text."""
    tried = [(scenario,) for scenario in evidence.labels] if drawing.is_of_one else [None]
    reason = ""
    for scenarios in tried:
        try:
            drawing.read(Wish(evidence=evidence, scenarios=scenarios))
        except TableError as error:
            reason = str(error)
        else:
            return ""
    return reason
