"""A run, written: one writer per folder, whole blocks only, nothing that is stored fitted twice.

Decides which folder may be written and which rows of a block are new; leaves the study's meaning to the caller.
"""

import json
import os
import platform
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import filelock
import numpy as np
import pandas as pd
import pyarrow as pa

from simstudy.errors import RunError
from simstudy.store.atomic import publish, stage, write_json, writing
from simstudy.store.blocks import (
    BLOCK_TABLES,
    HIDDEN,
    WHOLE_TABLES,
    commit,
    committed_batches,
    part_path,
    read_part,
    recover,
    rewrite,
    staging_folder,
    stored_parts,
)
from simstudy.store.extension import extended
from simstudy.store.parts import Columns, as_table, by_name, encode, factor_table
from simstudy.store.run import read_study
from simstudy.store.schema import CHAINS, ESTIMANDS, FITS, GROUPS, PERFORMANCE, TIMINGS, estimates_schema

BATCH_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")

Index = dict[tuple[str, ...], np.ndarray]
NOTHING = np.array([], dtype=np.int64)


class RunWriter:
    """The one writer of a run folder; close it, or use it in a ``with`` statement, to let others write.

    Attributes:
        folder: run folder.
        study: canonical study that now describes the folder.
        notices: what was found damaged, unfinished or foreign on opening, and was set aside.
    """

    def __init__(self, folder: Path, *, lock: filelock.BaseFileLock, study: dict[str, Any], notices: list[str]):
        self.folder = folder
        self.study = study
        self.notices = tuple(notices)
        self._lock = lock
        self._schemas = {"groups": GROUPS, "chains": CHAINS, "timings": TIMINGS, "fits": FITS}
        self._schemas["estimates"] = estimates_schema(tuple(study["summary"]["levels"]))
        self._fits = self._stored("fits", ("scenario", "method"))
        self._groups = self._stored("groups", ("scenario",))

    @classmethod
    def create_or_continue(cls, folder: str | Path, study: Mapping[str, Any]) -> "RunWriter":
        """Open a folder for writing: a new run, or one whose study the given study continues or extends.

        Args:
            folder: run folder; made where there is none.
            study: canonical study, every default spelled out.

        Raises:
            RunError: Another process writes there, the folder holds other things than a run, it cannot be written,
                or its study differs in more than an extension may (``study_difference``).
        """
        folder = Path(folder)
        with writing(folder):
            _refuse_strangers(folder)
            lock = _acquire(folder)
            try:
                new = not (folder / "study.json").exists()
                merged = dict(study) if new else extended(read_study(folder), study, folder=str(folder))
                notices = recover(folder)
                write_json(folder / "study.json", merged, staging=staging_folder(folder))
                return cls(folder, lock=lock, study=merged, notices=notices)
            except BaseException:
                _release(folder, lock)
                raise

    def __enter__(self) -> "RunWriter":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let another process write."""
        _release(self.folder, self._lock)

    def write_scenarios(self, frame: pd.DataFrame) -> None:
        """Replace the table of scenarios: ``scenario``, ``label``, then a column per factor, in the study's order."""
        with writing(self.folder):
            rewrite(self.folder, "scenarios", factor_table(frame, fixed=("scenario", "label")))

    def write_methods(self, frame: pd.DataFrame) -> None:
        """Replace the table of methods: ``method``, ``identity``, then a column per option, in the study's order."""
        with writing(self.folder):
            rewrite(self.folder, "methods", factor_table(frame, fixed=("method", "identity")))

    def write_estimands(self, frame: pd.DataFrame) -> None:
        """Replace the table of what the methods declare of their estimands (columns of ``schema.ESTIMANDS``).

        Raises:
            TableError: columns that the schema lacks, or values that it cannot hold.
        """
        table = as_table(frame, ESTIMANDS) if len(frame) else ESTIMANDS.empty_table()
        with writing(self.folder):
            rewrite(self.folder, "estimands", table)

    def write_description(self, description: Mapping[str, Any]) -> None:
        """Replace ``description.json``: what the mechanism and the methods are, in words."""
        with writing(self.folder):
            write_json(self.folder / "description.json", dict(description), staging=staging_folder(self.folder))

    def stored_fits(self) -> Index:
        """Return (scenario, method) -> sorted int64 array of the replicates that are stored."""
        return dict(self._fits)

    def write_block(
        self,
        batch: str,
        *,
        fits: Columns,
        estimates: Columns,
        timings: Columns,
        groups: Columns | None = None,
        chains: Columns | None = None,
    ) -> None:
        """Put a block of fits on disk, wholly or not at all.

        Args:
            batch: name of the block, unique in the run: letters, digits, ``.``, ``_`` and ``-``.
            fits: one row per fit; ``batch`` is filled in.
            estimates: one row per fit, estimand and group.
            timings: one row; ``batch`` is filled in.
            groups: one row per scenario, replicate and group. Groups are shared by methods: rows of a (scenario,
                replicate) that is stored are dropped. Where the block that holds them is set aside, fitting it again
                brings them back.
            chains: one row per fit and chain; None for a sampler without chains.

        Raises:
            TableError: Columns that the table's schema cannot hold.
            RunError: The batch or one of its fits is stored already, or the disk does not take it.
        """
        if not BATCH_NAME.fullmatch(batch) or batch in WHOLE_TABLES:
            raise RunError(f"'{batch}' cannot name a block; expected letters, digits, '.', '_' and '-'")
        given = {"groups": groups, "chains": chains, "estimates": estimates, "timings": timings, "fits": fits}
        tables = {name: self._as_table(name, given[name], batch=batch) for name in BLOCK_TABLES}
        new_fits = _index(tables["fits"], ("scenario", "method"))
        self._refuse_stored(batch, new_fits)
        tables["groups"] = self._unstored_groups(tables["groups"])
        new_groups = _index(tables["groups"], ("scenario",))
        with writing(self.folder):
            commit(self.folder, batch, {name: table for name, table in tables.items() if self._has_part(name, table)})
        self._fits = _merged(self._fits, new_fits)
        self._groups = _merged(self._groups, new_groups)

    def _as_table(self, name: str, columns: Columns | None, *, batch: str) -> pa.Table:
        schema = self._schemas[name]
        if columns is None:
            return schema.empty_table()
        given = by_name(columns)
        return as_table(given | {"batch": batch} if "batch" in schema.names else given, schema)

    def _has_part(self, name: str, table: pa.Table) -> bool:
        """A table without rows gets a part where its folder has none, so that every folder reads as a table."""
        return name == "fits" or table.num_rows > 0 or not any((self.folder / name).glob("*.parquet"))

    def _refuse_stored(self, batch: str, fits: Index) -> None:
        if part_path(self.folder, "fits", batch).exists():
            raise RunError(f"block {batch} is stored already in {self.folder}")
        for (scenario, method), replicates in fits.items():
            known = _among(replicates, self._fits.get((scenario, method), NOTHING))
            if known.any() or len(_distinct(replicates)) < len(replicates):
                raise RunError(f"block {batch} holds fits of scenario {scenario}, method '{method}' a second time")

    def _unstored_groups(self, groups: pa.Table) -> pa.Table:
        scenarios = groups["scenario"].combine_chunks()
        replicates = groups["replicate"].to_numpy()
        new = np.zeros(len(replicates), dtype=bool)
        for code, scenario in enumerate(scenarios.dictionary.to_pylist()):
            rows = scenarios.indices.to_numpy() == code
            new[rows] = ~_among(replicates[rows], self._groups.get((scenario,), NOTHING))
        return groups if new.all() else groups.filter(pa.array(new))

    def _stored(self, table: str, names: tuple[str, ...]) -> Index:
        columns = [*names, "replicate"]
        batches = stored_parts(self.folder, table, committed_batches(self.folder))
        schema = self._schemas[table]
        parts = [read_part(self.folder, table, batch, schema=schema, columns=columns) for batch in batches]
        empty = schema.empty_table().select(columns)
        return _merged({}, _index(pa.concat_tables([empty, *(part.select(columns) for part in parts)]), names))


