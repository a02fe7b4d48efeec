"""Two runs on common names, and the data sets that both saw.

A data set is a (scenario, replicate). It counts as seen by both where the digests of its data agree, or all of its
groups do up to rounding: processors of different kinds simulate the same data but for the last bits. A scenario is
*paired* where at least half of the data sets of the smaller run are; then its other replicates are left aside, since
pairs tell more than a few replicates more. Otherwise it is compared unpaired, with all replicates of both.

A fit, or the estimates of one estimand in it, is *identical* where every stored number of it has the same bits in
both runs. Sums of thousands of draws do not agree to the last bit by chance, so the draws behind them are the same, and
the difference of any measure over identical fits is known to be 0 rather than estimated. Counts alone prove nothing
(two samplers may both have no divergence), which is why a fit's counts are compared together with all its estimates.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from simstudy.errors import ComparisonError
from simstudy.measures.rows.labels import Labels
from simstudy.store.declared import Declared
from simstudy.types import RunTables

Side = Literal["baseline", "candidate"]
SIDES: tuple[Side, Side] = ("baseline", "candidate")
NO_RESULT = ("scenario", "replicate", "method", "estimand", "scale", "data_key", "sampler_key", "batch")
PAIRED_SHARE = 0.5
ROUNDING = 1e-9  # of a group's mean or sd, whichever is larger: other data do not come as near by chance


@dataclass(frozen=True, kw_only=True)
class Aligned:
    """Two runs with the same scenarios and methods, read with the same codes.

    Args:
        baseline: tables of the baseline.
        candidate: tables of the candidate.
        labels: names of both; a code means the same in both.
    """

    baseline: RunTables
    candidate: RunTables
    labels: Labels

    @classmethod
    def of(cls, baseline: RunTables, candidate: RunTables) -> "Aligned":
        """Return two runs that have the same scenarios and methods with common names.

        Raises:
            ComparisonError: they have no estimand in common.
        """
        first, second = Labels.of(baseline), Labels.of(candidate)
        if not len(first.estimands.intersection(second.estimands)):
            raise ComparisonError(
                "the runs have no estimand in common in the scenarios and methods that they share: the baseline has "
                f"{_listed(first.estimands)}, the candidate {_listed(second.estimands)}"
            )
        labels = replace(
            first,
            estimands=first.estimands.append(second.estimands.difference(first.estimands, sort=False)),
            replicates=pd.Index(np.union1d(first.replicates, second.replicates)),
            n_groups=max(first.n_groups, second.n_groups),
            declared=Declared.of(baseline, candidate),
        ).recounted(baseline)
        return cls(baseline=baseline, candidate=candidate, labels=labels)

    def run(self, side: Side) -> RunTables:
        """Return the tables of a side."""
        return self.baseline if side == "baseline" else self.candidate

    def labels_of(self, side: Side) -> Labels:
        """Return the common names with the numbers of rows of a side."""
        return self.labels if side == "baseline" else self.labels.recounted(self.candidate)

    @cached_property
    def same_data(self) -> np.ndarray:
        """(scenario, replicate) bool, both runs have the data set, bit for bit or up to rounding."""
        groups = [self.run(side).groups for side in SIDES]
        digests = [_by_data_set(each, self.labels) for each in groups]
        is_same = (digests[0] == digests[1]) & (digests[0] != "")
        doubtful = ~is_same & (digests[0] != "") & (digests[1] != "")
        if doubtful.any():
            values = [_group_values(each, self.labels, doubtful) for each in groups]
            is_same[doubtful] = _agree(*values, n_data=int(doubtful.sum()))
        return is_same

    @cached_property
    def is_paired(self) -> np.ndarray:
        """(scenario,) bool, the scenario is compared pair by pair."""
        n_fitted = [_is_fitted(self.run(side).fits, self.labels).sum(axis=1) for side in SIDES]
        return self.same_data.sum(axis=1) >= np.maximum(PAIRED_SHARE * np.minimum(*n_fitted), 1)

    @cached_property
    def identical_estimates(self) -> np.ndarray:
        """Sorted codes of the (fit, estimand) whose estimates have the same bits in both runs."""
        return _common(*(self._estimate_digests(side) for side in SIDES))

    @cached_property
    def identical_fits(self) -> np.ndarray:
        """Sorted codes of the fits all of whose numbers have the same bits in both runs."""
        return _common(*(self._fit_digests(side) for side in SIDES))

    def _estimate_digests(self, side: Side) -> tuple[np.ndarray, np.ndarray]:
        table = self.run(side).estimates
        keys = self.labels.read(table)
        return _summed(keys.fit * len(self.labels.estimands) + keys.estimand, _row_digests(table))

    def _fit_digests(self, side: Side) -> tuple[np.ndarray, np.ndarray]:
        fits = self.run(side).fits
        code, digest = self._estimate_digests(side)
        every = np.concatenate([self.labels.read(fits).fit, code // len(self.labels.estimands)])
        # The estimand's place goes into the sum, so that estimands that change places change it.
        place = (code % len(self.labels.estimands) + 1).astype(np.uint64)
        return _summed(every, np.concatenate([_row_digests(fits), digest * (2 * place + 1)]))


def among(codes: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Return for each code whether it is in a sorted array."""
    if not len(known):
        return np.zeros(len(codes), bool)
    return known[np.minimum(np.searchsorted(known, codes), len(known) - 1)] == codes


