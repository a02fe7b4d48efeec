"""The comparison of two runs: what can be compared, measured in both, and judged."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from simstudy.comparison.alignment import Aligned
from simstudy.comparison.convergence import unconverged
from simstudy.comparison.differences import take_difference
from simstudy.comparison.measured import measure_both
from simstudy.comparison.notes import left_out_of, lost_by, notes_on
from simstudy.comparison.opening import Narrowed, chosen_method, open_verified
from simstudy.comparison.rules import Rules, read_rules
from simstudy.comparison.times import time_differences, why_no_times
from simstudy.comparison.verdicts import BETTER, CANNOT_TELL, CHANGED, SAME, UNCLEAR, WORSE, judge
from simstudy.errors import ComparisonError, printable, suggestion
from simstudy.store.cards import card
from simstudy.store.declared import Declared
from simstudy.store.traits import has_fixed_data
from simstudy.types import RunTables

MOST_SHOWN = 10
SHOWN = ("method", "estimand", "measure", "bin", "level", "direction", "difference", "mcse", "margin")
NOTHING_WORSE, SOMETHING_WORSE, COULD_NOT_COMPARE = 0, 1, 2


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What a comparison found.

    Args:
        table: one row per scenario, method, estimand and measure, with its verdict (columns in ``verdicts``).
        labels: scenario -> what it is called.
        names: what the baseline and the candidate are called.
        rules: what was compared, and when a difference counts.
        notes: what a reader must know of how it was compared.
        left_out: those of the notes that say what is in one run and was not compared.
        declared: what the runs declare of the estimands, the baseline first.
        unconverged: method -> its usable fits in the candidate, of which not one converged.
        lost: what the candidate has lost of the baseline's methods and scenarios, a sentence each.
    """

    table: pd.DataFrame
    labels: Mapping[str, str]
    names: tuple[str, str]
    rules: Rules
    notes: Sequence[str] = field(default_factory=tuple)
    left_out: Sequence[str] = field(default_factory=tuple)
    declared: Declared = field(default_factory=Declared)
    unconverged: Mapping[str, int] = field(default_factory=dict)
    lost: Sequence[str] = field(default_factory=tuple)

    def __repr__(self) -> str:
        return f"<Comparison of {printable(self.names[0])} and {printable(self.names[1])}: {self._found}>"

    def _repr_html_(self) -> str:
        rows = self.changed.head(MOST_SHOWN)
        told = [name for name in SHOWN if rows[name].notna().any()]
        shown = [
            {"scenario": self.labels.get(str(row["scenario"]), row["scenario"]), **{n: row[n] for n in told}}
            for row in rows.astype(object).where(rows.notna(), "").to_dict("records")
        ]
        facts = {"found": self._found, **{f"lost {k}": sentence for k, sentence in enumerate(self.lost, start=1)}}
        return card(f"Comparison of {self.names[0]} and {self.names[1]}", facts, shown)

    @property
    def _found(self) -> str:
        n = self.counts
        worse = f" ({len(self.worse):,} not shown to be no worse)" if len(self.worse) else ""
        return f"{n[CHANGED]:,} changed{worse}, {n[SAME]:,} the same, {n[CANNOT_TELL]:,} cannot be told"

    @property
    def worse(self) -> pd.DataFrame:
        """Rows that changed for the worse, and those whose change cannot be shown to be none for the worse."""
        return self.table[self.table["direction"].isin([WORSE, UNCLEAR])]

    @property
    def changed(self) -> pd.DataFrame:
        """Rows that changed: those that a gate does not pass first, then the largest in units of their margins."""
        rows = self.table[self.table["verdict"] == CHANGED]
        size = (rows["difference"] / rows["margin"]).abs().to_numpy(float)
        return rows.iloc[np.lexsort([-size, (rows["direction"] == BETTER).to_numpy()])]

    @property
    def counts(self) -> dict[str, int]:
        """Number of rows with each verdict."""
        return {verdict: int((self.table["verdict"] == verdict).sum()) for verdict in (CHANGED, SAME, CANNOT_TELL)}

    @property
    def exit_code(self) -> int:
        """0: nothing is worse; 1: something is, is lost, or did not converge at all; 2: no row could be decided."""
        if len(self.worse) or self.unconverged or self.lost:
            return SOMETHING_WORSE
        return COULD_NOT_COMPARE if self.counts[CANNOT_TELL] == len(self.table) else NOTHING_WORSE

    def to_json(self) -> dict[str, Any]:
        """Return the comparison as JSON values; what is not finite is null."""
        rows = self.table.astype(object).where(self.table.notna(), None).to_dict("records")
        return {
            "schema_version": 1,
            "baseline": self.names[0],
            "candidate": self.names[1],
            "exit_code": self.exit_code,
            "counts": self.counts,
            "unconverged": dict(self.unconverged),
            "lost": list(self.lost),
            "alpha": self.rules.alpha,
            "margins": {name: {m.unit: m.size} for name, m in self.rules.margins.items()},
            "notes": list(self.notes),
            "rows": [{str(key): _plain(value) for key, value in row.items()} for row in rows],
        }


