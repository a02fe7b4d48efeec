"""What rows of other estimands need to know of a fit or a data set: one number for each, whatever its size.

The truth of the hyperparameters, the variance among the groups under the posterior, the smallest effective number of
draws. Read once, before the estimates are scored slice by slice.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from simstudy.measures.rows.labels import Keys, Labels
from simstudy.types import RunTables

HYPERPARAMETERS = ("mu", "tau", "sigma")
ESS_SETS: Mapping[str, tuple[str, ...]] = {"mu, tau": ("mu", "tau"), "theta": ("theta",)}
SPREADS = ("theta_sd", "theta_var")
COLUMNS = ("scenario", "replicate", "method", "estimand", "group", "truth", "mean", "sd", "ess_bulk")


@dataclass(frozen=True, kw_only=True)
class Context:
    """Numbers of data sets and fits, by the codes of ``Keys.data`` and ``Keys.fit``; NaN where one is not known.

    Args:
        truth: name of a hyperparameter -> (data,) true value, shared by all groups.
        group_sigma: (data, group) true sigma of each group, or None where no group has its own.
        theta_var: (fit,) posterior mean of the variance among the group effects.
        ess: name of a set of estimands -> (fit,) smallest bulk ESS over the set; NaN where a member is missing.
    """

    truth: Mapping[str, np.ndarray]
    group_sigma: np.ndarray | None
    theta_var: np.ndarray
    ess: Mapping[str, np.ndarray]

    @classmethod
    def of(cls, run: RunTables, labels: Labels) -> "Context":
        """Return the context of a run, in one reading of the estimates that it needs."""
        fits = labels.read(run.fits)
        truth = {name: _factor(run, fits, name) for name in HYPERPARAMETERS}
        has_group_sigma = "sigma" in labels.estimands and bool(labels.is_grouped[labels.code_of("sigma")])
        group_sigma = np.full((fits.n_data, labels.n_groups), np.nan) if has_group_sigma else None
        theta_var = np.full(fits.n_fits, np.nan)
        members = sorted({name for names in ESS_SETS.values() for name in names})
        least = {name: np.full(fits.n_fits, np.inf) for name in members}
        for rows in _pieces(run, labels, {*HYPERPARAMETERS, *SPREADS, *members}):
            for name in HYPERPARAMETERS:
                rows.read_truth(name, into=truth[name])
            if group_sigma is not None:
                rows.read_group_sigma(into=group_sigma)
            for name in SPREADS:
                rows.read_variance(name, into=theta_var)
            for name in members:
                rows.read_least_ess(name, into=least[name])
        ess = {name: np.min([least[member] for member in set_], axis=0) for name, set_ in ESS_SETS.items()}
        missing = {name: np.any([np.isinf(least[m]) for m in set_], axis=0) for name, set_ in ESS_SETS.items()}
        return cls(
            truth=truth,
            group_sigma=group_sigma,
            theta_var=theta_var,
            ess={name: np.where(missing[name], np.nan, ess[name]) for name in ESS_SETS},
        )

    def sigma(self, keys: Keys) -> np.ndarray:
        """Return the true (row,) sigma of every group: its own where it has one, else the shared one."""
        shared = self.truth["sigma"][keys.data]
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
        rows = self._rows("sigma", finite="truth")
        rows = rows[self.keys.group[rows] >= 0]
        into[self.keys.data[rows], self.keys.group[rows]] = self.columns["truth"][rows]

    def read_variance(self, name: str, *, into: np.ndarray) -> None:
        """E[theta_var | y]: estimated as such, or from theta_sd as sd^2 + mean^2."""
        rows = self._rows(name, finite="mean")
        mean, sd = self.columns["mean"][rows], self.columns["sd"][rows]
        into[self.keys.fit[rows]] = mean if name == "theta_var" else mean**2 + sd**2

    def read_least_ess(self, name: str, *, into: np.ndarray) -> None:
        rows = self._rows(name, finite="ess_bulk")
        np.minimum.at(into, self.keys.fit[rows], self.columns["ess_bulk"][rows])

    def _rows(self, name: str, *, finite: str) -> np.ndarray:
        of_estimand = self.keys.estimand == self.keys.labels.code_of(name)
        return np.flatnonzero(of_estimand & np.isfinite(self.columns[finite]))


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
