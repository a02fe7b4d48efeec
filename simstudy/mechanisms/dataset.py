"""Real data: the same in every replicate, so that replicates differ in the sampler's seed only.

Built in are ``lecture``, ``eight_schools`` and ``baseball``; any CSV or Parquet file can be brought, with one row per
observation (``value``), per estimate (``value`` and ``standard_error``) or per group (``successes`` and ``trials``).
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd
from scipy.special import logit

from simstudy.errors import StudyError, TableError, shown, suggestion
from simstudy.mechanisms.mechanism import Mechanism
from simstudy.models.likelihoods import Binomial, Likelihood, Normal, NormalKnownSE
from simstudy.models.options import Section
from simstudy.store.incoming import READERS, read_rows
from simstudy.types import GroupedData, Replicate

BUILT_IN: dict[str, dict[str, str]] = {
    "lecture": {"group": "group", "value": "value"},
    "eight_schools": {"group": "school", "value": "effect", "standard_error": "standard_error"},
    "baseball": {"group": "player", "successes": "hits", "trials": "at_bats", "truth": "rest_of_season"},
}
MOST_LISTED, MOST_TRIALS = 20, 100_000_000
LARGEST = 1e100  # squares of larger numbers overflow
COLUMN_KEYS = ("group", "value", "standard_error", "successes", "trials", "truth")
KINDS_OF_COLUMNS = {
    frozenset({"value"}): "normal",
    frozenset({"value", "standard_error"}): "normal_known_se",
    frozenset({"successes", "trials"}): "binomial",
}


class DatasetSection(Section):
    """``[mechanism]`` of kind ``dataset``."""

    kind: Literal["dataset"]
    data: str
    group: str | None = None
    value: str | None = None
    standard_error: str | None = None
    successes: str | None = None
    trials: str | None = None
    truth: str | None = None


@dataclass(frozen=True, kw_only=True)
class Dataset(Mechanism):
    """A fixed data set.

    Args:
        name: name of a built-in data set, or of the file.
        likelihood: the likelihood that the columns call for.
        digest: hash of the rows: other rows are another data set.
        replicate: the data and the truth that is known.
        labels: names of the groups, in their order.
    """

    kind: ClassVar[str] = "dataset"
    words: ClassVar[str] = "real data, fixed: replicates differ in the sampler’s seed only"
    replication: ClassVar[str] = "sampler"
    name: str
    likelihood: Likelihood
    digest: str
    replicate: Replicate = field(compare=False, repr=False)
    labels: tuple[str, ...] = ()

    @property
    def fields(self) -> Mapping[str, Any]:
        """Name and rows of the data set."""
        return {"kind": self.kind, "data": self.name, "digest": self.digest}

    @property
    def shape(self) -> tuple[int, ...]:
        """Observations in each group."""
        return tuple(int(n) for n in self.replicate.data.n_obs)

    def simulate(self, keys: np.ndarray) -> list[Replicate]:
        """Return the data once for each key."""
        return [self.replicate] * len(keys)


def load_dataset(data: str, *, folder: Path | None = None, columns: Mapping[str, str] | None = None) -> Dataset:
    """Return a data set by name or from a file.

    Args:
        data: ``lecture``, ``eight_schools``, ``baseball``, or the path of a CSV or Parquet file.
        folder: what the path is relative to; the file has to lie inside.
        columns: for a file: which column is ``group``, ``value``, ``standard_error``, ``successes``, ``trials``,
            ``truth``.

    Raises:
        StudyError: no such data set or file, a column that is missing, or values that cannot be what they stand for.

    >>> load_dataset("eight_schools").shape
    (1, 1, 1, 1, 1, 1, 1, 1)
    """
    if data in BUILT_IN:
        if columns:
            raise StudyError(f"{next(iter(columns))}: the data set {data!r} has its own columns; leave the key out")
        table, columns = _read(Path(__file__).parent / "data" / f"{data}.csv"), BUILT_IN[data]
    elif is_file_name(data):
        table, columns = _read(_inside(data, folder or Path())), dict(columns or {})
    else:
        near = suggestion(data, BUILT_IN)
        raise StudyError(
            f"data: no data set {data!r}{near}; expected one of {', '.join(BUILT_IN)}, or a .csv or .parquet file"
        )
    kind = _checked(table, columns)
    grouped, truth = _grouped(table, columns, kind)
    likelihood = {"normal": Normal(), "normal_known_se": NormalKnownSE(), "binomial": Binomial()}[kind]
    labels = tuple(map(str, dict.fromkeys(table[columns["group"]])))
    rows = table[list(columns.values())].to_csv(index=False)
    return Dataset(
        name=Path(data).name,
        likelihood=likelihood,
        digest=hashlib.blake2b(rows.encode(), digest_size=8).hexdigest(),
        replicate=Replicate(data=grouped, truth=truth),
        labels=labels,
    )


def is_file_name(data: str) -> bool:
    """Whether a data set is named by the path of a file."""
    return data not in BUILT_IN and Path(data).suffix in READERS


def _inside(data: str, folder: Path) -> Path:
    try:
        path = (folder / data).resolve()
        is_there = path.exists() and not path.is_dir()
    except (OSError, ValueError) as error:
        raise StudyError(f"data: {shown(data)} cannot be the path of a file: {error.args[-1]}") from error
    if not path.is_relative_to(folder.resolve()):
        raise StudyError(f"data: {data!r} lies outside the study's folder; put the file beside the study file")
    if not is_there:
        raise StudyError(f"data: no file {data!r} in {folder.resolve()}")
    return path


def _read(path: Path) -> pd.DataFrame:
    try:
        return read_rows(path)
    except TableError as error:
        raise StudyError(f"data: cannot read {path.name!r}: {error}") from error


def _checked(table: pd.DataFrame, columns: Mapping[str, str]) -> str:
    """Return the likelihood that the columns call for, after checking that they are there and numeric."""
    kind = KINDS_OF_COLUMNS.get(frozenset(columns) - {"group", "truth"})
    if kind is None or "group" not in columns:
        raise StudyError(
            "data: expected the columns group and value, group and value and standard_error, or group and successes "
            f"and trials (truth besides); got {', '.join(columns) or 'none'}"
        )
    names = [str(name) for name in table.columns]
    for key, column in columns.items():
        if names.count(column) != 1:
            state = "no column" if column not in names else "several columns"
            raise StudyError(
                f"{key}: the data have {state} {column!r}{suggestion(column, names)}; columns: {_few(names)}"
            )
        if key != "group":
            _check_numbers(table[column], key, column)
    if table.empty:
        raise StudyError("data: the file has no rows; expected at least one")
    if table[columns["group"]].isna().any():
        row = int(np.flatnonzero(table[columns["group"]].isna())[0])
        raise StudyError(f"group: column {columns['group']!r} is empty in data row {row + 1}; expected a name")
    return kind


def _few(names: list[str]) -> str:
    return ", ".join(names[:MOST_LISTED]) + (", ..." if len(names) > MOST_LISTED else "")


def _check_numbers(values: pd.Series, key: str, column: str) -> None:
    numbers = _numbers(values)
    # The truth of a group may be unknown, but it cannot be a word.
    wrong = ~np.isfinite(numbers) & (values.notna().to_numpy() if key == "truth" else True)
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        value = shown(values.iloc[row]) if pd.notna(values.iloc[row]) else "nothing"
        raise StudyError(f"{key}: column {column!r} has {value} in data row {row + 1}; expected a finite number")
    if np.abs(numbers).max(initial=0) > LARGEST:
        raise StudyError(f"{key}: column {column!r} has {np.abs(numbers).max():g}; expected numbers up to {LARGEST:g}")
    if key == "standard_error" and (numbers <= 0).any():
        raise StudyError(f"{key}: column {column!r} has {numbers.min():g}; standard errors are above 0")


def _numbers(values: pd.Series) -> np.ndarray:
    try:
        return pd.to_numeric(values, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    except TypeError:  # lists and the like, out of Parquet
        return np.full(len(values), np.nan)


def _grouped(table: pd.DataFrame, columns: Mapping[str, str], kind: str) -> tuple[GroupedData, dict[str, np.ndarray]]:
    """Reduce the rows to groups in the order of their first rows."""
    groups = table.groupby(columns["group"], sort=False)
    if kind == "binomial":
        data = _binomial(groups[columns["successes"]].sum(), groups[columns["trials"]].sum())
    else:
        data = _normal(table, groups, columns)
    if "truth" not in columns:
        return data, {}
    truth = groups[columns["truth"]].first().to_numpy(float)
    return data, {"p": truth, "theta": logit(truth)} if kind == "binomial" else {"theta": truth}


def _binomial(successes: pd.Series, trials: pd.Series) -> GroupedData:
    k, n = successes.to_numpy(float), trials.to_numpy(float)
    if (n != np.rint(n)).any() or (k != np.rint(k)).any() or (n < 1).any() or (k < 0).any() or (k > n).any():
        raise StudyError("successes, trials: expected whole numbers with 0 <= successes <= trials and trials >= 1")
    if n.sum() > MOST_TRIALS:
        raise StudyError(f"trials: the file has {n.sum():.3g} trials; expected at most {MOST_TRIALS:,}")
    y = np.concatenate([np.repeat([1.0, 0.0], [int(a), int(b - a)]) for a, b in zip(k, n, strict=True)])
    mean = k / n
    return GroupedData(n_obs=n.astype(np.int64), y_mean=mean, y_ss=n * mean * (1 - mean), y=y)


def _normal(table: pd.DataFrame, groups: Any, columns: Mapping[str, str]) -> GroupedData:
    values = groups[columns["value"]]
    n, mean = values.size().to_numpy(np.int64), values.mean().to_numpy(float)
    y = np.concatenate([rows.to_numpy(float) for _, rows in values])
    ss = ((y - np.repeat(mean, n)) ** 2).astype(float)
    known_se = None
    if "standard_error" in columns:
        if (n > 1).any():
            raise StudyError("standard_error: expected one estimate in each group, got several")
        known_se = table[columns["standard_error"]].to_numpy(float)
    within = np.add.reduceat(ss, np.concatenate([[0], np.cumsum(n)[:-1]]))
    return GroupedData(n_obs=n, y_mean=mean, y_ss=within, known_se=known_se, y=y)