def compare(
    baseline: str | os.PathLike[str] | RunTables,
    candidate: str | os.PathLike[str] | RunTables,
    *,
    margins: str | os.PathLike[str] | Mapping[str, Any] | Rules | None = None,
    baseline_method: str | None = None,
    candidate_method: str | None = None,
    allow_missing: bool = False,
) -> Comparison:
    """Compare two runs measure by measure, and judge what changed.

    Scenarios, methods and estimands that both have are compared, pair by pair where both saw the same data, over the
    finite fits.

    Args:
        baseline: run folder, or a run's tables.
        candidate: run folder, or a run's tables; may be the same run, to compare two of its methods.
        margins: TOML file, mapping or ``Rules``; see ``read_rules``.
        baseline_method: method of the baseline to compare with ``candidate_method``; all common ones where both are
            None.
        candidate_method: method of the candidate.
        allow_missing: whether a candidate without some of the baseline's methods or scenarios is none the worse for it.

    Raises:
        RunError: a folder is no run, or its stored parts were changed since they were written.
        ComparisonError: nothing comparable was measured, or the rules or method names cannot be used.

    Sources: Holm 1979, Scandinavian Journal of Statistics 6:65 (``changed``); Schuirmann 1987, Journal of
    Pharmacokinetics and Biopharmaceutics 15:657 (``same``).
    """
    rules = read_rules(margins if margins is None or isinstance(margins, Mapping | Rules) else Path(margins))
    runs = open_verified(baseline), open_verified(candidate)
    _check_kinds(*runs)
    first, second = _narrowed(*runs, (baseline_method, candidate_method))
    _check_fits(first, second)
    aligned = Aligned.of(first, second)
    _check_estimands(rules, aligned)
    _check_pairs(rules, aligned)
    no_times = why_no_times(*runs, rules)
    tables = [take_difference(measured, alpha=rules.alpha) for measured in measure_both(aligned, rules)]
    if not no_times and rules.time_reference is not None:
        tables.append(time_differences(*runs, rules))
    table = _in_order([part for part in tables if len(part)], aligned)
    left_out = left_out_of(runs, aligned, by_method=baseline_method is not None)
    return Comparison(
        table=judge(table, alpha=rules.alpha),
        labels=dict(zip(first.scenarios["scenario"], first.scenarios["label"], strict=True)),
        names=_names((baseline, candidate), runs, (baseline_method, candidate_method)),
        rules=rules,
        notes=notes_on(runs, aligned, left_out=left_out, no_times=no_times),
        left_out=left_out,
        declared=Declared.of(*runs),
        unconverged=unconverged(second, first.study["diagnostics"]),
        lost=[] if allow_missing else lost_by(runs, by_method=baseline_method is not None),
    )


def _check_kinds(baseline: RunTables, candidate: RunTables) -> None:
    kinds = [
        (run.study["study"].get("kind"), has_fixed_data(run.study, run.description)) for run in (baseline, candidate)
    ]
    if kinds[0][0] != kinds[1][0]:
        raise ComparisonError(
            f"the runs are of two kinds of study, {kinds[0][0]!r} and {kinds[1][0]!r}; give two runs of one kind"
        )
    if kinds[0][1] != kinds[1][1]:
        raise ComparisonError("one run is on real data and the other on simulated data; give two runs of one kind")


