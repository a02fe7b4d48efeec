"""The answer of a study in sentences, made from its numbers and from nothing else.

A difference stands in a sentence only where it is larger than 2 of its MCSE (``readings.is_clear``); of many clear
differences the largest is told, and how many scenarios have one. Numbers are written value ± MCSE. Names of methods
stand in typographic quotes.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from simstudy.report.figures.efficiency import trusted
from simstudy.report.reading.pairs import differences
from simstudy.report.reading.readings import average, binned, efficiencies, is_clear
from simstudy.report.reading.vocabulary import declared, effects
from simstudy.report.reading.wording import (
    PERCENT,
    counted,
    enumerate_words,
    estimand_words,
    letters,
    number,
    number_among,
    share,
    symbol,
    with_mcse,
)
from simstudy.report.words.counting import clear_in
from simstudy.store.group_names import called

Z95 = 1.959964
FEWEST_REPLICATES = 20
SAME = 1e-3
"""Relative difference of two numbers without error below which three digits of them say the same."""


def quote(method: str) -> str:
    """Return a method's name as it stands in a sentence.

    >>> quote("partial")
    '“partial”'
    """
    return f"“{method}”"


def error_sentences(differences: pd.DataFrame, labels: Mapping[str, str], *, estimand: str = "theta") -> list[str]:
    """Return what the RMSE of one method is against that of another.

    Args:
        differences: of one pair of methods, one row per scenario, as ``pairs`` makes them.
        labels: scenario -> what it is called.
        estimand: what is estimated.
    """
    if differences.empty:
        return []
    method, rival = (quote(str(differences[c].iloc[0])) for c in ("method", "rival"))
    rows = differences[_clear(differences)]
    better, worse = rows[rows["difference"] < 0], rows[rows["difference"] > 0]
    n, about = len(differences), estimand_words(estimand)
    if not len(rows):
        where = " in every scenario" if n > 1 else ""
        return [f"RMSE for {about}: {method} and {rival} are tied (within 2 MCSE){where}."]
    sentences = []
    if len(better):
        where = f"in {share(len(better), n)} scenarios" if n > 1 else ""
        sentences.append(f"{method} has a smaller RMSE for {about} than {rival} {where}{_most(better, labels, n)}.")
    if len(worse):
        subject = "It has a larger one" if len(better) else f"{method} has a larger RMSE for {about} than {rival}"
        where = f"in {share(len(worse), n)} scenarios" if n > 1 else ""
        sentences.append(f"{subject} {where}{_most(worse, labels, n)}.")
    if len(rows) < n:
        left = n - len(rows)
        sentences.append(f"In the other {'one' if left == 1 else f'{left:,}'} they are tied.")
    return [" ".join(" ".join(sentences).replace(" ,", ",").replace(" :", ":").split())]


def sum_sentence(rmse: pd.DataFrame, n_groups: int) -> str:
    """Return the squared errors of a data set with known truth, summed over its groups.

    Args:
        rmse: one row per method: ``method``, ``value``, ``mcse`` of the RMSE over the groups.
        n_groups: number of groups.
    """
    rmse = rmse.sort_values("value")
    value, mcse = (rmse[column].to_numpy(float) for column in ("value", "mcse"))
    sums = zip(rmse["method"], n_groups * value**2, 2 * n_groups * value * mcse, strict=True)
    parts = [f"{with_mcse(total, error)} under {quote(str(method))}" for method, total, error in sums]
    return f"Squared errors, summed over the {n_groups} groups: {', '.join(parts)}."


def bias_sentences(
    performance: pd.DataFrame,
    labels: Mapping[str, str],
    *,
    estimand: str,
    method: str,
    peers: Collection[str] = (),
    boundary: Collection[str] = (),
) -> list[str]:
    """Return where a method's estimate is most biased, if clearly anywhere; not where it cannot but be (tau = 0).

    Args:
        performance: the performance table.
        labels: scenario -> what it is called.
        estimand: what is estimated.
        method: a name.
        peers: other methods of partial pooling, named where their bias is clear in the same place and direction.
        boundary: scenarios that are left out.
    """
    every = average(performance, "bias", estimand=estimand)
    biases = every[~every["scenario"].isin(boundary)]
    table, clear = biases[biases["method"] == method], biases[_clear(biases, "value", "mcse")]
    rows = clear[clear["method"] == method]
    if rows.empty:
        return []
    most = _row(rows, rows["value"].abs().idxmax())
    direction = "overestimate" if most["value"] > 0 else "underestimate"
    place = _at(labels, most["scenario"])
    amount = with_mcse(abs(most["value"]), most["mcse"])
    few = f" ({clear_in(rows['value'], most['value'], len(table))})" if len(table) > 1 else ""
    alike = clear[clear["method"].isin(peers) & (clear["scenario"] == most["scenario"])]
    too = _peers(alike.loc[np.sign(alike["value"]) == np.sign(most["value"]), "method"], direction)
    told = [f"{quote(method)}: {estimand_words(estimand)} is {direction}d most{place}, by {amount}{few}{too}."]
    return [*told, *_left_out(estimand, every.loc[every["scenario"].isin(boundary), "scenario"].nunique())]


def _left_out(estimand: str, n: int) -> list[str]:
    """Return that scenarios are left out whose truth is an end of its range, so that estimates err to one side."""
    if not n:
        return []
    where = "1 scenario is left out, whose" if n == 1 else f"{n:,} scenarios are left out, whose"
    return [f"{where} true {symbol(estimand)} is at an end of its range, so that estimates can err to one side alone."]


def span_sentences(
    table: pd.DataFrame,
    *,
    method: str,
    rival: str,
    groups: Mapping[int, str] | None = None,
    exact: Collection[str] = (),
    doubtful: Collection[str] = (),
) -> list[str]:
    """Return how far apart the group effects of a data set are under two methods, if that clearly differs.

    Args:
        table: posterior summaries over the sampler's seeds: ``method``, ``estimand``, ``group``, ``mean``,
            ``mean_mcse``.
        method: name of a method.
        rival: name of another.
        groups: group -> what it is called; where left out, the ends are not named.
        exact: methods whose means have no error, so that any two that differ clearly do.
        doubtful: methods most of whose chains did not converge, which the sentence says.
    """
    first = declared().with_role(table["estimand"].unique(), "mean", "effects")[:1]
    of_groups = table[table["estimand"].isin(first)]
    ends = {name: _ends(of_groups[of_groups["method"] == name]) for name in (method, rival)}
    if any(each is None for each in ends.values()):
        return []
    apart = [_apart(*each) for each in ends.values() if each is not None]
    errors = [0.0 if name in exact else error for name, (_, error) in zip(ends, apart, strict=True)]
    both = apart[0][0], apart[1][0]
    are_known = set(ends) <= set(exact) and not math.isclose(*both, rel_tol=SAME)
    if not (are_known or is_clear(both[0] - both[1], math.hypot(*errors))):
        return []
    among = [float(row["mean"]) for each in ends.values() if each is not None for row in each]
    told = [
        f"between {_end(each[0], groups, among)} and {_end(each[1], groups, among)} under {quote(name)}"
        for name, each in ends.items()
        if each is not None
    ]
    unsure = [quote(name) for name in ends if name in doubtful]
    caveat = f", as far as chains of {enumerate_words(unsure)} that did not converge can tell" if unsure else ""
    return [f"The posterior means of the groups lie {', '.join(told)}{caveat}."]


def price_sentences(
    performance: pd.DataFrame, labels: Mapping[str, str], *, method: str, peers: Collection[str] = ()
) -> list[str]:
    """Return what shrinkage costs in coverage of outlying groups, where that is clearer than 2 MCSE.

    Args:
        performance: the performance table.
        labels: scenario -> what it is called.
        method: a name.
        peers: other methods of partial pooling, named where they clearly lose coverage of the same groups.
    """
    losses = _losses(performance)
    rows = losses[losses["method"] == method]
    if rows.empty:
        return []
    worst = _row(rows, (rows["loss"] - 2 * rows["spread"]).idxmax())
    alike = losses["method"].isin(peers) & (losses["scenario"] == worst["scenario"]) & (losses["bin"] == worst["bin"])
    level = f"{worst['level']:.0%}".replace("%", " %")
    distance = f"{distance_words(worst['bin'])} from {letters()[1]}"
    return [
        f"Shrinkage costs coverage of outlying groups{_at(labels, worst['scenario'])}: {level} intervals of "
        f"{quote(method)} cover {_percent(worst, '')} of the groups {distance}, against "
        f"{_percent(worst, '_overall')} of all groups{_peers(losses.loc[alike, 'method'], 'lose')}."
    ]


def _losses(performance: pd.DataFrame) -> pd.DataFrame:
    """Return the bins in which a method covers clearly less than over all groups: ``loss`` and its ``spread``."""
    bins = binned(performance, "coverage")
    overall = average(performance, "coverage", estimand=effects().name)
    both = bins[bins["n_used"] >= FEWEST_REPLICATES].merge(
        overall, on=["scenario", "method"], suffixes=("", "_overall")
    )
    both["loss"] = both["value_overall"] - both["value"]
    both["spread"] = np.hypot(_spread(both, ""), _spread(both, "_overall"))
    return both[_clear(both, "loss", "spread") & (both["loss"] > 0)]


def _peers(methods: pd.Series, verb: str) -> str:
    """Return which methods do likewise, as the end of a sentence."""
    names = list(dict.fromkeys(methods.astype(str)))
    what = "coverage" if verb == "lose" else "it"
    does = f"clearly {verb}{'s' if len(names) == 1 else ''} {what} there too"
    return f"; {enumerate_words([quote(name) for name in names])} {does}" if names else ""


def divergence_sentences(performance: pd.DataFrame, labels: Mapping[str, str]) -> list[str]:
    """Return where the sampler diverges most, method by method, which methods do in a few fits, and which never do."""
    rates, shares = average(performance, "divergence_rate"), average(performance, "any_divergence")
    sentences, clean = [], []
    for method, rows in rates.groupby("method", sort=False, observed=True):
        clear = rows[[is_clear(v, m) for v, m in zip(rows["value"], rows["mcse"], strict=True)]]
        if (rows["value"] == 0).all():
            clean.append(quote(str(method)))
            continue
        if clear.empty:
            seen = shares[shares["method"] == method]
            n = round((seen["value"] * seen["n_used"]).sum())
            sentences.append(
                f"Some draws of {quote(str(method))} diverged, in {n:,} of {seen['n_used'].sum():,.0f} fits."
            )
            continue
        most = _row(clear, clear["value"].idxmax())
        fits = shares[(shares["method"] == method) & (shares["scenario"] == most["scenario"])]["value"]
        some = f", and in {fits.iloc[0]:.0%} of fits".replace("%", " %") if len(fits) else ""
        amount = f"in {with_mcse(most['value'] * 1000, most['mcse'] * 1000)} of 1,000 draws{some}"
        where = f" most{_at(labels, most['scenario'])}:" if len(labels) > 1 else ""
        sentences.append(f"{quote(str(method))} diverges{where} {amount}.")
    if clean:
        sentences.append(f"No draw of {enumerate_words(clean)} diverged.")
    return sentences


def contrast_sentences(performance: pd.DataFrame, labels: Mapping[str, str], *, method: str, rival: str) -> list[str]:
    """Return how many times as often one method diverges as another, where they differ most clearly."""
    table = differences(average(performance, "divergence_rate"), method, rival)
    rows = table[_clear(table) & (table["value"] > 0) & (table["rival_value"] > 0)]
    if rows.empty:
        return []
    most = _row(rows, (rows["difference"].abs() - 2 * rows["difference_mcse"]).idxmax())
    more, less = (method, rival) if most["difference"] > 0 else (rival, method)
    times = max(most["value"], most["rival_value"]) / min(most["value"], most["rival_value"])
    return [
        f"{quote(more)} diverges {number(times, digits=2)} times as often per draw as {quote(less)}"
        f"{_at(labels, most['scenario'])}."
    ]


def efficiency_sentences(performance: pd.DataFrame, labels: Mapping[str, str], *, method: str, rival: str) -> list[str]:
    """Return which method makes more effective draws per leapfrog, and where; scenarios with divergences left out."""
    table = differences(efficiencies(performance), method, rival)
    ratios = trusted(performance)
    doubtful = set(ratios.loc[~ratios["trusted"] & ratios["method"].isin([method, rival]), "scenario"])
    rows = table[_clear(table) & ~table["scenario"].isin(doubtful)]
    sentences = []
    more, less = rows[rows["difference"] > 0], rows[rows["difference"] < 0]
    for first, second, part in ((method, rival, more), (rival, method, less)):
        if part.empty:
            continue
        ratio = part[["value", "rival_value"]].max(axis=1) / part[["value", "rival_value"]].min(axis=1)
        most = _row(part, ratio.idxmax())
        numbers = [(most["value"], most["mcse"]), (most["rival_value"], most["rival_mcse"])]
        mine, other = (with_mcse(*pair) for pair in (numbers if first == method else numbers[::-1]))
        sentences.append(
            f"{quote(first)} makes up to {number(ratio.max(), digits=2)} times the effective draws per leapfrog of "
            f"{quote(second)}{_at(labels, most['scenario'])}: {mine} against {other}."
        )
    if sentences and doubtful:
        sentences.append(
            f"{counted(len(doubtful), 'scenario')} in which one of them diverges in more than 1 % of draws "
            f"{'is' if len(doubtful) == 1 else 'are'} left out here."
        )
    return sentences


def distance_words(name: str) -> str:
    """Return a bin of the distance from the center of the effects in words.

    >>> distance_words("distance=2.5-3"), distance_words("distance=3+")
    ('2.5 to 3 τ', 'more than 3 τ')
    """
    low, _, high = name.removeprefix("distance=").partition("-")
    tau = letters()[2]
    return f"{low} to {high} {tau}" if high else f"more than {low.rstrip('+')} {tau}"


def _clear(rows: pd.DataFrame, value: str = "difference", mcse: str = "difference_mcse") -> pd.Series:
    pairs = zip(rows[value], rows[mcse], strict=True)
    return pd.Series([is_clear(v, m) for v, m in pairs], index=rows.index, dtype=bool)


def _row(rows: pd.DataFrame, label: Any) -> pd.Series:
    return rows.loc[label]


def _ends(rows: pd.DataFrame) -> tuple[pd.Series, pd.Series] | None:
    """Return the rows with the smallest and the largest mean."""
    return None if rows.empty else (_row(rows, rows["mean"].idxmin()), _row(rows, rows["mean"].idxmax()))


def _apart(least: pd.Series, most: pd.Series) -> tuple[float, float]:
    """Return how far apart two means are, and the MCSE of it."""
    return float(most["mean"] - least["mean"]), math.hypot(least["mean_mcse"], most["mean_mcse"])


def _end(row: pd.Series, groups: Mapping[int, str] | None, among: Sequence[float]) -> str:
    mean = number_among(row["mean"], among)
    return f"{mean} ({called(groups, int(row['group']))})" if groups else mean


def _most(rows: pd.DataFrame, labels: Mapping[str, str], n: int) -> str:
    """Return the scenario with the largest ratio of the RMSEs, with its numbers."""
    ratio = (rows["value"] / rows["rival_value"]).map(lambda r: abs(math.log(r)) if r > 0 else math.inf)
    most = _row(rows, ratio.idxmax())
    change = PERCENT * (most["value"] / most["rival_value"] - 1)
    share = number(abs(change), digits=1) if abs(change) < 1 else f"{abs(change):.0f}"
    words = f"{share} % {'smaller' if change < 0 else 'larger'}"
    numbers = f"{with_mcse(most['value'], most['mcse'])} against {with_mcse(most['rival_value'], most['rival_mcse'])}"
    where = f"{', most' if n > 1 else ''}{_at(labels, most['scenario'])}"
    return f"{where}: {numbers} ({words})"


def _at(labels: Mapping[str, str], scenario: str) -> str:
    return f" at {labels[scenario]}" if len(labels) > 1 else ""


def _spread(rows: pd.DataFrame, suffix: str) -> np.ndarray:
    """Return MCSEs; where a share is 0 or 1 its MCSE is 0 by accident, and the Wilson interval gives one."""
    value, mcse, lower, upper = (
        rows[f"{part}{suffix}"].to_numpy(float) for part in ("value", "mcse", "lower", "upper")
    )
    return np.where(mcse > 0, mcse, np.maximum(upper - value, value - lower) / Z95)


def _percent(row: pd.Series, suffix: str) -> str:
    return with_mcse(row[f"value{suffix}"], row[f"mcse{suffix}"], percent=True)
