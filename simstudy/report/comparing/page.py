"""The page of a comparison: the answer in sentences, one picture, and the tables."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd

from simstudy.comparison import CANNOT_TELL, Comparison
from simstudy.report import figures
from simstudy.report.comparing.sentences import answers, symbols
from simstudy.report.document import lay_out, write_page
from simstudy.report.figures.canvas import MIDDLE
from simstudy.report.figures.changes import is_drawable
from simstudy.report.parts import Part
from simstudy.report.reading.palette import name_marks
from simstudy.report.reading.vocabulary import Vocabulary, speaking
from simstudy.report.reading.wording import counted, measure_words
from simstudy.report.sections.section import Picture, Section, picture
from simstudy.report.tables import Column, Table

FOLDED = 40


def write_comparison(comparison: Comparison, path: str | os.PathLike[str]) -> Path:
    """Write a comparison as one HTML file that needs no other file and no network; return its path."""
    return write_page(render(comparison), path)


def render(comparison: Comparison) -> str:
    """Return the page as HTML."""
    return lay_out([comparison_part(comparison)])


def comparison_part(comparison: Comparison) -> Part:
    """Return what a page says of a comparison, in the words that the runs have for themselves."""
    with speaking(Vocabulary(declared=comparison.declared)):
        return _part(comparison)


def _part(comparison: Comparison) -> Part:
    frame = shown(comparison)
    tables = [_changed_table(comparison, frame), _summary_table(frame), _open_table(frame), _whole_table(frame)]
    titles = ("Changes", "By measure", "Not decided", "All comparisons")
    sections = [
        Section(name=title.lower().replace(" ", "-"), title=title, tables=[table])
        for title, table in zip(titles, tables, strict=True)
        if table.n_rows
    ]
    baseline, candidate = comparison.names
    return Part(
        kind="Comparison of two runs",
        title=f"{candidate} against {baseline}",
        aim=f"What changed from the baseline “{baseline}” to the candidate “{candidate}”?",
        facts=_facts(comparison),
        answers=answers(comparison),
        remark=(
            "± is the Monte Carlo standard error (MCSE) of the difference over replicates. Changed: significant by "
            f"Holm’s procedure at {100 * comparison.rules.alpha:g} % over all comparisons, and larger than the margin. "
            f"Same: the {100 * (1 - comparison.rules.alpha):g} % interval lies within the margin."
        ),
        picture=_picture(comparison),
        sections=[*sections, _rules_section(comparison)],
        marks=name_marks(list(dict.fromkeys(comparison.table["method"].astype(str)))),
        origin="both runs",
    )


def shown(comparison: Comparison) -> pd.DataFrame:
    """Return the table with what a reader reads: labels of scenarios, symbols, words of measures."""
    table = comparison.table
    return table.assign(
        label=table["scenario"].map(comparison.labels).astype(object),
        symbol=table["estimand"].map(lambda name: symbols(name) if name else None).astype(object),
        words=table["measure"].map(measure_words) + table["bin"].map(lambda name: f", {name}" if name else ""),
        outcome=table["direction"].where(table["direction"].notna(), table["verdict"]),
        p_holm=table["p_holm"].astype(float),
        in_margins=table["difference"].abs() / table["margin"].where(table["margin"] > 0),
    )


def _facts(comparison: Comparison) -> list[str]:
    table, counts = comparison.table, comparison.counts
    return [
        counted(table["scenario"].dropna().nunique(), "scenario"),
        counted(table["method"].nunique(), "method"),
        counted(len(table), "comparison"),
        *(f"{n:,} {verdict}" for verdict, n in counts.items()),
    ]


def _picture(comparison: Comparison) -> Picture | None:
    if not is_drawable(comparison.table):
        return None
    caption = (
        "Differences in units of their margin, the candidate’s loss to the right: within the shaded band a difference "
        "does not matter. Lines span all comparisons of a measure, thick ones the middle 90 %; marks are changes."
    )
    title = "How far the candidate is from the baseline"
    return picture(
        "changes", title, caption, lambda width: figures.changes(comparison.table, width=width), width=MIDDLE
    )


VALUES = (
    Column(head="baseline", source="baseline", mcse="baseline_mcse"),
    Column(head="candidate", source="candidate", mcse="candidate_mcse"),
    Column(head="difference", source="difference", mcse="mcse"),
    Column(head="margin", source="margin"),
)
KEYS = {"method": "method", "label": "scenario", "symbol": "estimand", "words": "measure"}


def _keys(frame: pd.DataFrame) -> list[Column]:
    """Return the columns that name a comparison, without those that name the same thing in all of them."""
    several = [name for name in KEYS if name == "words" or len(set(frame[name])) > 1]
    return [Column(head=KEYS[name], source=name) for name in several]


def _changed_table(comparison: Comparison, frame: pd.DataFrame) -> Table:
    rows = frame.loc[comparison.changed.index]
    columns = (Column(head="", source="outcome"), *_keys(frame), *VALUES, Column(head="Holm p", source="p_holm"))
    return Table(title="Changes", frame=rows.reset_index(drop=True), columns=columns, open_up_to=FOLDED)


def _open_table(frame: pd.DataFrame) -> Table:
    rows = frame[frame["verdict"] == CANNOT_TELL].sort_values("n_needed", kind="stable").reset_index(drop=True)
    columns = (
        *_keys(frame),
        Column(head="difference", source="difference", mcse="mcse", ends=("lower", "upper")),
        Column(head="margin", source="margin"),
        Column(head="replicates", source="n_replicates"),
        Column(head="needed", source="n_needed"),
    )
    note = (
        "Needed: replicates, of times blocks of fits, with which the comparison would be decided with probability .8 "
        "if the difference is what it seems; empty above a million, and where one block was timed."
    )
    return Table(title="Comparisons that cannot be told", frame=rows, columns=columns, note=note)


def _whole_table(frame: pd.DataFrame) -> Table:
    columns = (
        *_keys(frame),
        *VALUES,
        Column(head="evidence", source="evidence"),
        Column(head="verdict", source="outcome"),
    )
    return Table(title="All comparisons", frame=frame, columns=columns, open_up_to=0)


def _summary_table(frame: pd.DataFrame) -> Table:
    keys = ["method", "words"]
    outcomes = {"worse": "worse", "better": "better", "unclear": "unclear", "same": "same", CANNOT_TELL: "cannot tell"}
    of_keys = frame.groupby(keys, sort=False)
    is_outcome = pd.DataFrame({name: frame["outcome"] == name for name in outcomes})
    counts = is_outcome.groupby([frame[key] for key in keys], sort=False).sum()
    largest = of_keys["in_margins"].max()
    summary = counts.assign(largest=largest).reset_index()
    columns = [
        *(Column(head=name.replace("words", "measure"), source=name) for name in keys),
        *(Column(head=head, source=name) for name, head in outcomes.items() if counts[name].any()),
        Column(head="largest, in margins", source="largest"),
    ]
    return Table(title="Verdicts by method and measure", frame=summary, columns=columns, open_up_to=FOLDED)


def _rules_section(comparison: Comparison) -> Section:
    rules = comparison.rules
    known = list(dict.fromkeys(comparison.table["measure"]))
    terms: list[tuple[str, list[str]]] = [("runs", list(comparison.notes))]
    terms.append(("margins", [f"{measure_words(name)}: {rules.margins[name]}" for name in known]))
    terms.append(
        (
            "what counts",
            [
                "All finite fits count; those that are not are counted as failed fits.",
                "Groups of a replicate are reduced to one number before anything is compared.",
                "A share whose replicates hardly differ has an interval of at least 3/n either way.",
                "Identical: every stored number of the fits behind a comparison has the same bits in both runs.",
            ],
        )
    )
    return Section(name="rules", title="Rules", terms=terms)
