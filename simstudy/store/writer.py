"""A run, written: one writer per folder, whole blocks only, nothing that is stored fitted twice.

Decides which folder may be written and which rows of a block are new; leaves the study's meaning to the caller.
"""

import hashlib
import os
import platform
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import filelock
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from simstudy.errors import RunError, printable
from simstudy.store.atomic import canonical_json, publish, stage, write_json, writing
from simstudy.store.blocks import commit, committed_batches, read_part, rewrite, stored_parts
from simstudy.store.data import put_data
from simstudy.store.documents import WriterDocument, read_document
from simstudy.store.extension import extended
from simstudy.store.inside import digest_inside, is_there, refuse_links, said
from simstudy.store.manifest import HIDDEN, WHOLE_TABLES, Manifest
from simstudy.store.parts import Columns, as_table, by_name, encode, factor_table
from simstudy.store.provenance import PROVENANCE, hold_provenance
from simstudy.store.records import BLOCK_TABLES, Known, mark_path, part_path, read_records, staging_folder
from simstudy.store.recovery import recover
from simstudy.store.run import STUDY, read_study, refuse_edited
from simstudy.store.schema import (
    CELLS,
    CHAINS,
    ESTIMANDS,
    FITS,
    GROUPS,
    LABELS,
    LEVELS,
    PERFORMANCE,
    TIMINGS,
    estimates_schema,
)

BATCH_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")

Index = dict[tuple[str, ...], np.ndarray]
NOTHING = np.array([], dtype=np.int64)
DESCRIPTION = "description.json"


