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
from simstudy.measures.rows.neighbors import add_local
from simstudy.measures.rows.rows import Rows
from simstudy.measures.rows.trio import add_trio
from simstudy.store.factors import cells_of, levels_of, with_neighbors
from simstudy.store.traits import has_normal_means
from simstudy.types import RunTables

DATA_COLUMNS = ("scenario", "replicate", "group", "n_obs", "y_mean", "known_se")
EQUAL = 1e-9


def read_effects(run: RunTables, context: Context, estimates: Rows) -> Rows:
    """Return the rows of the effects.

    Columns besides those of the estimates: ``deviation`` (theta - mu) and ``distance`` (its size in units of tau),
    NaN at tau = 0; ``variance_among``, the posterior mean of the variance among the groups; ``is_exchangeable`` (1, or
    NaN where levels have neighbors or covariates set them apart); ``n_obs``; where the means of the groups are normal,
    ``y_mean``, ``is_balanced`` (1 or NaN) and the errors of the rivals; and what ``neighbors`` and ``trio`` add.

    Data of groups are joined with effects of groups, or of cells, alone: those of a factor have levels of their own.
    """
    labels = estimates.keys.labels
    codes = [labels.code_of(effects.name) for effects in labels.effects]
    rows = estimates.take(np.flatnonzero(np.isin(estimates.keys.estimand, codes)))
    mu, tau, variance = _around(rows, context)
    scale = np.where(tau > 0, tau, np.nan)
    deviation = np.where(tau > 0, rows["truth"] - mu, np.nan)
    rows = rows.add(deviation=deviation, distance=np.abs(deviation) / scale, variance_among=variance)
    rows = rows.add(is_exchangeable=np.where(np.isin(rows.keys.estimand, _exchangeable(run, labels)), 1.0, np.nan))
    scenarios = frozenset(labels.scenarios[np.unique(rows.keys.scenario)])
    rows = _with_data(rows, _read_data(run, labels, context, scenarios), has_rivals=_has_rivals(run, labels))
    if len(levels_of(run)):
        rows = add_trio(run, add_local(run, rows))
    return rows


def _exchangeable(run: RunTables, labels: Labels) -> list[int]:
    """Return the codes of the effects that differ by their population alone, so that ranks of them mean something."""
    near = with_neighbors(run)
    set_apart = bool(near) or bool(cells_of(run)["value"].notna().any())
    apart = [e for e in labels.effects if e.factor in near or (e.factor is None and set_apart)]
    return [labels.code_of(e.name) for e in labels.effects if e not in apart]


def _has_rivals(run: RunTables, labels: Labels) -> bool:
    """Whether the means of groups, the mean of all and one who knows tau and sigma estimate the effects."""
    return not len(levels_of(run)) or labels.effects[0].spread is not None


def _around(rows: Rows, context: Context) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return (row,) truths of center and spread, NaN where none is declared, and the variance among the groups."""
    keys, labels = rows.keys, rows.keys.labels
    center, spread, variance = (np.full(len(keys.scenario), np.nan) for _ in range(3))
    for effects in labels.effects:
        mine = np.flatnonzero(keys.estimand == labels.code_of(effects.name))
        for name, values in ((effects.center, center), (effects.spread, spread)):
            if name:
                values[mine] = context.truth[name][keys.data[mine]]
        if effects.center is None and effects.factor is not None:
            center[mine] = 0.0
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
    y_mean = np.where(n_obs > 0, y_mean, np.nan)
    known_se = groups["known_se"].to_numpy(dtype=float)
    with np.errstate(divide="ignore"):  # an empty cell says nothing
        s2 = np.where(np.isfinite(known_se), known_se, context.sigma(keys) / np.sqrt(n_obs)) ** 2
    spread = labels.effects[0].spread
    tau2 = context.truth[spread][keys.data] ** 2 if spread else np.full(len(n_obs), np.nan)
    weight = np.where(np.isinf(s2), 1.0, s2 / np.where(np.isinf(s2), 1.0, s2 + tau2))
    return Rows(
        keys=keys,
        columns={
            "n_obs": n_obs,
            "y_mean": y_mean,
            "is_balanced": np.where(_is_constant(keys, n_obs) & _is_constant(keys, np.nan_to_num(s2)), 1.0, np.nan),
            "none": y_mean,
            "complete": _weighted_mean(keys, y_mean, 1 / s2),
            "oracle": _mixed(weight, _weighted_mean(keys, y_mean, 1 / (s2 + tau2)), y_mean),
        },
    )


def _with_data(rows: Rows, data: Rows, *, has_rivals: bool) -> Rows:
    order = np.argsort(data.keys.data_group, kind="stable")
    known = data.keys.data_group[order]
    code = rows.keys.data_group
    if not len(known):
        unknown = {name: np.full(len(code), np.nan) for name in data.columns}
        return rows.add(**_data_columns(Rows(keys=rows.keys, columns=unknown), rows["truth"]))
    place = np.minimum(np.searchsorted(known, code), len(known) - 1)
    labels = rows.keys.labels
    first = labels.effects[0]
    found = (known[place] == code) & (rows.keys.estimand == labels.code_of(first.name)) & (first.factor is None)
    columns = {
        name: np.where(found & (has_rivals or name == "n_obs"), values[order[place]], np.nan)
        for name, values in data.columns.items()
    }
    joined = Rows(keys=rows.keys, columns=columns)
    return rows.add(**_data_columns(joined, rows["truth"]))


def _data_columns(data: Rows, truth: np.ndarray) -> dict[str, np.ndarray]:
    errors = {f"{rival}_error": data[rival] - truth for rival in ("none", "complete", "oracle")}
    return {"n_obs": data["n_obs"], "y_mean": data["y_mean"], "is_balanced": data["is_balanced"], **errors}


def _weighted_mean(keys: Keys, values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    weighed = np.where(weight > 0, weight * values, 0.0 * weight)
    total, weights = (np.bincount(keys.data, weights=w, minlength=keys.n_data) for w in (weighed, weight))
    return total[keys.data] / weights[keys.data]


def _mixed(weight: np.ndarray, common: np.ndarray, own: np.ndarray) -> np.ndarray:
    """Return (row,) weight common + (1 - weight) own, the common mean alone where there are no observations."""
    return np.where(np.isnan(own) & (weight == 1), common, weight * common + (1 - weight) * own)


def _is_constant(keys: Keys, values: np.ndarray) -> np.ndarray:
    """Return (row,) bool, all groups of the data set have the same value up to rounding."""
    low, high = np.full(keys.n_data, np.inf), np.full(keys.n_data, -np.inf)
    np.minimum.at(low, keys.data, values)
    np.maximum.at(high, keys.data, values)
    return (high - low <= EQUAL * high)[keys.data] if len(values) else np.zeros(0, bool)
