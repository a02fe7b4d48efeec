"""What the ranks of a calibration study say, in sentences: which methods are calibrated, and for which estimands.

A verdict is that of Holm's procedure over all tests of the run, so one in twenty runs of faultless methods has a false
one. “Calibrated” says that these replicates show nothing against it, and no more.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from simstudy.measures.calibration import CALIBRATED, DESPITE_FAILED, FOR_FAILED, NOT_CALIBRATED
from simstudy.report.reading.wording import counted, enumerate_words, number, share, symbol
from simstudy.report.words.sentences import quote

MOST_NAMED = 4
SMALLEST_P = 1e-4


def verdict_sentences(table: pd.DataFrame, labels: Mapping[str, str]) -> list[str]:
    """Return the verdict on each method, those that fail first.

    Args:
        table: one row per scenario, method and estimand, as ``worst_groups`` returns it.
        labels: scenario -> what it is called.
    """
    told = [_verdict(str(method), rows, labels) for method, rows in table.groupby("method", sort=False, observed=True)]
    return [sentence for is_calibrated in (False, True) for passed, sentence in told if passed == is_calibrated]


def missing_sentences(table: pd.DataFrame) -> list[str]:
    """Return which methods have fits without a rank, and how many; that none has, in one sentence.

    Args:
        table: as ``calibration`` returns it.
    """
    cells = table.assign(n_missing=table["n_replicates"] - table["n_used"])
    most = cells.loc[cells.groupby(["scenario", "method"], sort=False)["n_missing"].idxmax()]
    of_method = most.groupby("method", sort=False)[["n_missing", "n_replicates"]].sum()
    of_method = of_method[of_method["n_missing"] > 0]
    if of_method.empty:
        return ["Every fit has its ranks: none is left out, those with divergences are among them."]
    counts = of_method.astype(int).to_dict("index").items()
    parts = [f"{share(n['n_missing'], n['n_replicates'])} fits of {quote(str(method))}" for method, n in counts]
    verb = "has" if int(of_method["n_missing"].sum()) == 1 else "have"
    return [
        f"{enumerate_words(parts)} {verb} no rank. None is left out: each counts as the rank that speaks most against "
        "calibration. Fits with divergences count as they are."
    ]


def _verdict(method: str, rows: pd.DataFrame, labels: Mapping[str, str]) -> tuple[bool, str]:
    """Return whether every estimand passes in every scenario, and the sentence."""
    known = rows[rows["estimand"].notna()]
    if known.empty:
        return False, f"{quote(method)} cannot be judged: not one of its fits is usable."
    failing = known[known["verdict"] == NOT_CALIBRATED]
    doubtful = known[known["verdict"] == FOR_FAILED]
    passing = known[known["verdict"].isin([CALIBRATED, DESPITE_FAILED])]
    if len(passing) == len(rows):
        return True, _passed(method, passing)
    parts = [f"is not calibrated for {_named(failing, labels)}"] if len(failing) else []
    if len(doubtful):
        parts.append(f"cannot be called calibrated, for its failed fits alone, for {_named(doubtful, labels)}")
    rest = f"; {_rest(passing)}" if len(passing) else ""
    return False, f"{quote(method)} {', and '.join(parts)}{rest}."


def _passed(method: str, rows: pd.DataFrame) -> str:
    n = rows["estimand"].nunique()
    what = f"all {n} estimands" if n > 1 else _symbols(rows)
    despite = ", whatever its failed fits would have given" if (rows["verdict"] == DESPITE_FAILED).any() else ""
    replicates = int(rows["n_replicates"].min())
    return (
        f"{quote(method)} is calibrated for {what}{despite}, as far as {counted(replicates, 'replicate')} can tell "
        f"(smallest Holm p = {number(float(rows['p_holm'].min()), digits=2)})."
    )


def _named(rows: pd.DataFrame, labels: Mapping[str, str]) -> str:
    """Return the failing estimands, the clearest first, each with its smallest p-value and, of several, its place."""
    rows = rows.sort_values("p_holm", kind="stable")
    worst = rows.drop_duplicates("estimand")
    counts = rows["estimand"].value_counts()
    words = []
    for row in worst.head(MOST_NAMED).to_dict("records"):
        where = f" at {labels[str(row['scenario'])]}" if len(labels) > 1 else ""
        many = f", in {share(int(counts[row['estimand']]), len(labels))} scenarios" if len(labels) > 1 else ""
        words.append(f"{symbol(str(row['estimand']))} ({_p(float(row['p_holm']))}{where}{many})")
    left = len(worst) - MOST_NAMED
    return enumerate_words([*words, counted(left, "other estimand")] if left > 0 else words)


def _p(value: float) -> str:
    return f"Holm p = {number(value, digits=2)}" if value >= SMALLEST_P else f"Holm p < {SMALLEST_P:.4f}"


def _rest(rows: pd.DataFrame) -> str:
    names = rows["estimand"].nunique()
    return f"{_symbols(rows)} pass{'' if names > 1 else 'es'}" if names <= MOST_NAMED else f"{names} estimands pass"


def _symbols(rows: pd.DataFrame) -> str:
    return enumerate_words([symbol(str(name)) for name in rows["estimand"].unique()])
