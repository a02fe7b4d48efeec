"""Normal observations along lines: the sufficient statistics of cells that differ in covariates alone.

Cells with the same level of every factor make a *profile*. Within it the predictor is c_0 + sum_k c_k x_k, with c the
location's coefficients plus those of the terms, so that with S = sum x x' and c_hat its least-squares coefficients

    sum (y - x'c)^2 = rss + (c - c_hat)' S (c - c_hat).

A leapfrog then costs what the profiles cost, not their cells: for 18 subjects on 10 days a tenth. Covariates are
standardized, so that S is well-conditioned; where x does not span (one day), c_hat is the shortest solution and the
formula still holds.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from simstudy.late import jax, with_gradient
from simstudy.models.design import CellData, Design
from simstudy.models.predictor import Term
from simstudy.models.shapes import OfLane
from simstudy.types import GroupedData

ONE = "1"
"""Name of the coefficient of the constant."""


@functools.lru_cache(maxsize=256)
def profiles_of(design: Design) -> tuple[np.ndarray, Design]:
    """Return the (cell,) profile of each cell, and the design whose cells are the profiles."""
    levels = np.stack([factor.level for factor in design.factors], 1)
    distinct, profile = np.unique(levels, axis=0, return_inverse=True)
    factors = tuple(replace(f, level=distinct[:, i].copy()) for i, f in enumerate(design.factors))
    return profile.reshape(-1), Design(n_cells=len(distinct), factors=factors)


def line_statistics(data: CellData, covariates: Sequence[str]) -> tuple[dict[str, np.ndarray], GroupedData]:
    """Return S and c_hat by profile, and the data whose within sum of squares is that around the lines.

    Args:
        data: one data set.
        covariates: names of the covariates.

    Returns:
        ``S.A.B`` for each pair of coefficients, and ``c.A``, (profile,); and data of one group per profile, their
        means 0, for the within part of a likelihood.
    """
    profile, design = profiles_of(data.design)
    columns = {ONE: np.ones(data.n_groups)}
    for name in covariates:
        x = data.covariate(name)
        columns[name] = (x - x.mean()) / x.std()
    names, m = list(columns), design.n_cells
    x = np.stack(list(columns.values()), 1)
    n = data.n_obs.astype(float)
    moments = np.zeros((m, len(names), len(names)))
    np.add.at(moments, profile, n[:, None, None] * x[:, :, None] * x[:, None, :])
    sums = np.zeros((m, len(names)))
    np.add.at(sums, profile, (n * data.y_mean)[:, None] * x)
    fitted = np.einsum("pij,pj->pi", np.linalg.pinv(moments, hermitian=True), sums)
    residual = data.y_mean - np.einsum("ci,ci->c", x, fitted[profile])
    within = np.bincount(profile, data.y_ss + n * residual**2, m)
    pairs = {f"S.{a}.{b}": moments[:, i, j] for i, a in enumerate(names) for j, b in enumerate(names) if j >= i}
    leaves = pairs | {f"c.{a}": fitted[:, i] for i, a in enumerate(names)}
    n_of_profile = np.bincount(profile, data.n_obs, m).astype(np.int64)
    return leaves, GroupedData(n_obs=n_of_profile, y_mean=np.zeros(m), y_ss=within)


def coefficients(
    at_means: OfLane,
    slopes: Mapping[str, OfLane],
    terms: Sequence[Term],
    effects: Mapping[str, Mapping[str, Any]],
    design: Design,
    data: Mapping[str, Any],
    covariates: Sequence[str],
) -> list[Any]:
    """Return the coefficients of every profile on standardized covariates, (profile, *lane) each, the constant first.

    Args:
        at_means: predictor of the location at the covariates' means, (*lane).
        slopes: covariate -> the location's coefficient, (*lane).
        terms: the addends.
        effects: factor -> column -> (level, *lane).
        design: of the profiles.
        data: leaves ``mean.NAME`` and ``sd.NAME``, (*lane).
        covariates: names of all covariates.
    """
    constant: Any = at_means
    of: dict[str, Any] = {name: slopes.get(name, 0.0) for name in covariates}
    for term in terms:
        factor = design.factor(term.factor)
        for column, name in term.columns:
            at = factor.at_cells(effects[term.factor][column])
            constant = constant + (at if name is None else at * data[f"mean.{name}"])
            if name is not None:
                of[name] = of[name] + at
    return [constant, *(of[name] * data[f"sd.{name}"] for name in covariates)]


def sum_of_squares(c: Sequence[Any], data: Mapping[str, Any], covariates: Sequence[str]) -> OfLane:
    """Return sum over profiles of (c - c_hat)' S (c - c_hat), (*lane).

    Its gradient is 2 S (c - c_hat), given as such: derived from the sum, it would be computed twice.
    """
    names = [ONE, *covariates]
    shape = np.shape(data["S.1.1"])
    c = tuple(jax.numpy.broadcast_to(one, shape) for one in c)
    fitted = tuple(data[f"c.{a}"] for a in names)
    moments = tuple(data[f"S.{a}.{b}"] for i, a in enumerate(names) for b in names[i:])
    return _quadratic(c, fitted, moments)


def _forward(c: tuple[Any, ...], fitted: tuple[Any, ...], moments: tuple[Any, ...]) -> tuple[Any, Any]:
    k = len(c)
    place = {pair: i for i, pair in enumerate((i, j) for i in range(k) for j in range(i, k))}
    e = [one - at for one, at in zip(c, fitted, strict=True)]
    moved = tuple(sum(moments[place[min(i, j), max(i, j)]] * e[j] for j in range(k)) for i in range(k))
    return sum(a * b for a, b in zip(e, moved, strict=True)).sum(0), (moved, fitted, moments)


def _backward(kept: Any, tangent: Any) -> tuple[Any, ...]:
    moved, fitted, moments = kept
    zeros = jax.tree.map(jax.numpy.zeros_like, (fitted, moments))
    return (tuple(2 * tangent * one for one in moved), *zeros)


@with_gradient(_forward, _backward)
def _quadratic(c: tuple[Any, ...], fitted: tuple[Any, ...], moments: tuple[Any, ...]) -> Any:
    return _forward(c, fitted, moments)[0]
