"""Provenance: what made the numbers, so that they can be made again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from simstudy.report.evidence import Evidence
from simstudy.report.protocol import study_digest
from simstudy.report.reading.wording import counted
from simstudy.report.sections.section import Section


def provenance_section(evidence: Evidence) -> Section:
    """Return versions, processor, commit, seed and sessions, as the run recorded them."""
    digest = f"SHA-256 of study.json: {study_digest(evidence.study)}, as `simstudy protocol` gives it"
    terms = [("study", [digest, f"seed: {evidence.study['study']['seed']}"])]
    recorded = {key: value for key, value in evidence.run.provenance.items() if key != "seed"}
    terms += [(key.replace("_", " "), lines(value)) for key, value in recorded.items() if lines(value)]
    if not recorded:
        terms.append(("recorded", ["nothing: the run’s provenance.json is missing or could not be read"]))
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
    if isinstance(value, bool):
        return ["yes" if value else "no"]
    if isinstance(value, Mapping):
        named = {str(key).replace("_", " "): ", ".join(lines(inner)) for key, inner in value.items()}
        return [f"{key}: {line}" for key, line in named.items() if line]
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [", ".join(lines(item)) for item in value]
    return [str(value)]
