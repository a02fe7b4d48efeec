"""What a prior moves: the estimate under one prior against that under another, on the same data, in sentences."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from simstudy.report.reading.pairs import differences
from simstudy.report.reading.prior_families import Family
from simstudy.report.reading.readings import average, is_clear, largest
from simstudy.report.reading.vocabulary import effects
from simstudy.report.reading.wording import estimand_words, symbol, with_mcse
from simstudy.report.words.counting import clear_in


def shifts(estimates: pd.DataFrame, estimand: str, *, method: str, rival: str) -> pd.DataFrame:
    """Return by scenario the means of an estimate under two methods and their paired difference.

    Args:
        estimates: rows with scenario, replicate, method, estimand, mean.
        estimand: one without groups.
        method: name of a method.
        rival: name of another.

    Returns:
        ``scenario``, ``value``, ``rival_value``, ``difference`` and ``difference_mcse`` over the replicates of both.
    """
    rows = estimates[(estimates["estimand"] == estimand) & estimates["method"].isin([method, rival])]
    wide = rows.astype({"method": object}).pivot_table(
        index=["scenario", "replicate"], columns="method", values="mean", observed=True
    )
    wide = wide.reindex(columns=[method, rival]).dropna()
    frame = wide.assign(difference=wide[method] - wide[rival]).groupby(level="scenario", observed=True, sort=False)
    means, n = frame.mean(), frame.size()
    return pd.DataFrame(
        {
            "scenario": means.index.astype(str),
            "value": means[method].to_numpy(float),
            "rival_value": means[rival].to_numpy(float),
            "difference": means["difference"].to_numpy(float),
            "difference_mcse": frame["difference"].std().to_numpy(float) / np.sqrt(n.to_numpy(float)),
        }
    )


def sensitivity_sentences(
    estimates: pd.DataFrame, performance: pd.DataFrame, labels: Mapping[str, str], family: Family
) -> list[str]:
    """Return how far the widest prior of a family moves estimate and coverage from the narrowest, where clear.

    Args:
        estimates: of the run.
        performance: its performance table.
        labels: scenario -> what it is called.
        family: methods that differ in one prior, from narrow to wide.
    """
    narrow, *_, wide = family.priors
    moved = shifts(estimates, family.parameter, method=wide, rival=narrow)
    coverage = differences(average(performance, "coverage", estimand=effects().name), wide, narrow)
    return [_moved(moved, labels, family), *_covered(coverage, labels, family)]


def _moved(moved: pd.DataFrame, labels: Mapping[str, str], family: Family) -> str:
    letter, (narrow, wide) = symbol(family.parameter), _ends(family)
    clear = moved[_clear(moved)]
    if clear.empty:
        return f"The estimates of {letter} under {wide} and under {narrow} cannot be told apart (2 MCSE)."
    most = largest(clear, "difference")
    few = f", {clear_in(clear['difference'], most['difference'], len(moved))}" if len(moved) > 1 else ""
    shift = with_mcse(abs(most["difference"]), most["difference_mcse"])
    side = "larger" if most["difference"] > 0 else "smaller"
    low, high = (with_mcse(most[part], most["difference_mcse"]).partition(" ±")[0] for part in ("rival_value", "value"))
    return (
        f"The estimate of {letter} is up to {shift} {side} under {wide} than under {narrow}{_at(labels, most)}: {high} "
        f"against {low}, on the same data{few}."
    )


def _covered(coverage: pd.DataFrame, labels: Mapping[str, str], family: Family) -> list[str]:
    clear = coverage[_clear(coverage)]
    if coverage.empty:
        return []
    narrow, wide = _ends(family)
    if clear.empty:
        letter = symbol(effects().name)
        return [f"The coverages of {letter} under {wide} and under {narrow} cannot be told apart (2 MCSE)."]
    most = largest(clear, "difference")
    mine, other = (with_mcse(most[f"{of}value"], most[f"{of}mcse"], percent=True) for of in ("", "rival_"))
    what = estimand_words(effects().name)
    what = what[0].upper() + what[1:]
    return [f"{what} are covered in {mine} under {wide}, {other} under {narrow}{_at(labels, most)}."]


def _ends(family: Family) -> tuple[str, str]:
    texts = list(family.priors.values())
    return tuple(f"{symbol(family.parameter)} ~ {text}" for text in (texts[0], texts[-1]))  # type: ignore[return-value]


def _clear(rows: pd.DataFrame) -> np.ndarray:
    pairs = zip(rows["difference"], rows["difference_mcse"], strict=True)
    return np.array([is_clear(*pair) for pair in pairs], dtype=bool)


def _at(labels: Mapping[str, str], row: pd.Series) -> str:
    return f" at {labels[str(row['scenario'])]}" if len(labels) > 1 else ""
