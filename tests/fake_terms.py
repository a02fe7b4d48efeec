"""Made-up runs of data with terms: the effects of a fake run, split among the levels of factors.

Cells are the groups of the fake run. The effects of a nested pair are the mean of a level's cells around mu, and what
is left; those of a single factor are theta - mu, truth and estimate alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pandas as pd

from simstudy.store import schema
from tests.fakes import FakeRun, fake_run

PARTS = ("none", "complete", "partial, noncentered")


@dataclass(frozen=True, kw_only=True)
class FakeTermsRun(FakeRun):
    """A made-up run with tables of levels and cells."""

    levels: pd.DataFrame
    cells: pd.DataFrame


def level_rows(factor: str, layout: str, n: int, **columns: Sequence[Any]) -> pd.DataFrame:
    """Return the levels of a factor, without their scenario."""
    given = {"factor": factor, "layout": layout, "level": np.arange(n), **columns}
    return pd.DataFrame(given).reindex(columns=schema.LEVELS.names)


def fake_terms_run(
    factors: Sequence[pd.DataFrame],
    level_of: Mapping[str, Sequence[int]],
    *,
    covariates: Mapping[str, Sequence[float]] | None = None,
    tau: Sequence[float] = (1.0,),
    replicates: int = 20,
    methods: Sequence[str] = PARTS,
    slopes: bool = False,
    seed: int = 0,
) -> FakeTermsRun:
    """Return a made-up run with terms.

    Args:
        factors: what ``level_rows`` returns, the outer factor first.
        level_of: factor -> level of each cell.
        covariates: name -> value of each cell.
        tau: of the scenarios.
        replicates: of each scenario.
        methods: names out of ``fakes.METHODS``.
        slopes: whether the last factor has slopes as well, which are its effects once more.
        seed: of the fake run.
    """
    n_cells = len(next(iter(level_of.values())))
    run = fake_run(
        groups=(n_cells,), group_size=(3,), tau=tau, replicates=replicates, methods=methods, failure_rate=0.0, seed=seed
    )
    scenarios = run.scenarios["scenario"].tolist()
    names = [str(rows["factor"].iloc[0]) for rows in factors]
    added = [_effects(run, name, level_of, names[:i]) for i, name in enumerate(names)]
    if slopes:
        added.append(added[-1].assign(estimand=f"slope[{names[-1]}]"))
    at_hand = [_sd(rows, f"sd[{name}]") for rows, name in zip(added, names, strict=False)]
    kept = run.estimates[run.estimates["estimand"].isin(["theta", "mu", "tau", "sigma"])]
    estimates = pd.concat([kept.astype({"estimand": object}), *added, *at_hand], ignore_index=True)
    tables = {f.name: getattr(run, f.name) for f in fields(FakeRun)}
    return FakeTermsRun(
        **{
            **tables,
            "estimates": estimates.astype({"estimand": "category"}),
            "estimands": _declared(run, names, slopes=slopes),
        },
        levels=pd.concat([rows.assign(scenario=s) for s in scenarios for rows in factors], ignore_index=True),
        cells=pd.concat([_cells(level_of, covariates or {}).assign(scenario=s) for s in scenarios], ignore_index=True),
    )


def _wide(run: FakeRun, column: str) -> pd.DataFrame:
    rows = run.estimates[run.estimates["estimand"] == "theta"].astype({"group": "int64"})
    return rows.set_index(["scenario", "replicate", "method", "group"])[column].unstack()  # noqa: PD010


def _effects(run: FakeRun, factor: str, level_of: Mapping[str, Sequence[int]], outer: Sequence[str]) -> pd.DataFrame:
    """Return the rows of the effects of a factor: means over the cells of a level, less those of the outer factors."""
    level = np.asarray(level_of[factor])
    wide = {}
    for column in ("truth", "mean"):
        cells = _wide(run, column)
        if outer:
            above = np.asarray(level_of[outer[-1]])
            cells = cells - cells.T.groupby(above).transform("mean").T
        wide[column] = cells.T.groupby(level).mean().T
    shape = run.estimates[(run.estimates["estimand"] == "theta") & (run.estimates["group"] == 0)]
    out = []
    for number in range(level.max() + 1):
        keys = pd.MultiIndex.from_frame(shape[["scenario", "replicate", "method"]])
        own = {column: values[number].reindex(keys).to_numpy(float) for column, values in wide.items()}
        moved = {q: own["mean"] + shape[q].to_numpy(float) - shape["mean"].to_numpy(float) for q in _quantiles(shape)}
        out.append(
            shape.astype({"estimand": object}).assign(estimand=f"effect[{factor}]", group=number, **own, **moved)
        )
    rows = pd.concat(out, ignore_index=True)
    return rows[rows["method"] != "complete"].astype({"group": "Int64"})


def _quantiles(rows: pd.DataFrame) -> list[str]:
    return [name for name in rows if name[0] == "q" and name[1:].replace("_", "").isdigit()]


def _sd(effects: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return the rows of the sd of effects at hand: a made-up posterior with mean 1 and sd .1 more than the truth."""
    by_fit = effects.groupby(["scenario", "replicate", "method"], observed=True)
    truth = by_fit["truth"].std(ddof=1).reset_index()
    first = effects[effects["group"] == 0].merge(truth, on=["scenario", "replicate", "method"], suffixes=("_0", ""))
    return (
        first[effects.columns]
        .assign(estimand=name, group=pd.NA, mean=first["truth"] + 1.0, sd=0.1)
        .astype({"group": "Int64"})
    )


def _declared(run: FakeRun, names: Sequence[str], *, slopes: bool) -> pd.DataFrame:
    rows = [run.estimands[run.estimands["estimand"].isin(["theta", "mu", "tau", "sigma"])]]
    for name in names:
        about = {"factor": name, "role": "effects", "symbol": f"u_{name}", "words": f"the effects of {name}"}
        columns = ["effect", "slope"] if slopes and name == names[-1] else ["effect"]
        for method in run.methods["method"]:
            for column in columns:
                rows.append(
                    pd.DataFrame([{"method": method, "estimand": f"{column}[{name}]", "spread": "tau", **about}])
                )
            rows.append(pd.DataFrame([{"method": method, "estimand": f"sd[{name}]", "factor": name, "role": "scale"}]))
    return pd.concat(rows, ignore_index=True)


def _cells(level_of: Mapping[str, Sequence[int]], covariates: Mapping[str, Sequence[float]]) -> pd.DataFrame:
    rows = [{"cell": c, "name": f, "level": n} for f, levels in level_of.items() for c, n in enumerate(levels)]
    rows += [{"cell": c, "name": x, "value": v} for x, values in covariates.items() for c, v in enumerate(values)]
    return pd.DataFrame(rows).reindex(columns=schema.CELLS.names)


def lattice_neighbors(rows: int, columns: int) -> list[list[int]]:
    """Return the neighbors of each cell of a lattice, counted row by row."""
    out = []
    for i in range(rows):
        for j in range(columns):
            near = [(i - 1, j), (i + 1, j), (i, j - 1), (i, j + 1)]
            out.append(sorted(a * columns + b for a, b in near if 0 <= a < rows and 0 <= b < columns))
    return out
