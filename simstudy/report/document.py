"""The page: sections put together in one self-contained HTML file."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from simstudy.report.evidence import Evidence
from simstudy.report.parts import Part, folder_name, make_part, with_anchors
from simstudy.report.reading.palette import Mark, css_variables, variable_of
from simstudy.report.reading.readings import quick_to_read
from simstudy.store.atomic import write_text
from simstudy.types import RunTables

_QUOTED = re.compile("“(.*?)”")


def write_report(run: RunTables, performance: pd.DataFrame, path: str | os.PathLike[str]) -> Path:
    """Write the report of a run as one HTML file that needs no other file and no network; return its path.

    Args:
        run: the run's tables.
        performance: its performance table.
        path: the file to write; it is whole or not there.
    """
    return write_reports([run], [performance], path)


def write_reports(
    runs: Sequence[RunTables], performances: Sequence[pd.DataFrame], path: str | os.PathLike[str]
) -> Path:
    """Write the report of several runs as one HTML file, a part for each and before them what each found.

    Args:
        runs: the runs' tables.
        performances: their performance tables, in the same order.
        path: the file to write; it is whole or not there.
    """
    return write_page(lay_out(make_parts(runs, performances)), path)


def make_parts(runs: Sequence[RunTables], performances: Sequence[pd.DataFrame]) -> list[Part]:
    """Return the parts of a page, one for each run, told apart where there are several.

    Args:
        runs: the runs' tables.
        performances: their performance tables, in the same order.
    """
    both = zip(runs, performances, strict=True)
    parts = [make_part(Evidence(run=run, performance=quick_to_read(table))) for run, table in both]
    return with_anchors(parts, [folder_name(run) for run in runs]) if len(parts) > 1 else parts


def write_page(text: str, path: str | os.PathLike[str]) -> Path:
    """Write a page as one file that is whole or not there; return its path."""
    write_text(Path(path), text)
    return Path(path)


def lay_out(parts: Sequence[Part], *, title: str = "") -> str:
    """Return the page of some parts as HTML.

    Args:
        parts: one, or several with anchors that tell them apart.
        title: of several parts that belong together; without one they are runs that stand for themselves.
    """
    template = _environment().get_template("template.html.j2")
    return template.render(parts=parts, title=title, chips=with_chips, colors=css_variables())


def with_chips(text: str, marks: Mapping[str, Mark]) -> Markup:
    """Return a sentence as HTML, escaped, with the names of methods in their colors.

    Args:
        text: plain text with names of methods in typographic quotes.
        marks: method -> how it is drawn.
    """
    parts = _QUOTED.split(text)
    return Markup("").join(_chip(part, marks) if i % 2 else escape(_unbroken(part)) for i, part in enumerate(parts))


def _unbroken(text: str) -> str:
    """Return the text with spaces that no line may break at, around = and ± and before %."""
    for spaced in (" = ", " ± ", " %"):
        text = text.replace(spaced, spaced.replace(" ", "\u00a0"))
    return text


def _chip(name: str, marks: Mapping[str, Mark]) -> Markup:
    if name not in marks:
        return escape(f"“{name}”")
    return Markup('<b class="method" style="--mark:var(--{})">{}</b>').format(variable_of(marks[name].light), name)


def _json(value: object) -> Markup:
    """Return JSON that cannot end the script element it stands in."""
    text = json.dumps(value, ensure_ascii=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)  # noqa: S704 - escaped in the lines above


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("simstudy.report", "page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["as_json"] = _json
    environment.filters["svg"] = Markup
    return environment
