"""The page: sections put together in one self-contained HTML file."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from simstudy.report.evidence import Evidence
from simstudy.report.palette import Mark, css_variables, variable_of
from simstudy.report.sections import SECTIONS
from simstudy.report.sections.answer import answers, key_picture
from simstudy.report.wording import counted
from simstudy.types import RunTables

ERROR = "the Monte Carlo standard error (MCSE) over replicates"
SAMPLER_ERROR = "the Monte Carlo standard error (MCSE) of the sampler, over its seeds"
_QUOTED = re.compile("“(.*?)”")


def write_report(run: RunTables, performance: pd.DataFrame, path: str | os.PathLike[str]) -> Path:
    """Write the report of a run as one HTML file that needs no other file and no network; return its path.

    Args:
        run: the run's tables.
        performance: its performance table.
        path: the file to write; it is whole or not there.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    text = render(Evidence(run=run, performance=performance))
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink()
        raise
    return path


def render(evidence: Evidence) -> str:
    """Return the page as HTML."""
    about = evidence.study["study"]
    sections = [section for make in SECTIONS if (section := make(evidence))]
    return (
        _environment()
        .get_template("template.html.j2")
        .render(
            title=about["name"],
            aim=about.get("aim") or "",
            facts=facts(evidence),
            answers=answers(evidence),
            error_of=SAMPLER_ERROR if evidence.is_dataset else ERROR,
            picture=key_picture(evidence),
            sections=sections,
            chips=lambda text: with_chips(text, evidence.marks),
            colors=css_variables(),
        )
    )


def facts(evidence: Evidence) -> list[str]:
    """Return the size of the study in a few words each."""
    run = evidence.run
    return [
        counted(len(run.scenarios), "scenario"),
        counted(len(run.methods), "method"),
        counted(int(evidence.study["study"]["replicates"]), "replicate"),
        counted(len(run.fits), "fit"),
    ]


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
