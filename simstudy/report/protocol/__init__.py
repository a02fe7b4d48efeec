"""What a study will do, written before there is a single number: a pre-registration in ADEMP terms.

The study alone is needed. Leaves to ``markdown``, ``latex`` and ``word`` what a document looks like.
"""

from collections.abc import Callable
from datetime import datetime

from simstudy.report.protocol.content import WRITTEN, protocol, study_digest
from simstudy.report.protocol.latex import as_latex
from simstudy.report.protocol.markdown import as_markdown
from simstudy.report.protocol.paper import Paper
from simstudy.report.protocol.word import as_docx
from simstudy.report.reading.description import Planned

__all__ = ["FORMS", "WRITTEN", "preregistration", "protocol", "study_digest"]


def _utf8(write: Callable[[Paper], str]) -> Callable[[Paper], bytes]:
    return lambda paper: write(paper).encode()


FORMS: dict[str, Callable[[Paper], bytes]] = {".md": _utf8(as_markdown), ".tex": _utf8(as_latex), ".docx": as_docx}
"""Ending of a file -> what writes a protocol in it."""


def preregistration(planned: Planned, *, written: datetime | None = None) -> str:
    """Return a pre-registration of a study in ADEMP terms, as Markdown.

    Args:
        planned: a study, of which there need be no run.
        written: when, which it says; it says no time where left out.
    """
    return as_markdown(protocol(planned, written=written))
