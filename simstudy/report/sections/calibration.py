"""Calibration: whether the truth is a draw like any other, for every estimand of every method."""

from __future__ import annotations

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

BLIND = (
    "No log density is ranked for {method}: data that it leaves out would pass unnoticed, since parameters have "
    "uniform ranks under the posterior given any part of the data (Modrák et al. 2023). It is ranked where the truth "
    "names every site that the observations depend on, or where estimands and truth have a log_lik."
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
            *left_out_sentences(evidence, table),
            *missing_sentences(evidence.calibration),
        ],
        pictures=rank_pictures(evidence, width=WIDE),
        tables=[_table(evidence, table), *_group_table(evidence)],
    )


def verdicts(evidence: Evidence) -> list[str]:
    """Return the verdict on each method, for the first screen."""
    return verdict_sentences(worst_groups(evidence.calibration), evidence.labels) if evidence.is_calibration else []


def left_out_sentences(evidence: Evidence, table: pd.DataFrame) -> list[str]:
    """Return which methods leave data out, and of which nobody could tell: those that rank no fit to all data.

    Args:
        evidence: of a calibration run.
        table: one row per scenario, method and estimand, as ``worst_groups`` returns it.
    """
    told = []
    known = table[table["estimand"].notna()]
    for method, rows in known.groupby(known["method"].astype(str), sort=False):
        is_fit = rows["estimand"].map(lambda name: declared()[str(name)].role == "fit").astype(bool)
        failing = (rows["verdict"] == NOT_CALIBRATED).astype(bool)
        if unused := evidence.description.of_method({"name": method}).get("unused"):
            told.append(f"The program of {quote(str(method))} makes nothing of {enumerate_words(unused)}.")
        if not is_fit.any():
            told.append(BLIND.format(method=quote(str(method))))
        elif failing[is_fit].any() and not failing[~is_fit].any():
            name = symbol(str(rows.loc[is_fit & failing, "estimand"].iloc[0]))
            told.append(PARTIAL.format(method=quote(str(method)), name=name))
    return told


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
