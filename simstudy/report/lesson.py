"""One data set of a run, looked at closely: the data, the three posteriors and the exact answer."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd

from simstudy.report.evidence import Evidence
from simstudy.report.reading.readings import headline_level
from simstudy.report.reading.vocabulary import effects, hyperparameters
from simstudy.report.reading.wording import letters, symbol
from simstudy.store.declared import RESIDUAL
from simstudy.store.schema import interval_columns
from simstudy.store.traits import has_normal_means

MOST_GROUPS = 12
INSTRUCTIVE_WEIGHT = 0.5


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """What there is to see in one replicate.

    Attributes:
        scenario: its id.
        replicate: from 0.
        level: of the intervals.
        exact: the name under which the exact answer stands, or None.
        table: ``method``, ``name`` (as ``theta[0]``), ``mean``, ``lower``, ``upper``.
        data: name -> observed group mean.
        truth: name -> true value.
        labels: name -> what a reader sees.
    """

    scenario: str
    replicate: int
    level: float
    exact: str | None
    table: pd.DataFrame
    data: pd.Series
    truth: pd.Series
    labels: dict[str, str]


def read_lesson(evidence: Evidence) -> Lesson | None:
    """Return the first data set, fitted by all three models, of the scenario in which shrinkage shows best, or None.

    That is the scenario whose oracle weights are nearest to one half, on average.
    """
    roles = evidence.roles
    names = [name for name in (roles.separate, roles.complete, roles.partial) if name]
    scenario = None if evidence.is_dataset or len(names) < 3 else instructive_scenario(evidence)
    if scenario is None:
        return None
    exact = evidence.exact_of.get(str(roles.partial))
    names += [exact] if exact else []
    replicate = evidence.first_replicates(names).get(scenario)
    if replicate is None:
        return None
    groups = _groups(evidence, scenario, replicate)
    level = headline_level(pd.Series(evidence.study["summary"]["levels"]))
    columns = ["method", "estimand", "group", "mean", *interval_columns(level), "truth"]
    table = _table(evidence.estimates_at({scenario: replicate}, columns, method=set(names)), names, level)
    known = _oracle(evidence, scenario, groups, level) if exact is None else None
    named = _named(groups)
    sizes = (f"group {int(g) + 1}, n = {int(n)}" for g, n in zip(groups["group"], groups["n_obs"], strict=True))
    return Lesson(
        scenario=scenario,
        replicate=replicate,
        level=level,
        exact=exact or (None if known is None else oracle()),
        table=table if known is None else pd.concat([table, known], ignore_index=True),
        data=pd.Series(groups["y_mean"].to_numpy(float), index=named),
        truth=table.drop_duplicates("name").set_index("name")["truth"].dropna(),
        labels={**dict(zip(named, sizes, strict=True)), **{name: symbol(name) for name in _shown()}},
    )


def oracle() -> str:
    """Return what the answer of one who knows the spread of the effects and the residual sd is called.

    >>> oracle()
    'exact, τ and σ known'
    """
    return f"exact, {letters()[2]} and {symbol(RESIDUAL)} known"


def instructive_scenario(evidence: Evidence) -> str | None:
    """Return the scenario of at most 12 groups whose oracle weights are nearest to one half; None without weights."""
    weights = evidence.weights(["scenario", "truth"]).dropna(subset="truth")
    groups = evidence.run.scenarios.set_index(evidence.run.scenarios["scenario"].astype(str)).get("groups")
    if weights.empty or groups is None:
        return None
    mean = weights.groupby("scenario", observed=True)["truth"].mean()
    mean = mean[[float(groups[scenario]) <= MOST_GROUPS for scenario in mean.index]]
    return None if mean.empty else str((mean - INSTRUCTIVE_WEIGHT).abs().idxmin())


def _groups(evidence: Evidence, scenario: str, replicate: int) -> pd.DataFrame:
    where: dict[str, Collection[Any]] = {"scenario": {scenario}, "replicate": {replicate}}
    pieces = list(evidence.run.parts("groups", ["group", "n_obs", "y_mean"], where=where))
    return pd.concat(pieces).sort_values("group")


def _table(rows: pd.DataFrame, names: list[str], level: float) -> pd.DataFrame:
    rows = rows[rows["estimand"].isin(_shown())]
    low, high = interval_columns(level)
    place = {name: i for i, name in enumerate([*names, *_shown()])}
    keys = ["estimand", "group", "method"]
    rows = rows.astype({"method": str, "estimand": str}).sort_values(
        keys, key=lambda column: column.map(place) if column.name != "group" else column
    )
    labels = [e if pd.isna(g) else f"{e}[{int(g)}]" for e, g in zip(rows["estimand"], rows["group"], strict=True)]
    frame = rows.rename(columns={low: "lower", high: "upper"}).assign(name=labels)
    return frame[["method", "name", "mean", "lower", "upper", "truth"]].reset_index(drop=True)


def _oracle(evidence: Evidence, scenario: str, groups: pd.DataFrame, level: float) -> pd.DataFrame | None:
    """Return the posterior of the effects for one who knows tau and sigma, with a flat prior on mu.

    Gelman et al. 2013, Bayesian Data Analysis, section 5.4. None where the means of the groups are not normal.
    """
    rows = evidence.run.scenarios
    factors: Any = rows[rows["scenario"] == scenario].iloc[0]
    known = [factors.get(name) for name in (effects().spread, RESIDUAL)]
    if not has_normal_means(evidence.run).all() or not all(isinstance(v, int | float) and v == v for v in known):
        return None
    tau, sigma = map(float, known)
    y, s2 = groups["y_mean"].to_numpy(float), sigma**2 / groups["n_obs"].to_numpy(float)
    weight, precision = s2 / (s2 + tau**2), 1 / (s2 + tau**2)
    mean = weight * (y * precision).sum() / precision.sum() + (1 - weight) * y
    reach = NormalDist().inv_cdf(0.5 + level / 2) * np.sqrt((1 - weight) * s2 + weight**2 / precision.sum())
    ends = {"mean": mean, "lower": mean - reach, "upper": mean + reach}
    return pd.DataFrame({"method": oracle(), "name": _named(groups), **ends})


def _named(groups: pd.DataFrame) -> list[str]:
    return [f"{effects().name}[{group}]" for group in groups["group"]]


def _shown() -> list[str]:
    return [effects().name, *hyperparameters(), RESIDUAL]
