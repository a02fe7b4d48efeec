"""The funnel of a scenario: kept draws of the parameter on whose log scale divergent draws differ most from others.

A sampler diverges at the entrance of a neck, where some scale is small: the spread of the effects under a centered
parameterization, the residual sd of a group where each has its own. Which it is, the draws say.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from simstudy.errors import RunError, TableError
from simstudy.logs import log
from simstudy.report.evidence import Evidence
from simstudy.report.reading.vocabulary import declared, effects
from simstudy.report.reading.wording import letters, number, symbol
from simstudy.store.group_names import called

FEWEST_DIVERGENT = 5
CLEAR_SDS, CLEAR_ERRORS = 0.3, 3.0
"""Distance of the mean logs of divergent and other draws, in sds of all and in standard errors of the mean of the
divergent ones, from which they are said to differ."""


@dataclass(frozen=True, kw_only=True)
class Funnel:
    """What there is to draw, and what its caption says.

    Attributes:
        draws: one row per draw: ``method``, ``effect``, ``tau`` (the parameter), ``diverging``.
        spread: the parameter in words.
        effect: the effect in words.
        told: in what divergent draws differ, as a sentence; empty where nothing can be said.
    """

    draws: pd.DataFrame
    spread: str
    effect: str
    told: str


@dataclass(frozen=True, kw_only=True)
class _Fit:
    """Kept draws of one fit: the effects (draw, group), positive parameters (draw,) or (draw, group), divergences."""

    method: str
    effects: np.ndarray
    parameters: Mapping[str, np.ndarray]
    diverging: np.ndarray


def read_funnel(evidence: Evidence, scenario: str, parameter: str | None = None) -> Funnel | None:
    """Return the funnel of a scenario, of each method its first kept replicate; None without draws.

    Args:
        evidence: of a run that keeps draws.
        scenario: its id.
        parameter: the scale to draw; that in which divergent draws differ most where left out.

    Raises:
        TableError: no draws of that parameter were kept, or it can be negative.
    """
    fits = [fit for name in evidence.marks if (fit := _read(evidence, scenario, name)) is not None]
    apart = {name: _apart(fits, name) for fit in fits for name in fit.parameters}
    if not apart:
        return None
    known = {name: distance for name, distance in apart.items() if np.isfinite(distance)}
    usual = str(effects().spread)
    if parameter is not None and parameter not in apart:
        raise TableError(
            f"estimand: the funnel is drawn of a scale, and {parameter} is none here; it can draw {', '.join(apart)}"
        )
    chosen = parameter or (
        max(known, key=lambda name: abs(known[name])) if known else usual if usual in apart else next(iter(apart))
    )
    shown = [fit for fit in fits if chosen in fit.parameters]
    is_grouped = any(fit.parameters[chosen].ndim > 1 for fit in shown)
    theta = symbol(effects().name)
    first = called(evidence.group_names, 0)
    return Funnel(
        draws=pd.concat([_rows(fit, chosen, is_grouped=is_grouped) for fit in shown], ignore_index=True),
        spread=f"smallest {symbol(chosen)} of a group" if is_grouped else symbol(chosen),
        effect=f"{theta} of that group − its median" if is_grouped else f"effect of {first}, {theta}₁",
        told=_told(shown, chosen, known, is_grouped=is_grouped),
    )


def _read(evidence: Evidence, scenario: str, method: str) -> _Fit | None:
    for fit in evidence.kept(scenario, method)[:1]:
        try:
            draws, diverging = fit.posterior, fit.sample_stats.get("diverging")
        except RunError as error:
            log.warning("%s; its picture is left out", error)
            continue
        if diverging is None or effects().name not in draws:
            continue
        n = diverging.size
        positive = [name for name in draws if declared()[name].role == "scale" and name not in declared().moments]
        parameters = {name: draws[name].reshape(n, *draws[name].shape[2:]) for name in positive}
        theta = draws[effects().name].reshape(n, -1)
        return _Fit(method=method, effects=theta, parameters=parameters, diverging=diverging.ravel().astype(bool))
    return None


def _apart(fits: list[_Fit], name: str) -> float:
    """Return the largest distance, over methods, of the mean log in divergent draws from that in others, in sds."""
    found = [np.nan]
    for fit in (fit for fit in fits if name in fit.parameters):
        _, least = _least(fit, name)
        values, diverging = np.log(least[least > 0]), fit.diverging[least > 0]
        if FEWEST_DIVERGENT <= diverging.sum() <= len(values) - FEWEST_DIVERGENT and values.std() > 0:
            found.append(float((values[diverging].mean() - values[~diverging].mean()) / values.std()))
    return float(max(found, key=lambda distance: -1.0 if np.isnan(distance) else abs(distance)))


def _least(fit: _Fit, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the group with the smallest value and that value, (draw,) each; group 0 for a shared parameter."""
    values = fit.parameters[name]
    if values.ndim == 1:
        return np.zeros(len(values), int), values
    return values.argmin(1), values.min(1)


def _rows(fit: _Fit, name: str, *, is_grouped: bool) -> pd.DataFrame:
    group, value = _least(fit, name)
    theta = fit.effects - np.median(fit.effects, axis=0) if is_grouped else fit.effects
    effect = theta[np.arange(len(theta)), np.minimum(group, theta.shape[1] - 1)]
    return pd.DataFrame({"effect": effect, "tau": value, "diverging": fit.diverging}).assign(method=fit.method)


def _told(fits: list[_Fit], chosen: str, known: Mapping[str, float], *, is_grouped: bool) -> str:
    if chosen not in known:
        return ""
    n_divergent = sum(int(fit.diverging.sum()) for fit in fits)
    if abs(known[chosen]) < max(CLEAR_SDS, CLEAR_ERRORS / math.sqrt(n_divergent)):
        return "Divergent draws differ from the others in no such parameter."
    fit = max(fits, key=lambda fit: np.nan_to_num(abs(_apart([fit], chosen)), nan=-1.0))
    _, value = _least(fit, chosen)
    medians = [number(float(np.median(value[which])), digits=2) for which in (fit.diverging, ~fit.diverging)]
    what = f"the smallest {symbol(chosen)} of a group" if is_grouped else symbol(chosen)
    told = f"Of all scales divergent draws differ most in {what}: under “{fit.method}” its median is {medians[0]} in "
    told += f"them and {medians[1]} in the others"
    tau = letters()[2]
    usual = str(effects().spread)
    if chosen != usual and abs(known.get(usual, np.inf)) < CLEAR_SDS:
        told += f"; in {tau} they do not differ"
    return f"{told}."
