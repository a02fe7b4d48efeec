"""Provenance: what made the numbers, so that they can be made again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from simstudy.report.evidence import Evidence
from simstudy.report.sections.section import Section
from simstudy.report.wording import counted


def provenance_section(evidence: Evidence) -> Section:
    """Return versions, processor, commit, seed and sessions, as the run recorded them."""
    terms = [("seed", [str(evidence.study["study"]["seed"])])]
    terms += [(key.replace("_", " "), lines(value)) for key, value in evidence.run.provenance.items() if lines(value)]
    timings = evidence.run.timings
    if len(timings):
        workers = counted(timings["worker"].nunique(), "worker")
        span = f"{timings['started'].min():%Y-%m-%d %H:%M} to {timings['ended'].max():%H:%M} UTC"
        terms.append(("batches", [f"{counted(len(timings), 'batch').replace('batchs', 'batches')}, {workers}, {span}"]))
    return Section(name="provenance", title="Provenance", terms=terms)


def lines(value: Any) -> list[str]:
    """Return a value of any nesting as lines of text.

    >>> lines({"jax": "0.6", "sessions": [{"cores": 2}]})
    ['jax: 0.6', 'sessions: cores: 2']
    """
    if value is None or value == "":
        return []
    if isinstance(value, Mapping):
        return [f"{key}: {line}" for key, inner in value.items() for line in [", ".join(lines(inner))] if line]
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [", ".join(lines(item)) for item in value]
    return [str(value)]
