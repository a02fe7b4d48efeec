"""Real data: the same in every replicate, so that replicates differ in the sampler's seed only.

Built in are ``lecture``, ``eight_schools`` and ``baseball``; any CSV or Parquet file, any frame, and numbers in the
study itself can be brought: a row per observation (``value``), per estimate (``value`` and ``standard_error``) or per
share of trials (``successes`` and ``trials``) or per count (``count``, and ``exposure`` where counts are of rates).
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from simstudy.errors import StudyError, TableError, shown, suggestion
from simstudy.mechanisms.built_in import WITH_TERMS
from simstudy.mechanisms.grouping import group_rows
from simstudy.mechanisms.mechanism import Mechanism
from simstudy.models.likelihoods import Binomial, Likelihood, Normal, NormalKnownSE, Poisson
from simstudy.tables import ENDINGS, Table, as_table, read_file
from simstudy.tables.table import listed
from simstudy.types import Replicate

BUILT_IN: dict[str, dict[str, str]] = {
    "lecture": {"group": "group", "value": "value"},
    "eight_schools": {"group": "school", "value": "effect", "standard_error": "standard_error"},
    "baseball": {"group": "player", "successes": "hits", "trials": "at_bats", "truth": "rest_of_season"},
}
LIKELIHOODS: dict[str, type[Likelihood]] = {
    "normal": Normal,
    "normal_known_se": NormalKnownSE,
    "binomial": Binomial,
    "poisson": Poisson,
}


@dataclass(frozen=True, kw_only=True)
class Dataset(Mechanism):
    """A fixed data set.

    Args:
        name: name of a built-in data set, of the file, or what the table is in words.
        likelihood: the likelihood that the columns call for.
        digest: hash of the rows: other rows are another data set.
        replicate: the data and the truth that is known.
        labels: names of the groups, in their order.
        columns: what a column is -> its name in ``rows``; empty for built-in data.
        rows: the columns that are used, which a run keeps; None for built-in data. Workers do without.
    """

    kind: ClassVar[str] = "dataset"
    words: ClassVar[str] = "real data, fixed: replicates differ in the sampler’s seed only"
    replication: ClassVar[str] = "sampler"
    name: str
    likelihood: Likelihood
    digest: str
    replicate: Replicate = field(compare=False, repr=False)
    labels: tuple[str, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)
    rows: pa.Table | None = field(default=None, compare=False, repr=False)

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

    def __getstate__(self) -> dict[str, Any]:
        """Leave the rows out of what is sent to workers."""
        return {**self.__dict__, "rows": None}


@dataclass(frozen=True)
class KeptData:
    """The rows that a run kept, in the place of what its study named.

    Args:
        said: what the study said of its data: the path of a file, or a table in words.
        rows: the columns that are used.
    """

    said: str
    rows: Table

    @property
    def name(self) -> str:
        """Name of the data set, as when the run was made."""
        return Path(self.said).name if is_file_name(self.said) else self.said


def load_dataset(data: Any, *, folder: Path | None = None, columns: Mapping[str, str] | None = None) -> Dataset:
    """Return a data set by name, from a file, or from a table.

    Args:
        data: ``lecture``, ``eight_schools``, ``baseball``, the path of a CSV or Parquet file, a table, a frame that
            narwhals reads, or the rows that a run kept.
        folder: what the path is relative to; the file has to lie inside.
        columns: which column is ``group``, ``value``, ``standard_error``, ``successes``, ``trials``, ``count``,
            ``exposure``, ``truth``; a column that is called so need not be named.

    Raises:
        StudyError: no such data set or file, a column that is missing, or values that cannot be what they stand for.

    >>> load_dataset("eight_schools").shape
    (1, 1, 1, 1, 1, 1, 1, 1)
    """
    given = dict(columns or {})
    if isinstance(data, KeptData):
        return dataset_of_table(data.rows, given, data.name)
    if not isinstance(data, str | Path):
        return dataset_of_table(_table(data), given)
    data = str(data)
    if data in BUILT_IN:
        if given:
            raise StudyError(f"{next(iter(given))}: the data set {data!r} has its own columns; leave the key out")
        return _built_in(data)
    if is_file_name(data):
        return dataset_of_table(_read(file_beside(data, folder or Path())), given, Path(data).name)
    known = (*BUILT_IN, *WITH_TERMS)
    near = suggestion(data, (*known, *_files_in(folder)))
    raise StudyError(
        f"data: no data set {data!r}{near}; expected one of {', '.join(known)}, or a {' or '.join(ENDINGS)} file"
    )


def place_of(data: Any) -> tuple[Path | None, Any]:
    """Return the folder of a file that a user names, and its name there; or nothing, and the data themselves."""
    if isinstance(data, Path) or (isinstance(data, str) and ("/" in data or Path(data).suffix)):
        path = Path(data).resolve()  # a link may lead to another folder
        return path.parent, path.name
    return None, data


def is_file_name(data: str) -> bool:
    """Whether a data set is named by the path of a file."""
    return data not in BUILT_IN and Path(data).suffix.lower() in ENDINGS


def _built_in(name: str) -> Dataset:
    grouped = group_rows(_read(Path(__file__).parent / "data" / f"{name}.csv"), BUILT_IN[name])
    return Dataset(
        name=name,
        likelihood=LIKELIHOODS[grouped.kind](),
        digest=digest_of(grouped.rows),
        replicate=Replicate(data=grouped.data, truth=grouped.truth),
        labels=grouped.labels,
    )


def dataset_of_table(table: Table, columns: Mapping[str, str], name: str | None = None) -> Dataset:
    """Return the data set of a table.

    Args:
        table: one row per observation, estimate or count.
        columns: what a column is -> its name, as for ``load_dataset``.
        name: of the data set, by default what the table is in words.

    Raises:
        StudyError: columns that are missing, or values that cannot be what they stand for.
    """
    try:
        grouped = group_rows(table, columns)
    except TableError as error:
        raise StudyError(str(error)) from error
    return Dataset(
        name=name or f"a table of {table.n_rows:,} rows ({listed(list(grouped.columns.values()))})",
        likelihood=LIKELIHOODS[grouped.kind](),
        digest=digest_of(grouped.rows),
        replicate=Replicate(data=grouped.data, truth=grouped.truth),
        labels=grouped.labels,
        columns=grouped.columns,
        rows=grouped.rows,
    )


def digest_of(rows: pa.Table) -> str:
    """Return the hash of rows as pandas writes them to CSV, which runs made before have in their identities."""
    return hashlib.blake2b(rows.to_pandas().to_csv(index=False).encode(), digest_size=8).hexdigest()


def _table(data: Any) -> Table:
    if isinstance(data, list | tuple | bool | int | float):
        raise StudyError(f"data: expected the name of a data set, the path of a file, or a table, got {shown(data)}")
    try:
        return as_table(data)
    except TableError as error:
        raise StudyError(f"data: {error}") from error


def file_beside(data: str, folder: Path, key: str = "data") -> Path:
    """Return the path of a file that a study names, which has to lie in the study's folder.

    Raises:
        StudyError: names the key; there is no such file, or it lies elsewhere.
    """
    try:
        path = (folder / data).resolve()
        is_there = path.exists() and not path.is_dir()
    except (OSError, ValueError) as error:
        raise StudyError(f"{key}: {shown(data)} cannot be the path of a file: {error.args[-1]}") from error
    if not path.is_relative_to(folder.resolve()):
        raise StudyError(f"{key}: {data!r} lies outside the study's folder; put the file beside the study file")
    if not is_there:
        near = suggestion(path.name, _files_in(path.parent))
        raise StudyError(f"{key}: no file {data!r} in {folder.resolve()}{near}")
    return path


def _files_in(folder: Path | None) -> list[str]:
    """Return the names of the tables in a folder."""
    try:
        return sorted(file.name for file in (folder or Path()).iterdir() if file.suffix in ENDINGS)
    except OSError:  # no such folder, or one that may not be looked into
        return []


def _read(path: Path) -> Table:
    try:
        return read_file(path)
    except TableError as error:
        raise StudyError(f"data: cannot read {path.name!r}: {error}") from error