def _row_digests(table: pd.DataFrame) -> np.ndarray:
    """Return a (row,) uint64 of the bits of all results in a row.

    Whole numbers are taken as floats, since a column of them is read as one or the other by whether some are missing.
    """
    results = pd.DataFrame(
        {
            name: column.to_numpy(float, na_value=np.nan) if is_numeric_dtype(column) else column
            for name, column in table.items()
            if name not in NO_RESULT
        }
    )
    return pd.util.hash_pandas_object(results, index=False).to_numpy(np.uint64)


def _summed(code: np.ndarray, digest: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the sorted distinct codes and the sum of their digests modulo 2^64, which no order of rows changes."""
    if not len(code):
        return code, digest
    order = np.argsort(code, kind="stable")
    ordered = code[order]
    starts = np.flatnonzero(np.diff(ordered, prepend=ordered[0] - 1))
    return ordered[starts], np.add.reduceat(digest[order], starts)


def _common(first: tuple[np.ndarray, np.ndarray], second: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    codes, in_first, in_second = np.intersect1d(first[0], second[0], assume_unique=True, return_indices=True)
    return codes[first[1][in_first] == second[1][in_second]]


def _by_data_set(groups: pd.DataFrame, labels: Labels) -> np.ndarray:
    """Return the (scenario, replicate) digests, empty where there is none."""
    groups = groups[groups["replicate"].isin(labels.replicates)]
    keys = labels.read(groups.drop(columns="group"))
    digests = np.full((len(labels.scenarios), len(labels.replicates)), "", dtype=object)
    digests[keys.scenario, keys.replicate] = groups["data_digest"].fillna("").to_numpy(object)
    return digests


def _group_values(groups: pd.DataFrame, labels: Labels, wanted: np.ndarray) -> pd.DataFrame:
    """Return size, mean and sd by (data set, group) of the wanted (scenario, replicate), numbered in order."""
    groups = groups[groups["replicate"].isin(labels.replicates)]
    keys = labels.read(groups.drop(columns="group"))
    is_wanted = wanted[keys.scenario, keys.replicate]
    number = (np.cumsum(wanted.ravel()) - 1).reshape(wanted.shape)[keys.scenario, keys.replicate]
    rows = groups.loc[is_wanted, ["n_obs", "y_mean", "y_sd"]].astype(float)
    return rows.set_index([number[is_wanted], groups.loc[is_wanted, "group"].to_numpy()])


def _agree(first: pd.DataFrame, second: pd.DataFrame, *, n_data: int) -> np.ndarray:
    """Return the (data set,) whether all groups are of one size, and their means and sds the same up to rounding."""
    both = first.join(second.add_suffix("_second"), how="outer")
    unit = ROUNDING * np.fmax(both["y_mean"].abs(), both["y_sd"])
    agree = (both["n_obs"] == both["n_obs_second"]) & ((both["y_mean"] - both["y_mean_second"]).abs() <= unit)
    agree &= ~((both["y_sd"] - both["y_sd_second"]).abs() > unit)  # one observation has no sd
    return agree.groupby(level=0).all().reindex(range(n_data), fill_value=False).to_numpy(bool)


def _is_fitted(fits: pd.DataFrame, labels: Labels) -> np.ndarray:
    """Return (scenario, replicate) bool, whether any method fitted the data set."""
    fitted = np.zeros((len(labels.scenarios), len(labels.replicates)), bool)
    fitted.ravel()[np.unique(labels.read(fits).data)] = True
    return fitted


def _listed(names: pd.Index) -> str:
    return ", ".join(map(str, names)) or "none"
