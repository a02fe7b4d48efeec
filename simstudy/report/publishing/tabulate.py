"""Performance as a table for a paper: factors of the design, methods, values with their MCSE; no ids.

Leaves to ``numbers`` how a number is written, to ``formats`` and ``word`` what a document makes of the table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from simstudy.errors import TableError, suggestion
from simstudy.measures import performance as score
from simstudy.report.evidence import Evidence
from simstudy.report.publishing.numbers import MISSING, cell, plain
from simstudy.report.reading.readings import AVERAGE, at_level, main_policy
from simstudy.report.reading.vocabulary import declared, speaking
from simstudy.report.reading.wording import measure_words, symbol
from simstudy.store.opening import RunSource, open_run

MEASURE, ESTIMAND, LEVEL, METHOD, BIN = "measure", "estimand", "level", "method", "bin"
NUMBERS = ["value", "mcse", "n_used"]
MOST_NAMED = 24
Names = str | Sequence[str]


def table(
    run: RunSource,
    *,
    measure: Names = "rmse",
    estimand: Names | None = None,
    wide: bool = True,
    level: float | None = None,
    labels: Mapping[str, str] | None = None,
    performance: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return measures of a run as a table for a paper.

    The first columns are the factors of the design that vary, by their letters, whole numbers as integers. Then come
    ``estimand``, ``measure`` and ``level`` where there are several of them.

    Args:
        run: the run, or its folder.
        measure: a measure of the performance table, or several.
        estimand: an estimand, or several; where left out, that of the run's answer for measures that have it, else the
            first that a measure has. Estimands with groups are averaged over them.
        wide: with one column per method, holding texts ``value (MCSE)``, an en dash where there is none; else one row
            per scenario, method and measure with ``method``, ``value``, ``mcse`` and ``n_used`` (replicates) as
            numbers, those alone that the run has.
        level: of intervals; the run's level nearest to 95 % where left out.
        labels: method -> what the table calls it; their own names where left out.
        performance: the run's performance table, if it is at hand; scored anew where left out.

    Returns:
        A frame with a plain index, rows in the order of the design. Its ``attrs`` have a ``caption``.

    Raises:
        RunError: the folder is no run.
        TableError: the run has no such measure, no such estimand of it, or no such method to call otherwise; or the
            measure is not of scenarios.
    """
    tables = open_run(run)
    evidence = Evidence(run=tables, performance=score(tables) if performance is None else performance)
    with speaking(evidence.description.vocabulary):
        parts = [
            _read(evidence, one, name, level)
            for one in _listed(measure)
            for name in _estimands(evidence, one, None if estimand is None else _listed(estimand))
        ]
        rows = pd.concat(parts, ignore_index=True)
        names = _names(evidence, labels or {})
        made = _wide(evidence, rows, names) if wide else _long(evidence, rows, names)
        made.attrs["caption"] = _caption(rows) + (f" in parentheses{_signs(evidence, rows)}" if wide else "")
    return made


def _names(evidence: Evidence, labels: Mapping[str, str]) -> dict[str, str]:
    """Return method -> what it is called, all of them, no two alike."""
    for name in labels:
        if name not in evidence.marks:
            known = [*evidence.marks]
            raise TableError(f"labels: the run has no method {name!r}{suggestion(name, known)}; it has {_named(known)}")
    called = {name: labels.get(name, name) for name in evidence.marks}
    if len({*called.values()}) < len(called):
        raise TableError(f"labels: two methods have one name; they would be {_named([*called.values()])}")
    return called


def _listed(names: Names) -> list[str]:
    return [names] if isinstance(names, str) else list(dict.fromkeys(names))


def _estimands(evidence: Evidence, measure: str, asked: list[str] | None) -> list[str | None]:
    """Return the estimands of a measure that are asked for: None for a measure of the fit."""
    rows = evidence.performance[evidence.performance["measure"] == measure]
    if rows.empty:
        known = sorted(evidence.performance["measure"].dropna().astype(str).unique())
        groups = "; simstudy table --groups has its groups by their names" if evidence.is_dataset else ""
        near = suggestion(measure, known)
        raise TableError(f"measure: the run has no {measure!r}{near}; it has {_named(known)}{groups}")
    if (rows := _of_scenarios(rows)).empty:
        raise TableError(f"measure: {measure!r} is not of scenarios as a whole; simstudy.performance(run) has it")
    known = [str(name) for name in rows["estimand"].dropna().unique()]
    if not known:
        return [None]
    if asked is None:
        return [evidence.headline if evidence.headline in known else known[0]]
    for name in asked:
        if name not in known:
            near = suggestion(name, known)
            raise TableError(f"estimand: {measure} has no {name!r}{near}; it has {_named(known)}")
    return list(asked)


