"""What was planned against what was done: registered study and protocol, the study as it was run, what is stored."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import pandas as pd

from simstudy.errors import StudyError
from simstudy.report.protocol import WRITTEN, study_digest
from simstudy.report.reading.extent import read_extent
from simstudy.report.reading.wording import counted
from simstudy.store import Run
from simstudy.store.extension import ABSENT, leaves

DIGEST = re.compile(r"\b[0-9a-f]{64}\b")
TIME = re.compile(r"\bwritten (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC")
WHEN = "registered protocol written"
LARGEST_TEXT = 50_000_000
MOST_LISTED = 200


@dataclass(frozen=True, kw_only=True)
class Registered:
    """What a registered protocol says of itself.

    Attributes:
        digest: SHA-256 of the planned ``study.json``.
        written: when it was written, or None where it does not say.
    """

    digest: str
    written: datetime | None = None


def deviations(run: Run, *, planned: Mapping[str, Any] | None, registered: Registered | None) -> pd.DataFrame:
    """Return what was planned and what was done, a row each thing that is not as planned, or that nothing can tell.

    Args:
        run: what was done.
        planned: canonical study that was planned, or None where none is given.
        registered: what the registered protocol says of itself, or None without one.

    Returns:
        ``what``, ``planned``, ``done``.
    """
    rows = [
        *_of_digest(run, registered),
        *_of_time(run, registered),
        *_of_study(run.study, planned),
        *_of_fits(run),
        *_of_sessions(run),
    ]
    return pd.DataFrame(rows, columns=["what", "planned", "done"])


def registered_in(protocol: bytes, *, name: str) -> Registered:
    """Return which ``study.json`` a protocol is of, and when it was written, be it Markdown, LaTeX or Word.

    Raises:
        StudyError: it says none, or several.
    """
    text = _word_text(protocol, name) if name.endswith(".docx") else protocol.decode(errors="replace")
    found = set(DIGEST.findall(text.replace(r"\allowbreak{}", "")))
    if len(found) != 1:
        said = "none" if not found else f"{len(found)}"
        raise StudyError(f"--protocol {name}: expected a protocol that says the SHA-256 of study.json, it says {said}")
    when = TIME.findall(text)
    written = datetime.strptime(when[-1], WRITTEN).replace(tzinfo=UTC) if when else None
    return Registered(digest=found.pop(), written=written)


def _word_text(content: bytes, name: str) -> str:
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            entry = archive.getinfo("word/document.xml")
            if entry.file_size > LARGEST_TEXT:
                raise ValueError("it is too large")
            paragraphs = archive.read(entry).decode(errors="replace").replace("</w:p>", "\n")
            return re.sub(r"<[^>]*>", "", paragraphs)
    except (zipfile.BadZipFile, KeyError, ValueError, NotImplementedError) as error:
        raise StudyError(f"--protocol {name}: is no Word document ({type(error).__name__})") from None


def _of_time(run: Run, registered: Registered | None) -> Iterator[tuple[str, str, str]]:
    """Yield that a protocol is younger than the results, or does not say how old it is."""
    sessions = run.provenance.get("sessions", [])
    if registered is None or not sessions:
        return
    began = datetime.fromisoformat(str(sessions[0]["started"]))
    if registered.written is None:
        yield WHEN, "before the run", "it does not say"
    elif registered.written > began:
        yield WHEN, "before the run", f"{registered.written:{WRITTEN}} UTC, after the run began ({began:{WRITTEN}} UTC)"


def _of_digest(run: Run, registered: Registered | None) -> Iterator[tuple[str, str, str]]:
    if registered is None:
        yield "registered protocol", "none is given", "the protocol here was written from the run"
    elif registered.digest != (own := study_digest(run.study)):
        yield "SHA-256 of study.json", registered.digest, own


def _of_study(done: Mapping[str, Any], planned: Mapping[str, Any] | None) -> Iterator[tuple[str, str, str]]:
    """Yield the options of two studies that differ, methods by their names."""
    if planned is None:
        return
    before, now = (dict(leaves(study)) for study in (planned, done))
    methods = [sorted({key[1] for key in part if key[0] == "methods"}) for part in (before, now)]
    for name in sorted({*methods[0], *methods[1]}):
        if name not in methods[0] or name not in methods[1]:
            before_there, now_there = ("there" if name in part else "not there" for part in methods)
            yield f"method {name}", before_there, now_there
    for key in sorted(before | now):
        in_both = key[0] != "methods" or (key[1] in methods[0] and key[1] in methods[1])
        if in_both and before.get(key, ABSENT) != now.get(key, ABSENT):
            what = ".".join(key).replace("methods.", "method ")
            yield what, _text(before.get(key, ABSENT)), _text(now.get(key, ABSENT))


def _of_fits(run: Run) -> Iterator[tuple[str, str, str]]:
    extent = read_extent(run)
    if not extent.is_finished:
        yield "replicates of a scenario and method", f"{extent.planned:,}", extent.replicates
        yield "fits", f"{extent.planned_fits:,}", f"{extent.stored_fits:,}"
    elif extent.stored_fits > extent.planned_fits:
        yield "fits", f"{extent.planned_fits:,}", f"{extent.stored_fits:,}"


def _of_sessions(run: Run) -> Iterator[tuple[str, str, str]]:
    sessions = run.provenance.get("sessions", [])
    if len(sessions) > 1:
        yield "sessions", "1", f"{len(sessions)}: {'; '.join(str(session['command']) for session in sessions[:5])}"
    for number, session in enumerate(sessions[1:], start=2):
        for what in ("versions", "machine", "commit"):
            if what in session:
                yield f"{what} in session {number}", "as in the session before", _text(session[what])


def deviations_text(table: pd.DataFrame, run: Run, *, planned: Mapping[str, Any] | None) -> str:
    """Return the deviations as Markdown."""
    from simstudy.report.publishing.formats import as_markdown

    compared = "the study that was planned and " if planned is not None else ""
    lead = (
        f"Compared are {compared}the study as it was run (study.json, SHA-256 {study_digest(run.study)}) with what is "
        f"stored: {counted(len(run.fits), 'fit')} of {counted(len(run.scenarios), 'scenario')} and "
        f"{counted(len(run.methods), 'method')}."
    )
    if table.empty:
        return f"# Deviations\n\n{lead} Nothing differs.\n"
    more = f"\nand {len(table) - MOST_LISTED} more.\n" if len(table) > MOST_LISTED else ""
    return f"# Deviations\n\n{lead}\n\n{as_markdown(table.head(MOST_LISTED))}{more}"


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {inner}" for name, inner in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(map(str, value))
    return str(value)
