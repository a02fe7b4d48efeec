"""Rows of the groups' effects, joined with the hyperparameters' truth, the data of the group and rival estimators.

The letters are those of grouped models; effects of another name have the center and the spread that they declare. Of
several kinds of effects the first is the one that the means of the groups are estimates of.

Rivals know no prior: ``none`` is the group's mean, ``complete`` the mean of all, and ``oracle`` knows tau and
sigma and estimates mu by generalized least squares:

    theta_j = B_j mu + (1 - B_j) ybar_j,   B_j = s2_j / (s2_j + tau^2),   mu = sum w_j ybar_j / sum w_j,
    w_j = 1 / (s2_j + tau^2),   s2_j = sigma_j^2 / n_j or the known squared standard error.
"""

from collections.abc import Collection

import numpy as np
import pandas as pd

from simstudy.measures.rows.context import Context
from simstudy.measures.rows.labels import Keys, Labels
from simstudy.measures.rows.rows import Rows
from simstudy.store.traits import has_normal_means
from simstudy.types import RunTables

DATA_COLUMNS = ("scenario", "replicate", "group", "n_obs", "y_mean", "known_se")
EQUAL = 1e-9


def read_effects(run: RunTables, context: Context, estimates: Rows) -> Rows:
    """Return the rows of the effects.

    Columns besides those of the estimates: ``deviation`` (theta - mu) and ``distance`` (its size in units of tau),
    NaN at tau = 0; ``variance_among``, the posterior mean of the variance among the groups; ``n_obs``; and, where the
    means of the groups are normal, ``y_mean``, ``is_balanced`` (1 or NaN) and the errors of the rivals.
    """
    labels = estimates.keys.labels
    codes = [labels.code_of(effects.name) for effects in labels.effects]
    rows = estimates.take(np.flatnonzero(np.isin(estimates.keys.estimand, codes)))
    mu, tau, variance = _around(rows, context)
    scale = np.where(tau > 0, tau, np.nan)
    deviation = np.where(tau > 0, rows["truth"] - mu, np.nan)
    rows = rows.add(deviation=deviation, distance=np.abs(deviation) / scale, variance_among=variance)
    scenarios = frozenset(labels.scenarios[np.unique(rows.keys.scenario)])
    return _with_data(rows, _read_data(run, labels, context, scenarios))


def _around(rows: Rows, context: Context) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return (row,) truths of center and spread, NaN where none is declared, and the variance among the groups."""
    keys, labels = rows.keys, rows.keys.labels
    center, spread, variance = (np.full(len(keys.scenario), np.nan) for _ in range(3))
    for effects in labels.effects:
        mine = np.flatnonzero(keys.estimand == labels.code_of(effects.name))
        for name, values in ((effects.center, center), (effects.spread, spread)):
            if name:
                values[mine] = context.truth[name][keys.data[mine]]
        variance[mine] = context.variance_among[effects.name][keys.fit[mine]]
    return center, spread, variance


def _read_data(run: RunTables, labels: Labels, context: Context, scenarios: Collection[str]) -> Rows:
    """Return one row per group of a data set: its size, and what normal observations say of it."""
    pieces = run.parts("groups", DATA_COLUMNS, where={"scenario": scenarios})
    groups = pd.concat([piece[piece["n_obs"].notna()] for piece in pieces])
    # Data of a user's own form have no groups that are known here.
    keys = labels.read(groups)
    is_normal = has_normal_means(run).to_numpy()
    y_mean = np.where(is_normal[keys.scenario], groups["y_mean"].to_numpy(dtype=float), np.nan)
    n_obs = groups["n_obs"].to_numpy(dtype=float)
    known_se = groups["known_se"].to_numpy(dtype=float)
    s2 = np.where(np.isfinite(known_se), known_se, context.sigma(keys) / np.sqrt(n_obs)) ** 2
    spread = labels.effects[0].spread
    tau2 = context.truth[spread][keys.data] ** 2 if spread else np.full(len(n_obs), np.nan)
    weight = s2 / (s2 + tau2)
    return Rows(
        keys=keys,
        columns={
            "n_obs": n_obs,
            "y_mean": y_mean,
            "is_balanced": np.where(_is_constant(keys, n_obs) & _is_constant(keys, np.nan_to_num(s2)), 1.0, np.nan),
            "none": y_mean,
            "complete": _weighted_mean(keys, y_mean, 1 / s2),
            "oracle": weight * _weighted_mean(keys, y_mean, 1 / (s2 + tau2)) + (1 - weight) * y_mean,
        },
    )


def _with_data(rows: Rows, data: Rows) -> Rows:
    order = np.argsort(data.keys.data_group, kind="stable")
    known = data.keys.data_group[order]
    code = rows.keys.data_group
    if not len(known):
        return rows.add(**{name: np.full(len(code), np.nan) for name in _data_columns(data, rows["truth"])})
    place = np.minimum(np.searchsorted(known, code), len(known) - 1)
    labels = rows.keys.labels
    found = (known[place] == code) & (rows.keys.estimand == labels.code_of(labels.effects[0].name))
    joined = Rows(
        keys=rows.keys, columns={n: np.where(found, v[order[place]], np.nan) for n, v in data.columns.items()}
    )
    return rows.add(**_data_columns(joined, rows["truth"]))


def _data_columns(data: Rows, truth: np.ndarray) -> dict[str, np.ndarray]:
    errors = {f"{rival}_error": data[rival] - truth for rival in ("none", "complete", "oracle")}
    return {"n_obs": data["n_obs"], "y_mean": data["y_mean"], "is_balanced": data["is_balanced"], **errors}


def _weighted_mean(keys: Keys, values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    total, weights = (np.bincount(keys.data, weights=w, minlength=keys.n_data) for w in (weight * values, weight))
    return total[keys.data] / weights[keys.data]


def _is_constant(keys: Keys, values: np.ndarray) -> np.ndarray:
    """Return (row,) bool, all groups of the data set have the same value up to rounding."""
    low, high = np.full(keys.n_data, np.inf), np.full(keys.n_data, -np.inf)
    np.minimum.at(low, keys.data, values)
    np.maximum.at(high, keys.data, values)
    return (high - low <= EQUAL * high)[keys.data] if len(values) else np.zeros(0, bool)
