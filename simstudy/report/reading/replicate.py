"""One data set of a study with terms, to draw its levels from: which, and what its fits say.

The scenario is the one whose true effects vary most, the replicate the one in which the error of partial pooling, or
of the first method, is the median of its errors there. Data that are real are drawn as they are.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from simstudy.report.evidence import Evidence
from simstudy.report.reading.readings import average, headline_level
from simstudy.store.factors import cells_of, levels_of
from simstudy.store.schema import interval_columns
from simstudy.store.traits import has_normal_means

MOST_METHODS = 3


@dataclass(frozen=True, kw_only=True)
class DrawnReplicate:
    """A data set and the methods that are drawn of it.

    Args:
        evidence: the run.
        scenario: its id.
        replicate: from 0.
        methods: at most three, in the order of the study.
    """

    evidence: Evidence
    scenario: str
    replicate: int
    methods: tuple[str, ...]

    @cached_property
    def levels(self) -> pd.DataFrame:
        """The levels of its factors, as ``schema.LEVELS``."""
        table = levels_of(self.evidence.run)
        return table[table["scenario"] == self.scenario]

    @cached_property
    def cells(self) -> pd.DataFrame:
        """Cell -> its level of each factor and its value of each covariate, by name."""
        table = cells_of(self.evidence.run)
        table = table[table["scenario"] == self.scenario]
        return table.assign(of=table["level"].fillna(table["value"])).set_index(["cell", "name"])["of"].unstack()  # noqa: PD010

    @cached_property
    def covariates(self) -> list[str]:
        """Names of the covariates."""
        table = cells_of(self.evidence.run)
        return list(dict.fromkeys(table.loc[table["value"].notna(), "name"].astype(str)))

    @property
    def leading(self) -> str:
        """The method whose error chose the replicate."""
        return _first(self.evidence, list(self.methods))

    @property
    def level(self) -> float:
        """Level of the intervals."""
        return headline_level(pd.Series(self.evidence.study["summary"]["levels"]))

    def estimates(self, *names: str) -> pd.DataFrame:
        """Return ``method``, ``estimand``, ``level``, ``mean``, ``lower``, ``upper``, ``truth`` of some estimands."""
        low, high = interval_columns(self.level)
        columns = ["method", "estimand", "group", "mean", low, high, "truth"]
        where: dict[str, Collection[str]] = {"method": set(self.methods), "estimand": set(names)}
        rows = self.evidence.estimates_at({self.scenario: self.replicate}, columns, **where)
        rows = rows.astype({"method": str, "estimand": str}).rename(
            columns={low: "lower", high: "upper", "group": "level"}
        )
        order = {name: i for i, name in enumerate(self.methods)}
        return rows.sort_values("method", key=lambda names: names.map(order), kind="stable").reset_index(drop=True)

    @cached_property
    def observed(self) -> pd.Series | None:
        """Cell -> mean of its observations, where these are normal around the predictor; else None."""
        run = self.evidence.run
        if not has_normal_means(run).all():
            return None
        where: dict[str, Collection[Any]] = {"scenario": {self.scenario}, "replicate": {self.replicate}}
        rows = pd.concat(list(run.parts("groups", ["group", "n_obs", "y_mean"], where=where)))
        return rows[rows["n_obs"] > 0].set_index("group")["y_mean"].astype(float)


def drawn_replicate(evidence: Evidence, *, scenario: str | None = None) -> DrawnReplicate | None:
    """Return the data set that is drawn, or None where the run has no table of levels or no usable fit.

    Args:
        evidence: the run.
        scenario: its id; the one whose true effects vary most where left out.
    """
    known = levels_of(evidence.run)
    if known.empty:
        return None
    rmse = average(evidence.performance, "rmse", estimand=evidence.headline) if evidence.headline else pd.DataFrame()
    scenario = scenario or _most_varied(evidence) or str(known["scenario"].iloc[0])
    methods = _methods(evidence, rmse[rmse["scenario"] == scenario] if len(rmse) else rmse)
    fits = evidence.run.fits
    ok = fits[(fits["scenario"] == scenario) & (fits["status"] == "ok") & fits["method"].isin(methods)]
    n_methods = ok.groupby("replicate").size()
    every = n_methods.index[n_methods == len(methods)]
    if not len(every):
        return None
    replicate = int(every[0])
    if len(rmse):
        squares = evidence.squares
        mine = squares[(squares["scenario"] == scenario) & (squares["method"] == _first(evidence, methods))]
        mine = mine[mine["replicate"].isin(every)].sort_values("square", kind="stable")
        if len(mine):
            replicate = int(mine["replicate"].iloc[(len(mine) - 1) // 2])
    return DrawnReplicate(evidence=evidence, scenario=scenario, replicate=replicate, methods=tuple(methods))


def _first(evidence: Evidence, methods: list[str]) -> str:
    return evidence.roles.partial if evidence.roles.partial in methods else methods[0]


def _most_varied(evidence: Evidence) -> str | None:
    """Return the scenario whose true effects have the largest variance within replicates, on average.

    Effects are those of the cells or groups, whatever the answer is about: a study of the mean has effects as well.
    """
    if (grouped := _effects(evidence)) is None:
        return None
    columns, method = ["scenario", "replicate", "truth"], next(iter(evidence.marks))
    rows = evidence.estimates_of(grouped, columns, method={method}).dropna(subset="truth")
    variance = rows.groupby(["scenario", "replicate"], observed=True)["truth"].var().groupby("scenario", observed=True)
    mean = variance.mean().dropna()
    return None if mean.empty else str(mean.idxmax())


def _effects(evidence: Evidence) -> str | None:
    """Return the estimand whose numbers are the effects of cells or groups, that of the answer before others."""
    named = [evidence.headline, *evidence.with_role("effects")]
    return next((name for name in named if name is not None and evidence.is_grouped(name)), None)


def _methods(evidence: Evidence, rmse: pd.DataFrame) -> list[str]:
    """Return partial pooling, no pooling, and others whose errors are farthest from that of partial pooling."""
    roles, every = evidence.roles, list(evidence.marks)
    chosen = [name for name in (roles.partial, roles.separate) if name] or every[:1]
    error = dict(zip(rmse["method"].astype(str), rmse["value"], strict=True)) if len(rmse) else {}
    first = error.get(chosen[0], 0.0)
    rest = [name for name in every if name not in chosen and name != roles.complete]
    rest.sort(key=lambda name: -abs(error.get(name, first) - first))
    chosen = [*chosen, *rest][:MOST_METHODS]
    return [name for name in every if name in chosen]
