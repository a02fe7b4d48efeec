"""What sets a level apart from its neighbors: effects of series, maps and points against the local truth."""

import numpy as np
import pandas as pd

from simstudy.measures.rows.rows import Rows
from simstudy.store.factors import adjacency, by_scenario, levels_of, with_neighbors
from simstudy.types import RunTables


def add_local(run: RunTables, rows: Rows) -> Rows:
    """Return the rows of effects with ``local_deviation``, the truth minus the mean truth of the neighbors.

    It is 0 for a level without neighbors, which then counts for nothing, and NaN for effects of factors whose levels
    have none, and where a fit lacks a level.
    """
    labels, truth = rows.keys.labels, rows["truth"]
    local = np.full(len(truth), np.nan)
    for factor in with_neighbors(run):
        levels = by_scenario(levels_of(run)[levels_of(run)["factor"] == factor])
        for effects in (e for e in labels.effects if e.factor == factor):
            mine = np.flatnonzero(rows.keys.estimand == labels.code_of(effects.name))
            for code in np.unique(rows.keys.scenario[mine]):
                of_scenario = mine[rows.keys.scenario[mine] == code]
                found = levels.get(str(labels.scenarios[code]))
                if found is not None:
                    local[of_scenario] = _deviations(rows.take(of_scenario), found)
    return rows.add(local_deviation=local)


def _deviations(rows: Rows, levels: pd.DataFrame) -> np.ndarray:
    """Return the (row,) deviations of the effects of one factor in one scenario."""
    near = adjacency(levels).astype(float)
    n_near = near.sum(1)
    fits, fit = np.unique(rows.keys.fit, return_inverse=True)
    truth = np.full((len(fits), len(levels)), np.nan)
    truth[fit, rows.keys.group] = rows["truth"]
    mean = np.divide(truth @ near.T, n_near, out=truth.copy(), where=n_near > 0)
    return (truth - mean)[fit, rows.keys.group]
