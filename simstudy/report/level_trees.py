"""Pictures of nested factors: the tree of their levels, from the common mean to the innermost."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from simstudy.report.figures.level_tree import TRUTH
from simstudy.report.level_values import LevelFigure, effects_of, factors_of, level_figure, outer_of
from simstudy.report.reading.replicate import DrawnReplicate
from simstudy.report.reading.vocabulary import declared
from simstudy.report.reading.wording import number, symbol


def tree_figures(drawn: DrawnReplicate) -> list[LevelFigure]:
    """Return the tree of each chain of nested factors, from the common mean to the innermost."""
    factors = factors_of(drawn)
    outer = {name: outer_of(levels) for name, levels in factors.items()}
    inner = [name for name in factors if outer[name] and name not in outer.values()]
    return [_tree(drawn, factors, _chain(name, outer)) for name in inner]


def _chain(name: str, outer: dict[str, str | None]) -> list[str]:
    above = outer[name]
    return [*(_chain(above, outer) if above else []), name]


def _tree(drawn: DrawnReplicate, factors: dict[str, pd.DataFrame], chain: list[str]) -> LevelFigure:
    center = declared().centers[0]
    names = {factor: effects_of(factor)[0].name for factor in chain}
    rows = drawn.estimates(center, *names.values())
    has_truth = bool(rows["truth"].notna().any())
    of_truth = (
        rows.dropna(subset="truth")
        .drop_duplicates(["estimand", "level"])
        .assign(method=TRUTH, mean=lambda t: t["truth"])
    )
    every = pd.concat([of_truth, rows]) if has_truth else rows
    table = pd.concat(
        [
            _branches(mine, center, names, factors).assign(method=method)
            for method, mine in every.groupby("method", sort=False)
        ],
        ignore_index=True,
    )
    columns = ["mean", *chain]
    letters = " + ".join(symbol(name) for name in (center, *names.values()))
    caption = (
        f"Each level stands at its value, {letters}, beside the level that it belongs to; a factor that is not in a "
        f"model adds 0. {f'Gray line: the true {symbol(center)}. ' if has_truth else ''}"
        f"{_lengths(table, columns, has_truth=has_truth)}"
    )
    draw: dict[str, Any] = {"columns": columns, "words": "value", "marks": drawn.evidence.marks}
    title = f"{' / '.join(chain)}: the tree of levels"
    return level_figure("level_tree", chain[-1], title, caption, table, draw)


def _branches(rows: pd.DataFrame, center: str, names: dict[str, str], factors: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Return ``depth``, ``value`` and ``parent`` of every level under a method, around 0 without a center."""
    known = rows.loc[rows["estimand"] == center, "mean"]
    mean = float(known.iloc[0]) if len(known) else 0.0
    above, parts = np.array([mean]), [pd.DataFrame({"depth": [0], "value": [mean], "parent": [np.nan]})]
    for depth, (factor, name) in enumerate(names.items(), start=1):
        levels = factors[factor]
        parent = levels["parent"].fillna(0).to_numpy(int)
        own = (
            rows[rows["estimand"] == name].set_index("level")["mean"].reindex(levels["level"].to_numpy(int)).fillna(0.0)
        )
        value = above[parent] + own.to_numpy(float)
        parts.append(pd.DataFrame({"depth": depth, "value": value, "parent": above[parent]}))
        above = value
    return pd.concat(parts, ignore_index=True)


def _lengths(table: pd.DataFrame, columns: list[str], *, has_truth: bool) -> str:
    """Return the root mean square of the branches at each depth, under the truth and each method."""
    inner = table.dropna(subset="parent")
    size = ((inner["value"] - inner["parent"]) ** 2).groupby(
        [inner["method"], inner["depth"]], sort=False
    ).mean() ** 0.5
    told = []
    for method in dict.fromkeys(inner["method"]):
        each = ", ".join(f"{columns[int(d)]} {number(v, digits=2)}" for d, v in size[method].items())
        told.append(f"{'the truth' if has_truth and method == TRUTH else f'“{method}”'}: {each}")
    return f"Root mean square of the branches: {'; '.join(told)}."
