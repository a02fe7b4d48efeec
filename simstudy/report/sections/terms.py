"""The terms of a study: the levels of each factor in one data set, drawn as they lie to each other."""

from __future__ import annotations

from simstudy.report.evidence import Evidence
from simstudy.report.figures.canvas import WIDE
from simstudy.report.level_values import LevelFigure
from simstudy.report.levels import level_figures
from simstudy.report.reading.replicate import DrawnReplicate, drawn_replicate
from simstudy.report.sections.section import Picture, Section, picture


def terms_section(evidence: Evidence) -> Section | None:
    """Return the section, or None for data with a single grouping."""
    if (drawn := drawn_replicate(evidence)) is None:
        return None
    pictures = [level_picture(one) for one in level_figures(drawn)]
    if not pictures:
        return None
    return Section(name="terms", title="The levels of each term", paragraphs=[_which(drawn)], pictures=pictures)


def level_picture(one: LevelFigure, *, name: str = "", width: float = WIDE) -> Picture:
    """Return a picture of levels, at most so wide, under a name that is its own where none is given."""
    name = name or f"{one.kind.replace('_', '-')}-{one.factor}"
    inches = min(width, one.width)
    return picture(name, one.title, one.caption, lambda wide: one.draw(width=wide), width=inches)


def _which(drawn: DrawnReplicate) -> str:
    """Return which data set is drawn."""
    evidence = drawn.evidence
    if evidence.is_dataset:
        return (
            f"Posterior means under {', '.join(f'“{name}”' for name in drawn.methods)}, from one seed of the sampler."
        )
    several = len(evidence.labels) > 1
    where = f" of {evidence.labels[drawn.scenario]}, whose true effects vary most" if several else ""
    return (
        f"One data set (replicate {drawn.replicate}){where}: the one in which the error of “{drawn.leading}” is the "
        "median of its errors over replicates."
    )
