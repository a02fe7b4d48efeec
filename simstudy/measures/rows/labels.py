"""Whole numbers for the names in a run's tables, so that rows can be joined and counted as arrays."""

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from simstudy.errors import TableError
from simstudy.models.estimands import THETA, Estimand
from simstudy.store.declared import Declared
from simstudy.types import RunTables

NAMED = ["scenario", "method", "estimand"]
COUNTED = [*NAMED, "group"]
TEXTS = dict.fromkeys(NAMED, object)


@dataclass(frozen=True, kw_only=True)
class Labels:
    """The names of a run, in its own order; a code is the position of a name.

    Args:
        scenarios: scenario ids.
        methods: method names.
        estimands: names of estimands, in alphabetical order.
        replicates: sorted replicate numbers.
        n_groups: largest number of groups.
        n_estimates: (scenario, method, estimand) number of rows of the estimates.
        is_grouped: (estimand,) bool, some fit has the estimand by group.
        declared: what the run declares of the estimands.
    """

    scenarios: pd.Index
    methods: pd.Index
    estimands: pd.Index
    replicates: pd.Index
    n_groups: int
    n_estimates: np.ndarray
    is_grouped: np.ndarray
    declared: Declared = field(default_factory=Declared)

    @classmethod
    def of(cls, run: RunTables) -> "Labels":
        """Return the names of a run, in one reading of the keys of its estimates."""
        scenarios = pd.Index(run.scenarios["scenario"].astype(object))
        methods = pd.Index(run.methods["method"].astype(object))
        counts = _counts(run)
        estimands = pd.Index(sorted(counts["estimand"].unique()), dtype=object)
        n_estimates, is_grouped = _by_code(counts, (scenarios, methods, estimands))
        return cls(
            scenarios=scenarios,
            methods=methods,
            estimands=estimands,
            replicates=pd.Index(np.unique(run.fits["replicate"].to_numpy())),
            n_groups=int(counts["last"].max()) + 1 if len(counts) else 0,
            n_estimates=n_estimates,
            is_grouped=is_grouped,
            declared=Declared.of(run),
        )

    def recounted(self, run: RunTables) -> "Labels":
        """Return the same names with the numbers of rows of another run, which has no others."""
        n_estimates, is_grouped = _by_code(_counts(run), (self.scenarios, self.methods, self.estimands))
        return replace(self, n_estimates=n_estimates, is_grouped=is_grouped)

    def read(self, table: pd.DataFrame) -> "Keys":
        """Return the codes of a table's key columns; group is -1 where there is none.

        Raises:
            TableError: a row has a key that the run does not have.
        """
        return Keys(
            labels=self,
            scenario=_codes(table["scenario"], self.scenarios),
            replicate=_codes(table["replicate"], self.replicates),
            method=_codes(table["method"], self.methods) if "method" in table else None,
            estimand=_codes(table["estimand"], self.estimands) if "estimand" in table else None,
            group=_group_codes(table["group"]) if "group" in table else None,
        )

    @cached_property
    def effects(self) -> tuple[Estimand, ...]:
        """The estimands of the run that are effects of groups; those of grouped models where it has none."""
        names = self.declared.with_role(self.estimands, "effects")
        return tuple(self.declared[name] for name in names) or (THETA,)

    def code_of(self, name: str) -> int:
        """Return the code of an estimand, -1 where the run has none of that name."""
        return int(self.estimands.get_indexer(pd.Index([name]))[0])


@dataclass(frozen=True, kw_only=True)
class Keys:
    """Codes of a table's key columns, each (row,); a column that the table lacks is None."""

    labels: Labels
    scenario: np.ndarray
    replicate: np.ndarray
    method: Any = None
    estimand: Any = None
    group: Any = None

    def take(self, rows: np.ndarray) -> "Keys":
        """Return the keys of some rows."""
        optional = {name: getattr(self, name) for name in ("method", "estimand", "group")}
        taken = {name: None if codes is None else codes[rows] for name, codes in optional.items()}
        return Keys(labels=self.labels, scenario=self.scenario[rows], replicate=self.replicate[rows], **taken)

    @property
    def data(self) -> np.ndarray:
        """(row,) code of (scenario, replicate): one simulated data set."""
        return self.scenario * len(self.labels.replicates) + self.replicate

    @property
    def fit(self) -> np.ndarray:
        """(row,) code of (scenario, replicate, method)."""
        return self.data * len(self.labels.methods) + self.method

    @property
    def data_group(self) -> np.ndarray:
        """(row,) code of (scenario, replicate, group)."""
        return self.data * (self.labels.n_groups + 1) + self.group + 1

    @property
    def data_estimand(self) -> np.ndarray:
        """(row,) code of (scenario, replicate, group, estimand)."""
        return self.data_group * len(self.labels.estimands) + self.estimand

    @property
    def n_data(self) -> int:
        """Number of (scenario, replicate) codes."""
        return len(self.labels.scenarios) * len(self.labels.replicates)

    @property
    def n_fits(self) -> int:
        """Number of (scenario, replicate, method) codes."""
        return self.n_data * len(self.labels.methods)


def _counts(run: RunTables) -> pd.DataFrame:
    return pd.concat([_counted(piece) for piece in run.parts("estimates", COUNTED)])


def _by_code(counts: pd.DataFrame, names: tuple[pd.Index, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Return ``n_estimates`` and ``is_grouped`` of rows that were counted piece by piece."""
    codes = tuple(_codes(counts[column], index) for column, index in zip(NAMED, names, strict=True))
    n_estimates = np.zeros([len(index) for index in names], np.int64)
    np.add.at(n_estimates, codes, counts["n"].to_numpy())
    is_grouped = np.zeros(len(names[-1]), bool)
    is_grouped[codes[-1][counts["last"].to_numpy() >= 0]] = True
    return n_estimates, is_grouped


def _counted(piece: pd.DataFrame) -> pd.DataFrame:
    """Return the number of rows, and the last group, of each scenario, method and estimand in a piece."""
    rows = piece[NAMED].assign(last=_group_codes(piece["group"]))
    return rows.groupby(NAMED, observed=True)["last"].agg(n="size", last="max").reset_index().astype(TEXTS)


def _codes(column: pd.Series, names: pd.Index) -> np.ndarray:
    if isinstance(column.dtype, pd.CategoricalDtype):
        of_category = names.get_indexer(pd.Index(column.cat.categories.astype(names.dtype)))
        codes = of_category[column.cat.codes.to_numpy()]
    else:
        codes = names.get_indexer(pd.Index(column.astype(names.dtype)))
    if codes.min(initial=0) < 0:
        value = column.iloc[np.argmin(codes)]
        raise TableError(f"{column.name}: {value!r} stands in an estimate, fit or group, but is unknown to the run")
    return codes.astype(np.int64)


def _group_codes(column: pd.Series) -> np.ndarray:
    return column.fillna(-1).to_numpy(dtype=np.int64) if column.notna().any() else np.full(len(column), -1, np.int64)