def _narrowed(
    baseline: RunTables, candidate: RunTables, methods: tuple[str | None, str | None]
) -> tuple[Narrowed, Narrowed]:
    """Return the runs with the scenarios and methods that are compared."""
    scenarios = _shared("scenario", baseline.scenarios, candidate.scenarios)
    if (methods[0] is None) != (methods[1] is None):
        raise ComparisonError("--baseline-method and --candidate-method: give both, or neither")
    if methods[0] is not None and methods[1] is not None:
        first, second = (
            chosen_method(run, name, side=side)
            for run, name, side in ((baseline, methods[0], "baseline"), (candidate, methods[1], "candidate"))
        )
        common = first if first == second else f"{second} against {first}"
        names: tuple[dict[str, str], dict[str, str]] = ({first: common}, {second: common})
    else:
        shared = _shared("method", baseline.methods, candidate.methods)
        names = (dict(zip(shared, shared, strict=True)),) * 2
    return (
        Narrowed(run=baseline, kept_scenarios=scenarios, kept_methods=names[0]),
        Narrowed(run=candidate, kept_scenarios=scenarios, kept_methods=names[1]),
    )


def _shared(what: str, first: pd.DataFrame, second: pd.DataFrame) -> tuple[str, ...]:
    label = "label" if what == "scenario" else what
    shared = first[what][first[what].isin(second[what])].astype(str)
    if shared.empty:
        raise ComparisonError(
            f"the runs have no {what} in common: the baseline has {_some(first[label])}, the candidate "
            f"{_some(second[label])}"
            + ("; name one of each with --baseline-method and --candidate-method" * (what == "method"))
        )
    return tuple(shared)


def _check_fits(baseline: RunTables, candidate: RunTables) -> None:
    for side, run in (("baseline", baseline), ("candidate", candidate)):
        if not (n := len(run.fits)):
            raise ComparisonError(f"the {side} has no fit of the scenarios and methods that both runs have")
        if not (run.fits["status"] == "ok").any():
            raise ComparisonError(f"none of the {n} fits of the {side} that could be compared is finite")


def _check_estimands(rules: Rules, aligned: Aligned) -> None:
    for name in rules.estimands:
        if name not in aligned.labels.estimands:
            near = suggestion(name, aligned.labels.estimands)
            raise ComparisonError(
                f"estimands: the runs have no {name!r}{near}; they have {_some(aligned.labels.estimands)}"
            )


def _check_pairs(rules: Rules, aligned: Aligned) -> None:
    n_unpaired = int((~aligned.is_paired).sum())
    if rules.pairs == "required" and n_unpaired:
        raise ComparisonError(
            f"pairs are required, but in {n_unpaired} of {len(aligned.is_paired)} scenarios the runs did not see the "
            "same data; run both with the same seed, mechanism and platform, or make the baseline anew"
        )


def _in_order(tables: list[pd.DataFrame], aligned: Aligned) -> pd.DataFrame:
    """Return the rows that have both values, in the order of the study."""
    table = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=["baseline", "candidate"])
    table = table[np.isfinite(table[["baseline", "candidate"]].to_numpy(float)).all(axis=1)]
    if table.empty or set(table["measure"]) == {"failure_rate"}:
        raise ComparisonError(
            "nothing comparable was measured: no measure of the rules has a value in both runs, in any scenario, "
            "method and estimand that they share"
        )
    ranks = [
        order.get_indexer(pd.Index(table[name]))
        for name, order in (("method", aligned.labels.methods), ("scenario", aligned.labels.scenarios))
    ]
    return table.iloc[np.lexsort(ranks[::-1])].reset_index(drop=True)


def _names(
    sources: tuple[Any, Any], runs: Sequence[RunTables], methods: tuple[str | None, str | None]
) -> tuple[str, str]:
    """Return what baseline and candidate are called: by folder and method, by method alone within one run."""
    if methods[0] is not None and methods[1] is not None and _is_one(*sources):
        return methods[0], methods[1]
    baseline, candidate = (_name(*each) for each in zip(sources, runs, methods, strict=True))
    return baseline, candidate


def _is_one(baseline: Any, candidate: Any) -> bool:
    if isinstance(baseline, str | os.PathLike) and isinstance(candidate, str | os.PathLike):
        return Path(baseline).resolve() == Path(candidate).resolve()
    return baseline is candidate


def _name(source: Any, run: RunTables, method: str | None) -> str:
    name = Path(source).name if isinstance(source, str | os.PathLike) else str(run.study["study"]["name"])
    return name if method is None else f"{name}: {method}"


def _some(names: Sequence[Any] | pd.Series | pd.Index, most: int = 5) -> str:
    shown = [str(name) for name in list(names)[:most]]
    return ", ".join(shown) + (f" and {len(names) - most} more" if len(names) > most else "")


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not np.isfinite(value) else value
