"""Calibration: whether the truth is a draw like any other, for every estimand of every method."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from simstudy.measures import worst_groups
from simstudy.measures.calibration import NOT_CALIBRATED
from simstudy.report import figures
from simstudy.report.evidence import Evidence
from simstudy.report.figures.canvas import WIDE
from simstudy.report.reading.vocabulary import declared
from simstudy.report.reading.wording import counted, enumerate_words, symbol
from simstudy.report.sections.section import Picture, Section, picture
from simstudy.report.tables import Column, Table
from simstudy.report.words.sentences import quote
from simstudy.report.words.verdicts import missing_sentences, verdict_sentences

OPEN_ROWS = 30
RANK_COLUMNS = ("scenario", "method", "estimand", "group", "rank", "n_rank")
LEAD = (
    "Truths are drawn from the priors that the methods have, so a truth’s rank among the draws of a right posterior is "
    "uniform (Talts et al. 2018; Modrák et al. 2023). Each estimand, and each group of it, is tested exactly against "
    "simultaneous bands (Säilynoja et al. 2022); Holm’s procedure keeps the chance of any false alarm in the run at "
    "5 %."
)

UNUSED = "The program of {method} makes nothing of {data}."
BLIND = "{method} ranks no log density, so that data which it leaves out would pass unnoticed."
WHY_BLIND = (
    "Parameters have uniform ranks under the posterior given any part of the data (Modrák et al. 2023). A log density "
    "is ranked where the truth names every site that the observations depend on, or where estimands and truth have a "
    "log_lik."
)
PARTIAL = (
    "Of {method} the {name} alone is not uniform: its posterior is right for its parameters and not for all data, as "
    "one that leaves data out or weighs them otherwise is."
)


def calibration_section(evidence: Evidence) -> Section | None:
    """Return the section for a calibration study, None for any other."""
    if not evidence.is_calibration:
        return None
    table = worst_groups(evidence.calibration)
    return Section(
        name="calibration",
        title="Calibration",
        paragraphs=[
            LEAD,
            *verdict_sentences(table, evidence.labels),
            *unused_sentences(evidence),
            *partial_sentences(table),
            *(blind := blind_sentences(table)),
            *([WHY_BLIND] if blind else []),
            *missing_sentences(evidence.calibration),
        ],
        pictures=rank_pictures(evidence, width=WIDE),
        tables=[_table(evidence, table), *_group_table(evidence)],
    )


def verdicts(evidence: Evidence) -> list[str]:
    """Return the verdict on each method, for the first screen, and which of them say less than they seem to."""
    if not evidence.is_calibration:
        return []
    table = worst_groups(evidence.calibration)
    return [*verdict_sentences(table, evidence.labels), *unused_sentences(evidence), *blind_sentences(table)]


def unused_sentences(evidence: Evidence) -> list[str]:
    """Return which methods' programs make nothing of some of the data, where a user's are looked at."""
    unused = {name: words.get("unused") for name, words in evidence.description.words.get("methods", {}).items()}
    return [UNUSED.format(method=quote(name), data=enumerate_words(said)) for name, said in unused.items() if said]


def blind_sentences(table: pd.DataFrame) -> list[str]:
    """Return which methods rank no function of all data.

    Args:
        table: one row per scenario, method and estimand, as ``worst_groups`` returns it.
    """
    return [BLIND.format(method=quote(name)) for name, rows in _by_method(table) if not _is_fit(rows).any()]


def partial_sentences(table: pd.DataFrame) -> list[str]:
    """Return which methods fail for the log density alone, as those that leave data out do."""
    told = []
    for name, rows in _by_method(table):
        is_fit, failing = _is_fit(rows), (rows["verdict"] == NOT_CALIBRATED).to_numpy(bool)
        if failing[is_fit].any() and not failing[~is_fit].any():
            estimand = str(rows["estimand"][is_fit & failing].iloc[0])
            told.append(PARTIAL.format(method=quote(name), name=symbol(estimand)))
    return told


def _by_method(table: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    known = table[table["estimand"].notna()]
    return ((str(name), rows) for name, rows in known.groupby(known["method"].astype(str), sort=False))


def _is_fit(rows: pd.DataFrame) -> np.ndarray:
    """Return the (row,) bool of what says how well the data fit: a log likelihood or density."""
    return np.array([declared()[str(name)].role == "fit" for name in rows["estimand"]], bool)


def rank_pictures(evidence: Evidence, *, width: float, name: str = "ranks") -> list[Picture]:
    """Return the picture of the ranks in the scenario with the smallest p-value, or none where there are no ranks."""
    table = worst_groups(evidence.calibration)
    known = table[table["estimand"].notna()]
    if known.empty:
        return []
    scenario = str(known.sort_values("p_value")["scenario"].iloc[0])
    worst = known[known["scenario"] == scenario]
    pieces = evidence.run.parts("estimates", RANK_COLUMNS, where={"scenario": {scenario}})
    ranks = by_estimand(pd.concat([worst_ranks(piece, worst) for piece in pieces]))
    where = f" at {evidence.labels[scenario]}" if len(evidence.labels) > 1 else ""
    caption = (
        "Each line is the distribution of the truth’s rank less the uniform one; in the gray band it is what a right "
        "posterior gives. A hill at the left: estimates are too large; a valley: too small; a hill, then a valley: "
        "intervals are too narrow; a valley, then a hill: too wide. Of estimands with groups the group farthest from "
        "uniform is drawn."
    )
    if where:
        caption += f" Drawn is the scenario with the smallest p-value of {len(evidence.labels)}."
    return [
        picture(
            name,
            f"Ranks of the truth{where}, by estimand",
            caption,
            lambda w: figures.calibration(ranks, marks=evidence.marks, width=w),
            width=width,
        )
    ]


def worst_ranks(estimates: pd.DataFrame, worst: pd.DataFrame) -> pd.DataFrame:
    """Return the ranks of one scenario: of each method and estimand those of the group that the table names.

    Args:
        estimates: of the run, or some of them.
        worst: rows of ``worst_groups`` of one scenario.
    """
    rows = estimates[(estimates["scenario"] == worst["scenario"].iloc[0]) & estimates["rank"].notna()]
    rows = rows[["method", "estimand", "group", "rank", "n_rank"]].astype({"method": str, "estimand": str})
    groups = worst[["method", "estimand", "group"]].astype({"method": str, "estimand": str})
    rows, groups = (frame.assign(group=frame["group"].astype("Int64").fillna(-1)) for frame in (rows, groups))
    chosen = groups.merge(rows, on=["method", "estimand", "group"], how="inner")
    return by_estimand(chosen)


def by_estimand(ranks: pd.DataFrame) -> pd.DataFrame:
    """Return the ranks in the order in which estimands are told."""
    names = declared().in_order(ranks["estimand"])
    return ranks.sort_values("estimand", key=lambda column: column.map(names.index), kind="stable", ignore_index=True)


def _table(evidence: Evidence, table: pd.DataFrame) -> Table:
    n = len(table)
    note = (
        f"{counted(n, 'test')} of one weight; of an estimand’s groups the one whose ranks are the least uniform. No "
        "fit is left out."
    )
    frame, columns = _named(evidence, table), _columns(evidence)
    return Table(title="Calibration by estimand", frame=frame, columns=columns, note=note, open_up_to=OPEN_ROWS)


def _group_table(evidence: Evidence) -> list[Table]:
    table = evidence.calibration
    if table["group"].isna().all():
        return []
    frame = _named(evidence, table[table["group"].notna()])
    note = "The groups of an estimand share the weight of one test."
    return [
        Table(title="Calibration by group", frame=frame, columns=_columns(evidence), note=note, open_up_to=0),
    ]


def _named(evidence: Evidence, table: pd.DataFrame) -> pd.DataFrame:
    frame = table.copy()
    frame.insert(1, "label", frame["scenario"].map(evidence.labels))
    frame.insert(4, "symbol", [symbol(str(e)) if pd.notna(e) else None for e in frame["estimand"]])
    return frame


def _columns(evidence: Evidence) -> list[Column]:
    heads = {"label": "scenario"} if len(evidence.labels) > 1 else {}
    heads |= {
        "method": "method",
        "symbol": "estimand",
        "group": "group",
        "n_used": "ranks",
        "n_replicates": "replicates",
        "p_value": "p",
        "p_holm": "p, Holm",
        "verdict": "verdict",
    }
    return [Column(head=head, source=source) for source, head in heads.items()]
