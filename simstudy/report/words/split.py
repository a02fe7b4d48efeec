"""How much of an error is the model's and how much the sampler's: readings, and the sentences made of them.

The exact posterior of a method's own model has the error of model and prior alone; what the method adds to it, on the
same data, is its sampler's (``simstudy.measures.sampler_error``).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
import pandas as pd

from simstudy.measures import judge_divergent_fits
from simstudy.measures.divergent_fits import MARGIN
from simstudy.measures.sampling import WITH_WARMUP
from simstudy.report.reading.readings import AVERAGE, is_clear, largest, main_policy
from simstudy.report.reading.vocabulary import hyperparameters
from simstudy.report.reading.wording import PERCENT, enumerate_words, number, share, symbol, with_mcse
from simstudy.report.words.counting import clear_in
from simstudy.report.words.sentences import quote

KEYS = ["scenario", "method", "estimand"]
PARTS = ("mse_model", "mse_sampler", "sampler_bias", "sampler_z_square", "error_ess", "error_efficiency")


def split_table(performance: pd.DataFrame) -> pd.DataFrame:
    """Return the error split, one row per scenario, method and estimand that has an exact counterpart.

    Args:
        performance: the performance table.

    Returns:
        ``scenario``, ``method``, ``estimand``; each of ``PARTS`` and its MCSE (``_mcse``), NaN where it is not known;
        ``percent`` and ``percent_mcse``, the sampler's part of the MSE in percent of the model's, with the MCSE of the
        sampler's part; ``ess_per_leapfrog`` and its MCSE of (mu, tau), warm-up included.
    """
    rows = main_policy(performance[performance["measure"].isin(PARTS)])
    rows = rows[rows["bin"].isna() & (rows["group"].isna() | (rows["group"] == AVERAGE))]
    by_part = {part: rows[rows["measure"] == part].set_index(KEYS)[["value", "mcse"]] for part in PARTS}
    named = [
        frame.rename(columns={"value": part, "mcse": f"{part}_mcse"}).astype(float) for part, frame in by_part.items()
    ]
    table = pd.concat(named, axis=1)
    model = table["mse_model"].where(table["mse_model"] > 0)
    table["percent"] = PERCENT * table["mse_sampler"] / model
    table["percent_mcse"] = PERCENT * table["mse_sampler_mcse"] / model
    return table.reset_index().merge(_with_warmup(performance), on=KEYS[:2], how="left")


def split_sentences(
    table: pd.DataFrame, labels: Mapping[str, str], *, convergence: pd.DataFrame | None = None
) -> list[str]:
    """Return, for each method, how much of the MSE is the model's and how much the sampler's, where that is clear.

    Of a method whose fits did not converge it is never said that its sampler adds nothing.

    Args:
        table: as ``split_table`` returns it.
        labels: scenario -> what it is called.
        convergence: the methods (the index) with fits that did not converge: ``short`` of ``fits``.
    """
    told = []
    short = {} if convergence is None else convergence.to_dict("index")
    for method, rows in table.dropna(subset=["mse_sampler"]).groupby("method", sort=False):
        clear = rows[_clear(rows, "mse_sampler", "mse_sampler_mcse")]
        if clear.empty and str(method) in short:
            lost = short[str(method)]
            told.append(
                f"What the sampler of {quote(str(method))} adds to the MSE is not known: "
                f"{share(int(lost['short']), int(lost['fits']))} of its fits did not converge."
            )
            continue
        if clear.empty:
            names = rows["estimand"].unique()
            what = "any estimand" if len(names) > 1 else symbol(names[0])
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
    rows = table[table["estimand"].isin(hyperparameters())]
    gap = rows["ess_per_leapfrog"] - rows["error_efficiency"]
    spread = np.hypot(rows["ess_per_leapfrog_mcse"], rows["error_efficiency_mcse"])
    rows = rows.assign(gap=gap, spread=spread, ratio=rows["ess_per_leapfrog"] / rows["error_efficiency"])
    rows = rows[_clear(rows, "gap", "spread") & (gap > 0)]
    for method, part in rows.groupby("method", sort=False):
        most = largest(part, "ratio")
        by_error = with_mcse(most["error_efficiency"], most["error_efficiency_mcse"])
        by_mixing = with_mcse(most["ess_per_leapfrog"], most["ess_per_leapfrog_mcse"])
        told.append(
            f"Counted by its error, {quote(str(method))} makes {by_error} effective draws of "
            f"{symbol(str(most['estimand']))} per leapfrog{_at(labels, most['scenario'])}, warm-up included; counted "
            f"by autocorrelation it seems to make {by_mixing}."
        )
    return told


def _split(method: str, clear: pd.DataFrame, n: int, labels: Mapping[str, str]) -> str:
    most = largest(clear, "percent")
    added = with_mcse(abs(most["mse_sampler"]), most["mse_sampler_mcse"])
    change = f"{number(abs(most['percent']), digits=2)} % {'more' if most['percent'] > 0 else 'less'}"
    told = clear_in(clear["mse_sampler"], most["mse_sampler"], n, of="estimands and scenarios")
    few = f" ({told})" if n > 1 else ""
    verb = "adds" if most["mse_sampler"] > 0 else "happens to take off"
    model = with_mcse(most["mse_model"], most["mse_model_mcse"])
    return (
        f"{quote(method)}, for {symbol(str(most['estimand']))}{_at(labels, most['scenario'])}: model and priors have "
        f"an MSE of {model}, the sampler {verb} {added}, {change}{few}."
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
        words.append(f"harmless for {_symbols(harmless)} (bias within {MARGIN:g} posterior sds)")
    if unknown:
        words.append(f"not known to be either for {_symbols(unknown)}")
    return words


def _bias(rows: pd.DataFrame, labels: Mapping[str, str]) -> str:
    most = largest(rows, "bias")
    side = "high" if most["bias"] > 0 else "low"
    without = f"; fits without, {number(most['other_bias'], digits=2)}" if np.isfinite(most["other_bias"]) else ""
    amount = with_mcse(abs(most["bias"]), most["mcse"])
    return (
        f"{symbol(str(most['estimand']))} ({amount} posterior sds too {side}{_at(labels, most['scenario'])}{without})"
    )


def _with_warmup(performance: pd.DataFrame) -> pd.DataFrame:
    rows = main_policy(performance[performance["measure"] == "ess_per_leapfrog"])
    rows = rows[(rows["bin"] == WITH_WARMUP) & (rows["estimand"] == ", ".join(hyperparameters()))]
    names = {"value": "ess_per_leapfrog", "mcse": "ess_per_leapfrog_mcse"}
    return rows[[*KEYS[:2], *names]].rename(columns=names)


def _clear(rows: pd.DataFrame, value: str, mcse: str) -> np.ndarray:
    return np.array([is_clear(*pair) for pair in zip(rows[value], rows[mcse], strict=True)], dtype=bool)


def _symbols(names: list[str]) -> str:
    return enumerate_words([symbol(name) for name in names])


def _at(labels: Mapping[str, str], scenario: str) -> str:
    return f" at {labels[scenario]}" if len(labels) > 1 else ""
