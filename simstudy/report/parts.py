"""A part of a page: one run, from its aim to its provenance. A page of several runs has a part for each."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from simstudy.report.evidence import Evidence
from simstudy.report.reading.palette import Mark
from simstudy.report.reading.vocabulary import speaking
from simstudy.report.reading.wording import counted
from simstudy.report.sections import SECTIONS
from simstudy.report.sections.answer import answers, key_picture
from simstudy.report.sections.lead import is_about_costs, lead
from simstudy.report.sections.section import Picture, Section
from simstudy.report.tables import slug
from simstudy.types import RunTables

LEADING = 2
"""Questions beside the picture of a page that has no lead of its own."""
ACCURACY, COSTS = ("calibration", "posterior", "recovery", "own-measures"), ("error-split", "divergences", "speed")
"""Sections about the aim of a study, which are open when a page opens, by what the answer leads with."""
CAVEATS = ("What is missing", "Which priors the data contradict", "Which priors the truth contradicts")
ERROR = "the Monte Carlo standard error (MCSE) over replicates"
SAMPLER_ERROR = "the Monte Carlo standard error (MCSE) of the sampler, over its seeds"


@dataclass(frozen=True, kw_only=True)
class Part:
    """What a page says of one run.

    Attributes:
        kind: what it is, such as ``Simulation study``.
        title: its name.
        aim: its question, or an empty text.
        facts: its size in a few words each.
        answers: question -> sentences; the first two questions lead where there is no lead.
        remark: what a reader of the sentences must know.
        picture: the one picture beside the answer, or None.
        sections: one question each.
        marks: method -> how it is drawn, which colors its name in sentences.
        origin: what the tables are of, in words.
        anchor: begins every id of the part on a page of several; empty on a page of its own.
        lead: what was found, in at most three sentences; empty where the questions say it.
        unfolded: questions whose answers are seen without a click; below a lead all others are folded.
    """

    kind: str
    title: str
    aim: str
    facts: Sequence[str]
    answers: Mapping[str, Sequence[str]]
    remark: str
    picture: Picture | None
    sections: Sequence[Section]
    marks: Mapping[str, Mark]
    origin: str
    anchor: str = ""
    lead: Sequence[str] = ()
    unfolded: Collection[str] = ()

    @property
    def prefix(self) -> str:
        """What ids of the part begin with."""
        return f"{self.anchor}-" if self.anchor else ""

    @property
    def leading(self) -> list[tuple[str, Sequence[str]]]:
        """The questions beside the picture, with their sentences."""
        return [] if self.lead else list(self.answers.items())[:LEADING]

    @property
    def further(self) -> list[tuple[str, Sequence[str]]]:
        """The questions below the picture, with their sentences."""
        return list(self.answers.items())[len(self.leading) :]

    @property
    def found(self) -> list[str]:
        """What was found, in few sentences, for a page of several parts."""
        return list(self.lead) or [told[0] for _, told in self.leading]


def make_part(evidence: Evidence) -> Part:
    """Return the part of a run, in the words that it has for itself."""
    with speaking(evidence.description.vocabulary):
        return _part(evidence)


def _part(evidence: Evidence) -> Part:
    about = evidence.study["study"]
    first = key_picture(evidence)
    return Part(
        kind="Simulation study",
        title=str(about["name"]),
        aim=about.get("aim") or "",
        facts=_facts(evidence),
        lead=lead(evidence),
        answers=answers(evidence),
        remark=_remark(evidence),
        picture=first,
        sections=[_folded(section, evidence, first) for make in SECTIONS if (section := make(evidence))],
        unfolded=CAVEATS,
        marks=evidence.marks,
        origin="the run",
    )


def _folded(section: Section, evidence: Evidence, first: Picture | None) -> Section:
    """Return a section, open only where it is about the aim, and in it no picture again that the page begins with."""
    about = COSTS if is_about_costs(evidence) else ACCURACY
    pictures = [
        replace(each, is_folded=each.is_folded or (first is not None and each.title == first.title))
        for each in section.pictures
    ]
    return replace(section, is_open=section.name in about, pictures=pictures)


def with_anchors(parts: Sequence[Part], folders: Sequence[str]) -> list[Part]:
    """Return the parts with titles and anchors that tell them apart, by folders or by numbers if need be."""
    titles = [part.title for part in parts]
    named = _told_apart(titles, [folder and f" ({folder})" for folder in folders])
    named = _told_apart(named, [f" {i + 1}" for i in range(len(parts))])
    anchors = _told_apart([slug(title) or "run" for title in named], [f"-{i + 1}" for i in range(len(parts))])
    return [_anchored(part, title, anchor) for part, title, anchor in zip(parts, named, anchors, strict=True)]


def folder_name(run: RunTables) -> str:
    """Return the name of the folder that a run lies in, or an empty text."""
    return Path(getattr(run, "folder", "")).name


def _told_apart(names: Sequence[str], endings: Sequence[str]) -> list[str]:
    """Return the names, with their endings where several are the same."""
    return [n + e if names.count(n) > 1 else n for n, e in zip(names, endings, strict=True)]


def _anchored(part: Part, title: str, anchor: str) -> Part:
    named = replace(part, title=title, anchor=anchor)
    return replace(
        named,
        picture=part.picture and part.picture.with_prefix(named.prefix),
        sections=[section.with_prefix(named.prefix) for section in part.sections],
    )


def _remark(evidence: Evidence) -> str:
    error_of = SAMPLER_ERROR if evidence.is_dataset else ERROR
    remark = f"± is {error_of}. No sentence is made on a difference below 2 MCSE."
    if not evidence.extent.uneven:
        return remark
    shared = "replicates" if evidence.is_dataset else "data sets"
    return f"{remark} Errors of methods are compared on the {shared} that each of them fitted."


def _facts(evidence: Evidence) -> list[str]:
    """Return the size of the study in a few words each."""
    run = evidence.run
    return [
        counted(len(run.scenarios), "scenario"),
        counted(len(run.methods), "method"),
        evidence.extent.replicates,
        evidence.extent.fits,
    ]
