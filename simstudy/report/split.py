"""How much of an error is the model's and how much the sampler's: readings, and the sentences made of them.

The exact posterior of a method's own model has the error of model and prior alone; what the method adds to it, on the
same data, is its sampler's (``simstudy.measures.sampler_error``).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from simstudy.measures import judge_divergent_fits
from simstudy.measures.divergent_fits import MARGIN
from simstudy.measures.sampling import WITH_WARMUP
from simstudy.report.readings import HYPERPARAMETERS, average, is_clear, main_policy
from simstudy.report.sentences import quote
from simstudy.report.wording import PERCENT, enumerate_words, number, share, symbol, with_mcse

KEYS = ["scenario", "method", "estimand"]
PARTS = ("mse_model", "mse_sampler", "sampler_bias", "sampler_z_square", "error_ess", "error_efficiency")


def split_table(performance: pd.DataFrame, estimands: Sequence[str]) -> pd.DataFrame:
    """Return the error split, one row per scenario, method and estimand that has an exact counterpart.

    Args:
        performance: the performance table.
        estimands: those to read.

    Returns:
        ``scenario``, ``method``, ``estimand``; each of ``PARTS`` and its MCSE (``_mcse``), NaN where it is not known;
        ``percent`` and ``percent_mcse``, the sampler's part of the MSE in percent of the model's, with the MCSE of the
        sampler's part; ``ess_per_leapfrog`` and its MCSE of (mu, tau), warm-up included.
    """
    parts = []
    for estimand in estimands:
        read = [_named(average(performance, part, estimand=estimand), part) for part in PARTS]
        joined = pd.concat(read, axis=1).dropna(how="all")
        parts.append(joined.assign(estimand=estimand).set_index("estimand", append=True))
    table = pd.concat(parts) if parts else pd.DataFrame(columns=[])
    if table.empty:
        return pd.DataFrame(columns=KEYS)
    model = table["mse_model"].where(table["mse_model"] > 0)
    table["percent"] = PERCENT * table["mse_sampler"] / model
    table["percent_mcse"] = PERCENT * table["mse_sampler_mcse"] / model
    by_mixing = _with_warmup(performance)
    return table.reset_index().merge(by_mixing, on=KEYS[:2], how="left").sort_values(KEYS[0], kind="stable")


def split_sentences(table: pd.DataFrame, labels: Mapping[str, str]) -> list[str]:
    """Return, for each method, how much of the MSE is the model's and how much the sampler's, where that is clear.

    Args:
        table: as ``split_table`` returns it.
        labels: scenario -> what it is called.
    """
    told = []
    for method, rows in table.dropna(subset=["mse_sampler"]).groupby("method", sort=False):
        clear = rows[_clear(rows, "mse_sampler", "mse_sampler_mcse")]
        if clear.empty:
            what = "any estimand" if rows["estimand"].nunique() > 1 else symbol(str(rows["estimand"].iloc[0]))
            told.append(
                f"The sampler of {quote(str(method))} adds nothing to the MSE of {what} that can be told from 0 "
                "(2 MCSE): all of the error that is seen is the model’s and its priors’."
            )
            continue
        told.append(_split(str(method), clear, len(rows), labels))
    return told


def divergent_sentences(performance: pd.DataFrame, labels: Mapping[str, str], estimands: Collection[str]) -> list[str]:
    """Return, for each method, whether its fits with divergences are biased, harmless, or which cannot be told."""
    judged = judge_divergent_fits(performance)
    judged = judged[judged["estimand"].isin(estimands)]
    return [
        f"Fits of {quote(str(method))} with divergences are {'; '.join(_judged(rows, labels))}."
        for method, rows in judged.groupby("method", sort=False)
    ]


def flattery_sentences(table: pd.DataFrame, labels: Mapping[str, str]) -> list[str]:
    """Return where effective draws counted by error are clearly fewer than those counted by autocorrelation.

    ESS per leapfrog is the smallest over (mu, tau), so an estimand of these whose count by error is smaller still is
    worse estimated than its chains look.
    """
    told = []
    rows = table[table["estimand"].isin(HYPERPARAMETERS.split(", "))]
    gap = rows["ess_per_leapfrog"] - rows["error_efficiency"]
    spread = np.hypot(rows["ess_per_leapfrog_mcse"], rows["error_efficiency_mcse"])
    rows = rows.assign(gap=gap, spread=spread, ratio=rows["ess_per_leapfrog"] / rows["error_efficiency"])
    rows = rows[_clear(rows, "gap", "spread") & (gap > 0)]
    for method, part in rows.groupby("method", sort=False):
        most = part.loc[part["ratio"].idxmax()]
        by_error = with_mcse(most["error_efficiency"], most["error_efficiency_mcse"])
        by_mixing = with_mcse(most["ess_per_leapfrog"], most["ess_per_leapfrog_mcse"])
        told.append(
            f"Counted by its error, {quote(str(method))} makes {by_error} effective draws of "
            f"{symbol(str(most['estimand']))} per leapfrog{_at(labels, most['scenario'])}, warm-up included; counted "
            f"by autocorrelation it seems to make {by_mixing}."
        )
    return told


def _split(method: str, clear: pd.DataFrame, n: int, labels: Mapping[str, str]) -> str:
    most: Any = clear.loc[clear["percent"].abs().idxmax()]
    added = with_mcse(abs(most["mse_sampler"]), most["mse_sampler_mcse"])
    change = f"{abs(most['percent']):.2g} % {'more' if most['percent'] > 0 else 'less'}"
    few = f" (clear in {share(len(clear), n)} estimands and scenarios)" if n > 1 else ""
    verb = "adds" if most["mse_sampler"] > 0 else "happens to take off"
    return (
        f"{quote(method)}, {symbol(str(most['estimand']))}{_at(labels, most['scenario'])}: model and priors have an MSE "
        f"of {with_mcse(most['mse_model'], most['mse_model_mcse'])}, the sampler {verb} {added}, {change}{few}."
    )


def _judged(rows: pd.DataFrame, labels: Mapping[str, str]) -> list[str]:
    verdict = rows.groupby("estimand", sort=False)["verdict"].agg(set)
    biased = [name for name in verdict.index if "biased" in verdict[name]]
    harmless = [name for name in verdict.index if verdict[name] == {"harmless"}]
    unknown = [name for name in verdict.index if name not in [*biased, *harmless]]
    words = []
    if biased:
        each = [_bias(rows[(rows["estimand"] == name) & (rows["verdict"] == "biased")], labels) for name in biased]
        words.append(f"biased for {enumerate_words(each)}")
    if harmless:
        words.append(f"harmless for {_symbols(harmless)} (bias within {number(MARGIN)} posterior sds)")
    if unknown:
        words.append(f"not known to be either for {_symbols(unknown)}")
    return words


def _bias(rows: pd.DataFrame, labels: Mapping[str, str]) -> str:
    most: Any = rows.loc[rows["bias"].abs().idxmax()]
    side = "high" if most["bias"] > 0 else "low"
    without = f"; fits without, {number(most['other_bias'], digits=2)}" if np.isfinite(most["other_bias"]) else ""
    amount = with_mcse(abs(most["bias"]), most["mcse"])
    return f"{symbol(str(most['estimand']))} ({amount} posterior sds too {side}{_at(labels, most['scenario'])}{without})"


def _with_warmup(performance: pd.DataFrame) -> pd.DataFrame:
    rows = main_policy(performance[performance["measure"] == "ess_per_leapfrog"])
    rows = rows[(rows["bin"] == WITH_WARMUP) & (rows["estimand"] == HYPERPARAMETERS)]
    names = {"value": "ess_per_leapfrog", "mcse": "ess_per_leapfrog_mcse"}
    return rows[[*KEYS[:2], *names]].rename(columns=names)


def _named(rows: pd.DataFrame, part: str) -> pd.DataFrame:
    return rows.set_index(KEYS[:2])[["value", "mcse"]].rename(columns={"value": part, "mcse": f"{part}_mcse"})


def _clear(rows: pd.DataFrame, value: str, mcse: str) -> np.ndarray:
    return np.array([is_clear(*pair) for pair in zip(rows[value], rows[mcse], strict=True)], dtype=bool)


def _symbols(names: list[str]) -> str:
    return enumerate_words([symbol(name) for name in names])


def _at(labels: Mapping[str, str], scenario: str) -> str:
    return f" at {labels[scenario]}" if len(labels) > 1 else ""