class RunWriter:
    """The one writer of a run folder; close it, or use it in a ``with`` statement, to let others write.

    Attributes:
        folder: run folder.
        study: canonical study that now describes the folder.
        notices: what was found damaged, unfinished or foreign on opening, and was set aside.
    """

    def __init__(
        self,
        folder: Path,
        *,
        lock: filelock.BaseFileLock,
        manifest: Manifest,
        study: dict[str, Any],
        notices: list[str],
    ):
        self.folder = folder
        self.study = study
        self.notices = tuple(notices)
        self._lock, self._manifest = lock, manifest
        self._schemas = {"groups": GROUPS, "chains": CHAINS, "timings": TIMINGS, "fits": FITS}
        self._schemas["estimates"] = estimates_schema(tuple(study["summary"]["levels"]))
        if len(set(names := self._schemas["estimates"].names)) < len(names):
            raise RunError(
                f"levels {study['summary']['levels']}: two quantiles have columns of one name, so that no fit could "
                "be stored; give levels that are further apart"
            )
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
                merged, manifest, notices = _opened(folder, study)
                return cls(folder, lock=lock, manifest=manifest, study=merged, notices=notices)
            except BaseException:
                _release(folder, lock)
                raise

    def __enter__(self) -> "RunWriter":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Say that all is there, and let another process write."""
        if self._lock.is_locked:
            with suppress(OSError):  # of a disk that is full, which has been said
                self._end()
        _release(self.folder, self._lock)

    def _end(self) -> None:
        last = self._manifest.last
        if last is None or last.kind == "end":
            return
        is_missing = last.kind == "batch" and not is_there(mark_path(self.folder, last.name))
        is_old = last.kind == "file" and digest_inside(self.folder, last.name) not in last.digests.values()
        if not (is_missing or is_old):
            self._manifest.add("end")

    def write_scenarios(self, frame: pd.DataFrame) -> None:
        """Replace the table of scenarios: ``scenario``, ``label``, then a column per factor, in the study's order."""
        with writing(self.folder):
            rewrite(self.folder, "scenarios", factor_table(frame, fixed=("scenario", "label")), manifest=self._manifest)

    def write_methods(self, frame: pd.DataFrame) -> None:
        """Replace the table of methods: ``method``, ``identity``, then a column per option, in the study's order."""
        with writing(self.folder):
            rewrite(self.folder, "methods", factor_table(frame, fixed=("method", "identity")), manifest=self._manifest)

    def write_estimands(self, frame: pd.DataFrame) -> None:
        """Replace the table of what the methods declare of their estimands (columns of ``schema.ESTIMANDS``).

        Raises:
            TableError: columns that the schema lacks, or values that it cannot hold.
        """
        table = as_table(frame, ESTIMANDS) if len(frame) else ESTIMANDS.empty_table()
        with writing(self.folder):
            rewrite(self.folder, "estimands", table, manifest=self._manifest)

    def write_labels(self, frame: pd.DataFrame) -> None:
        """Replace the table of the names of groups (columns of ``schema.LABELS``); none where no group has a name."""
        self._write_whole("labels", frame, LABELS)

    def write_levels(self, levels: pd.DataFrame, cells: pd.DataFrame) -> None:
        """Replace the tables of factors (``schema.LEVELS``, ``schema.CELLS``); none for data with a single grouping."""
        self._write_whole("levels", levels, LEVELS)
        self._write_whole("cells", cells, CELLS)

    def _write_whole(self, name: str, frame: pd.DataFrame, schema: pa.Schema) -> None:
        """Replace a table that a run can do without, which a frame without rows leaves alone."""
        if len(frame):
            with writing(self.folder):
                rewrite(self.folder, name, as_table(frame, schema), manifest=self._manifest)

    def write_data(self, rows: pa.Table) -> None:
        """Put the data of the run on disk, with which its fits can be made again."""
        with writing(self.folder):
            put_data(self.folder, rows, self._manifest)

    def write_description(self, description: Mapping[str, Any]) -> None:
        """Replace ``description.json``: what the mechanism and the methods are, in words."""
        with writing(self.folder):
            _write_file(self.folder, DESCRIPTION, description, self._manifest)

    def write_provenance(self, provenance: Mapping[str, Any]) -> None:
        """Replace ``provenance.json``: versions, machine and sessions."""
        _write_file(self.folder, PROVENANCE, provenance, self._manifest)

    def bind_draws(self, batch: str, files: Sequence[Path]) -> None:
        """Bind files of kept draws to the run, once they are there and before the block that they belong to.

        Args:
            batch: name of the block.
            files: inside the run folder.
        """
        inside = [path.relative_to(self.folder).parts for path in files]
        digests = {"/".join(parts): digest_inside(self.folder, *parts) for parts in inside}
        if any(self._manifest.files.get(name) != [digest] for name, digest in digests.items()):
            self._manifest.add("draws", batch, **digests)

    def stored_fits(self) -> Index:
        """Return (scenario, method) -> sorted int64 array of the replicates that are stored."""
        return dict(self._fits)

    def lost_groups(self) -> Index:
        """Return (scenario,) -> the replicates that have usable fits but no rows of groups, as after damage.

        Groups are shared by methods and stored with the first; where its block was set aside, the fits of the others
        are without them until they are stored again.
        """
        cells: Index = {}
        for (scenario, _), replicates in self._fits.items():
            cells = _merged(cells, {(scenario,): replicates})
        if not _without(cells, self._groups):
            return {}
        usable: Index = {}
        for part in self._parts("fits", ["scenario", "replicate", "status"]):
            rows = part.filter(pc.not_equal(part["status"].cast(pa.string()), "failed"))
            usable = _merged(usable, _index(rows, ("scenario",)))
        return _without(usable, self._groups)

    def write_groups(self, groups: Columns) -> None:
        """Put rows of groups on disk that were lost with the block that held them, as a block without fits."""
        text = repr([list(map(str, by_name(groups)[name])) for name in ("scenario", "replicate")])
        batch = f"groups-{hashlib.blake2b(text.encode(), digest_size=6).hexdigest()}"
        self.write_block(batch, fits=FITS.empty_table(), estimates=None, timings=None, groups=groups)

    def write_block(
        self,
        batch: str,
        *,
        fits: Columns,
        estimates: Columns,
        timings: Columns | None,
        groups: Columns | None = None,
        chains: Columns | None = None,
    ) -> None:
        """Put a block of fits on disk, wholly or not at all.

        Args:
            batch: name of the block, unique in the run: letters, digits, ``.``, ``_`` and ``-``.
            fits: one row per fit; ``batch`` is filled in.
            estimates: one row per fit, estimand and group.
            timings: one row; ``batch`` is filled in. None for a block that was not fitted.
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
            given = {name: table for name, table in tables.items() if self._has_part(name, table)}
            commit(self.folder, batch, given, manifest=self._manifest)
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
        parts = list(self._parts(table, columns))
        schema = self._schemas[table]
        empty = schema.empty_table().select(columns)
        return _merged({}, _index(pa.concat_tables([empty, *(part.select(columns) for part in parts)]), names))

    def _parts(self, table: str, columns: list[str]) -> Iterator[pa.Table]:
        known, schema = Known(batches=self._manifest.batches, manifest=self._manifest), self._schemas[table]
        for batch in stored_parts(self.folder, table, committed_batches(self.folder), known=known):
            yield read_part(self.folder, table, batch, schema=schema, columns=columns, known=known)


def write_performance(folder: str | Path, frame: pd.DataFrame) -> None:
    """Replace ``performance.parquet`` of a run folder: a cache of the performance table for other programs.

    Labels and factors, which the scenarios have, are left out.
    """
    folder = Path(folder)
    if "label" in frame:
        frame = frame[[name for name in frame if name in PERFORMANCE.names]]
    with writing(folder):
        # Not in the staging folder, which a writer that starts clears.
        publish(stage(folder, encode(as_table(frame, PERFORMANCE))), folder / "performance.parquet")


def _opened(folder: Path, study: Mapping[str, Any]) -> tuple[dict[str, Any], Manifest, list[str]]:
    """Return the study that now describes a folder, its manifest, and what was set aside."""
    if not is_there(folder / STUDY):
        merged = dict(study)
        notices = recover(folder, None)
        manifest = Manifest.begin(folder, {STUDY: _digest(merged)}, {})
        write_json(folder / STUDY, merged, staging=staging_folder(folder))
        return merged, manifest, notices
    known = Manifest.read(folder)
    stored = read_study(folder)
    if known is not None:
        refuse_edited(folder, known)
    merged = extended(stored, study, folder=said(folder))
    if known is not None:
        hold_provenance(folder, known)
    notices = recover(folder, known)
    manifest = known or Manifest.begin(folder, {STUDY: digest_inside(folder, STUDY)}, read_records(folder))
    _write_file(folder, STUDY, merged, manifest)
    return merged, manifest, notices


def _write_file(folder: Path, name: str, value: Mapping[str, Any], manifest: Manifest) -> None:
    """Replace a JSON file that the manifest binds; one that has not changed is left alone."""
    digest = _digest(value)
    if manifest.files.get(name, [""])[-1] == digest == digest_inside(folder, name):
        return
    manifest.add("file", name, **{name: digest})
    write_json(folder / name, dict(value), staging=staging_folder(folder))


def _digest(value: Mapping[str, Any]) -> str:
    """Return the SHA-256 of the file that ``write_json`` writes."""
    return hashlib.sha256(f"{canonical_json(value)}\n".encode()).hexdigest()


def _without(cells: Index, others: Index) -> Index:
    """Return the replicates that others have not."""
    lacking = {key: r[~_among(r, others.get(key, NOTHING))] for key, r in cells.items()}
    return {key: replicates for key, replicates in lacking.items() if len(replicates)}


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
    if names:
        refuse_links(folder)


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
    try:
        me = {"pid": os.getpid(), "machine": platform.node()}
        write_json(folder / HIDDEN / "writer.json", me, staging=staging_folder(folder))
    except BaseException:
        lock.release()
        raise
    return lock


def _release(folder: Path, lock: filelock.BaseFileLock) -> None:
    if lock.is_locked:
        (folder / HIDDEN / "writer.json").unlink(missing_ok=True)
        lock.release()


def _other_writer(folder: Path) -> str:
    try:
        writer = read_document(WriterDocument, folder, HIDDEN, "writer.json")
    except (OSError, ValueError):
        return "another process"
    place = "" if writer["machine"] == platform.node() else f" on {printable(writer['machine'])}"
    return f"process {writer['pid']}{place}"
