"""What rows of other estimands need to know of a fit or a data set: one number for each, whatever its size.

The truth of the hyperparameters, the variance among the groups under the posterior, the smallest effective number of
draws. Read once, before the estimates are scored slice by slice.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from simstudy.measures.rows.labels import Keys, Labels
from simstudy.models.estimands import Estimand
from simstudy.store.declared import RESIDUAL, VARIANCE
from simstudy.types import RunTables

COLUMNS = ("scenario", "replicate", "method", "estimand", "group", "truth", "mean", "sd", "ess_bulk")


@dataclass(frozen=True, kw_only=True)
class Context:
    """Numbers of data sets and fits, by the codes of ``Keys.data`` and ``Keys.fit``; NaN where one is not known.

    Args:
        truth: centers and spreads of the effects, and the residual sd -> (data,) true value, shared by all groups.
        group_sigma: (data, group) true residual sd of each group, or None where no group has its own.
        variance_among: effects -> (fit,) posterior mean of their variance among the groups at hand.
        ess: name of a set of estimands -> (fit,) smallest bulk ESS over the set; NaN where a member is missing.
    """

    truth: Mapping[str, np.ndarray]
    group_sigma: np.ndarray | None
    variance_among: Mapping[str, np.ndarray]
    ess: Mapping[str, np.ndarray]

    @classmethod
    def of(cls, run: RunTables, labels: Labels) -> "Context":
        """Return the context of a run, in one reading of the estimates that it needs."""
        fits = labels.read(run.fits)
        truth = {name: _factor(run, fits, name) for name in _hyperparameters(labels.effects)}
        has_group_sigma = RESIDUAL in labels.estimands and bool(labels.is_grouped[labels.code_of(RESIDUAL)])
        group_sigma = np.full((fits.n_data, labels.n_groups), np.nan) if has_group_sigma else None
        variance = {effects.name: np.full(fits.n_fits, np.nan) for effects in labels.effects}
        sets = _ess_sets(labels.effects)
        members = sorted({name for names in sets.values() for name in names})
        least = {name: np.full(fits.n_fits, np.inf) for name in members}
        among = {name for each in labels.effects for name in (*labels.declared.sd_of(each), f"{each.name}{VARIANCE}")}
        for rows in _pieces(run, labels, {*truth, *among, *members}):
            for name, values in truth.items():
                rows.read_truth(name, into=values)
            if group_sigma is not None:
                rows.read_group_sigma(into=group_sigma)
            for each in labels.effects:
                rows.read_variance(labels.declared.sd_of(each), f"{each.name}{VARIANCE}", into=variance[each.name])
            for name, values in least.items():
                rows.read_least_ess(name, into=values)
        return cls(
            truth=truth,
            group_sigma=group_sigma,
            variance_among=variance,
            ess={name: _smallest([least[member] for member in members]) for name, members in sets.items()},
        )

    def sigma(self, keys: Keys) -> np.ndarray:
        """Return the true (row,) residual sd of every group: its own where it has one, else the shared one."""
        shared = self.truth[RESIDUAL][keys.data]
        if self.group_sigma is None:
            return shared
        own = self.group_sigma[keys.data, keys.group]
        return np.where(np.isnan(own), shared, own)


@dataclass(frozen=True, kw_only=True)
class _Piece:
    """Some estimates, and how each kind of number is taken from them."""

    keys: Keys
    columns: Mapping[str, np.ndarray]

    def read_truth(self, name: str, *, into: np.ndarray) -> None:
        rows = self._rows(name, finite="truth")
        rows = rows[self.keys.group[rows] < 0]
        into[self.keys.data[rows]] = self.columns["truth"][rows]

    def read_group_sigma(self, *, into: np.ndarray) -> None:
        rows = self._rows(RESIDUAL, finite="truth")
        rows = rows[self.keys.group[rows] >= 0]
        into[self.keys.data[rows], self.keys.group[rows]] = self.columns["truth"][rows]

    def read_variance(self, sds: Collection[str], variance: str, *, into: np.ndarray) -> None:
        """E[variance among the effects | y]: estimated as such, or from their sd as sd^2 + mean^2."""
        for name in (*sds, variance):
            rows = self._rows(name, finite="mean")
            mean, sd = self.columns["mean"][rows], self.columns["sd"][rows]
            into[self.keys.fit[rows]] = mean if name == variance else mean**2 + sd**2

    def read_least_ess(self, name: str, *, into: np.ndarray) -> None:
        rows = self._rows(name, finite="ess_bulk")
        np.minimum.at(into, self.keys.fit[rows], self.columns["ess_bulk"][rows])

    def _rows(self, name: str, *, finite: str) -> np.ndarray:
        of_estimand = self.keys.estimand == self.keys.labels.code_of(name)
        return np.flatnonzero(of_estimand & np.isfinite(self.columns[finite]))


def _hyperparameters(effects: Collection[Estimand]) -> list[str]:
    names = [name for each in effects for name in (each.center, each.spread) if name]
    return list(dict.fromkeys([*names, RESIDUAL]))


def _ess_sets(effects: Collection[Estimand]) -> dict[str, list[str]]:
    """Return name -> the estimands of each set: center and spread of effects together, and the effects."""
    hyperparameters = [[name for name in (each.center, each.spread) if name] for each in effects]
    sets = [*hyperparameters, *([each.name] for each in effects)]
    return {", ".join(names): names for names in sets if names}


def _smallest(ess: list[np.ndarray]) -> np.ndarray:
    """Return the smallest of some (fit,) ESS, NaN where one is missing."""
    return np.where(np.any(np.isinf(ess), axis=0), np.nan, np.min(ess, axis=0))


def _pieces(run: RunTables, labels: Labels, estimands: set[str]) -> Iterator[_Piece]:
    for frame in run.parts("estimates", COLUMNS, where={"estimand": estimands}):
        numbers = {name: frame[name].to_numpy(dtype=float, na_value=np.nan) for name in COLUMNS[5:]}
        yield _Piece(keys=labels.read(frame), columns=numbers)


def _factor(run: RunTables, keys: Keys, name: str) -> np.ndarray:
    """Return the (data,) value of a factor of the design."""
    if name not in run.scenarios:
        return np.full(keys.n_data, np.nan)
    by_scenario = pd.to_numeric(run.scenarios[name], errors="coerce").to_numpy(dtype=float)
    return np.repeat(by_scenario, len(keys.labels.replicates))