def write_performance(folder: str | Path, frame: pd.DataFrame) -> None:
    """Replace ``performance.parquet`` of a run folder: a cache of the performance table for other programs."""
    folder = Path(folder)
    with writing(folder):
        publish(stage(staging_folder(folder), encode(as_table(frame, PERFORMANCE))), folder / "performance.parquet")


def _index(table: pa.Table, names: tuple[str, ...]) -> Index:
    """Return the replicates of each combination of labels, as they stand."""
    frame = table.select([*names, "replicate"]).unify_dictionaries().to_pandas()
    grouped = frame.groupby(list(names), observed=True, sort=False)["replicate"]
    return {tuple(labels): replicates.to_numpy() for labels, replicates in grouped}


def _merged(stored: Index, new: Index) -> Index:
    return stored | {key: _distinct(stored.get(key, NOTHING), replicates) for key, replicates in new.items()}


def _distinct(*replicates: np.ndarray) -> np.ndarray:
    """Sort and keep one of each by merging sorted runs: 4 ms at 10^6, where numpy.unique, which hashes, takes 700."""
    whole = np.sort(np.concatenate(replicates), kind="stable")
    return whole[np.diff(whole, prepend=whole[:1] - 1) != 0]


def _among(replicates: np.ndarray, stored: np.ndarray) -> np.ndarray:
    """Say which replicates are in a sorted array."""
    if not len(stored):
        return np.zeros(len(replicates), dtype=bool)
    return stored[np.minimum(np.searchsorted(stored, replicates), len(stored) - 1)] == replicates


def _refuse_strangers(folder: Path) -> None:
    """Keep a run from being strewn over a folder that is something else."""
    if folder.exists() and not folder.is_dir():
        raise RunError(f"{folder} is a file; give a folder with --out")
    names = {path.name for path in folder.iterdir()} if folder.exists() else set()
    if names - {HIDDEN} and "study.json" not in names:
        raise RunError(f"{folder} holds other files and no run; give a new or empty folder with --out")


def _acquire(folder: Path) -> filelock.BaseFileLock:
    (folder / HIDDEN).mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(folder / HIDDEN / "lock", timeout=0)
    try:
        lock.acquire()
    except filelock.Timeout:
        raise RunError(
            f"{folder} is being written by {_other_writer(folder)}; wait until it ends, or give another folder with "
            "--out"
        ) from None
    write_json(
        folder / HIDDEN / "writer.json",
        {"pid": os.getpid(), "machine": platform.node()},
        staging=staging_folder(folder),
    )
    return lock


def _release(folder: Path, lock: filelock.BaseFileLock) -> None:
    if lock.is_locked:
        (folder / HIDDEN / "writer.json").unlink(missing_ok=True)
        lock.release()


def _other_writer(folder: Path) -> str:
    try:
        writer = json.loads((folder / HIDDEN / "writer.json").read_bytes())
    except (OSError, ValueError):
        return "another process"
    place = "" if writer["machine"] == platform.node() else f" on {writer['machine']}"
    return f"process {writer['pid']}{place}"