def _of_scenarios(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of whole scenarios, over all groups: in no bin, or in the only one, as speeds that are split."""
    rows = main_policy(rows[rows["scenario"].notna() & (rows["group"].isna() | (rows["group"] == AVERAGE))])
    bins = rows["bin"].dropna().unique()
    return rows if rows["bin"].notna().all() and len(bins) == 1 else rows[rows["bin"].isna()]


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more


def _read(evidence: Evidence, measure: str, estimand: str | None, level: float | None) -> pd.DataFrame:
    """Return one row per scenario and method that were to be run: those without a number have none."""
    rows = _of_scenarios(evidence.performance[evidence.performance["measure"] == measure])
    rows = rows[rows["estimand"].isna() if estimand is None else rows["estimand"] == estimand]
    levels = rows["level"].dropna().unique()
    if level is not None and len(levels) and not (abs(levels - level) < 1e-9).any():
        raise TableError(f"level: {measure} has no {level:g}; it has {', '.join(f'{one:g}' for one in levels)}")
    rows = at_level(rows, level).astype({"scenario": str, "method": str}).drop_duplicates(["scenario", METHOD])
    every = pd.MultiIndex.from_product([evidence.labels, evidence.marks], names=["scenario", METHOD])
    found = rows.set_index(["scenario", METHOD])[[*NUMBERS, "lower", "upper", LEVEL, BIN]].reindex(every).reset_index()
    known = rows[LEVEL].dropna()
    return found.assign(measure=measure, estimand=estimand, level=known.iloc[0] if len(known) else float("nan"))


def _wide(evidence: Evidence, rows: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    texts = [cell(*numbers) for numbers in rows[["value", "mcse", "lower", "upper"]].to_numpy(float)]
    kinds = ["measure", "estimand"]
    by_row = {name: rows[name].fillna("").astype(str) for name in kinds}
    spread = rows.assign(text=texts, **by_row).pivot(index=["scenario", *kinds], columns=METHOD, values="text")  # noqa: PD010
    heads = rows.drop_duplicates(["scenario", *kinds])
    heads = heads.sort_values("scenario", key=lambda ids: ids.map(list(evidence.labels).index), kind="stable")
    keys = pd.MultiIndex.from_frame(heads[["scenario", *kinds]].fillna("").astype(str))
    cells = spread.reindex(keys)[list(evidence.marks)].fillna(MISSING).reset_index(drop=True)
    cells = cells.rename(columns=dict(names))
    cells.columns.name = None
    return _beside(evidence, heads.reset_index(drop=True), cells)


def _long(evidence: Evidence, rows: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    rows = rows[rows["n_used"].notna()].reset_index(drop=True)
    cells = rows[[METHOD, *NUMBERS]].astype({"value": float, "mcse": float, "n_used": "Int64"})
    return _beside(evidence, rows, cells.assign(**{METHOD: cells[METHOD].map(dict(names))}))


def _beside(evidence: Evidence, heads: pd.DataFrame, cells: pd.DataFrame) -> pd.DataFrame:
    """Return the cells behind what tells their rows apart: factors, and estimand, measure, level where several."""
    numbers = evidence.design.numbers.loc[heads["scenario"]].reset_index(drop=True)
    told: dict[str, Any] = {str(factor): _whole(numbers[factor]) for factor in numbers}
    words = {ESTIMAND: _symbol, MEASURE: measure_words}
    for name, say in words.items():
        if len(heads[name].dropna().unique()) > 1:
            told[name] = [say(value) for value in heads[name]]
    if len(heads[LEVEL].dropna().unique()) > 1:
        told[LEVEL] = heads[LEVEL].tolist()
    frame = pd.DataFrame(told, index=cells.index)
    taken = {name: f"{name} (method)" for name in cells if name in frame}
    return pd.concat([frame, cells.rename(columns=taken)], axis=1)


def _whole(levels: pd.Series) -> pd.Series:
    """Return a factor's levels, as integers where all are whole."""
    told = pd.Series([plain(value) for value in levels], index=levels.index, dtype=object)
    return told.astype("int64") if all(type(value) is int for value in told) and len(told) else told


def _symbol(estimand: object) -> str:
    return symbol(estimand) if isinstance(estimand, str) else MISSING


def _signs(evidence: Evidence, rows: pd.DataFrame) -> str:
    """Return what brackets and dashes stand for, where the table has any."""
    told = ""
    if any("[" in cell(*numbers) for numbers in rows[["value", "mcse", "lower", "upper"]].to_numpy(float)):
        told += "; where all replicates agree, the 95 % interval of the value in brackets"
    at_end = [
        str(name)
        for name, part in rows[rows["value"].isna()].groupby("estimand", sort=False)
        if set(part["scenario"]) & evidence.design.boundary_of(str(name))
    ]
    for name in at_end:
        told += f"; {MISSING} where the true {symbol(name)} is {declared()[name].lower:g}, the end of its range"
    return told


def _caption(rows: pd.DataFrame) -> str:
    """Return what the table holds, in words: its measures, and of which estimands."""
    words = []
    for measure, part in rows.groupby("measure", sort=False):
        level, names = part[LEVEL].dropna(), part["estimand"].dropna().unique()
        intervals = f" ({100 * level.iloc[0]:g} % intervals)" if len(level) else ""
        of = f" of {', '.join(map(symbol, names))}" if len(names) else ""
        how = "".join(f" ({name})" for name in part[BIN].dropna().unique())
        words.append(f"{measure_words(str(measure))}{of}{intervals}{how}")
    said = "; ".join(words)
    return f"{said[0].upper()}{said[1:]}, with Monte Carlo standard errors"
