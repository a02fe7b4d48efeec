"""What of a run folder is not what its writer stored: how it is found, and set aside before the run goes on.

A part that no line of the manifest names is foreign, a block without its part in ``fits`` was never finished or is
lost, and one with a missing or changed part is damaged: the writer moves them to ``.simstudy/set_aside``.
"""

import os
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Literal

from simstudy.errors import RunError
from simstudy.store.atomic import flush_folder, leftovers
from simstudy.store.data import DATA, is_foreign
from simstudy.store.inside import digest_inside, is_there, said
from simstudy.store.manifest import HIDDEN, WHOLE_TABLES, Manifest, Record
from simstudy.store.records import (
    BLOCK_TABLES,
    Known,
    has_records,
    known_parts,
    mark_path,
    part_path,
    read_record,
    read_records,
    record_path,
    staging_folder,
    write_record,
)

NO_MANIFEST = (
    f"there is no manifest ({HIDDEN}/manifest.jsonl), so that nothing binds the study to its parts: the run was made "
    "before there were manifests, or has lost it"
)
NEEDED = ("study.json", DATA)  # files without which numbers cannot be told from others
DAY_SECONDS = 86_400


def find_problems(folder: Path, *, of: Literal["everything", "numbers"] = "everything") -> list[str]:
    """Return what keeps a folder from being, part for part, what its writer stored; nothing is changed.

    Every part of every table is read and held to its checksum, whether anyone asks for the table or not.

    Args:
        folder: run folder.
        of: ``numbers`` leaves out what no measure is made of: description, provenance and kept draws.

    Raises:
        RunError: the manifest cannot be trusted.
    """
    known = known_parts(folder)
    if not known.batches and known.manifest is None:
        return [f"there are no checksum records ({HIDDEN}/checksums)"]
    files = {} if known.manifest is None else known.manifest.files
    named = [name for name in files if of == "everything" or name in NEEDED]
    problems = [] if known.manifest is None else list(_changed_files(folder, known.manifest, named))
    problems += [f"{DATA} is no part of this run"] if is_foreign(folder, known.manifest) else []
    foreign = _foreign(folder, known.batches)
    problems += [f"{said(f'{path.parent.name}/{path.name}')} is no part of this run" for path in foreign]
    of_batches = (_problem(folder, name, record, known.manifest) for name, record in known.batches.items())
    return problems + [problem for problem in of_batches if problem]


def recover(folder: Path, manifest: Manifest | None) -> list[str]:
    """Bring a folder back to whole blocks only and return a notice for each thing that was set aside.

    Args:
        folder: run folder.
        manifest: of the run; None for one that has none yet, which is judged by its checksum records.

    Raises:
        RunError: There are parts but neither manifest nor checksum records, so that nothing can be told from damage.
    """
    _delete_leftovers(folder)
    if manifest is None and _parts(folder) and not has_records(folder):
        raise RunError(
            f"{said(folder)} has lost its checksum records ({HIDDEN}/checksums), so that it can be read but not "
            "continued; copy a run together with its hidden files, or give another folder with --out"
        )
    batches = read_records(folder) if manifest is None else manifest.batches
    notices = [*_set_aside_foreign(folder, _foreign(folder, batches))]
    notices += _set_aside_blocks(folder, dict(batches), manifest)
    if manifest is not None:
        _restore_records(folder, manifest)
    return notices


def lost_batches(folder: Path, known: Known) -> list[str]:
    """Return the finished blocks that have lost their part in ``fits``, and with it their fits."""
    return [b for b in known.finished if b not in WHOLE_TABLES and not is_there(mark_path(folder, b))]


def _changed_files(folder: Path, manifest: Manifest, names: Iterable[str]) -> Iterator[str]:
    for name in names:
        if not is_there(folder / name):
            if not manifest.is_pending(name):
                yield f"{said(name)} is missing"
        elif digest_inside(folder, *name.split("/")) not in manifest.files[name]:
            yield f"{said(name)} is not as the run wrote it"


def _delete_leftovers(folder: Path) -> None:
    """Delete what a crash has left of staged files: the writer's at once, those of readers once they are a day old."""
    for leftover in leftovers(staging_folder(folder)):
        leftover.unlink()
    for leftover in leftovers(folder):
        with suppress(OSError):
            if time.time() - leftover.stat().st_mtime > DAY_SECONDS:
                leftover.unlink()


def _parts(folder: Path) -> list[Path]:
    return [path for table in (*BLOCK_TABLES, *WHOLE_TABLES) for path in sorted((folder / table).glob("*"))]


def _foreign(folder: Path, batches: Mapping[str, Record]) -> list[Path]:
    parts = _parts(folder)
    return [path for path in parts if path.suffix != ".parquet" or path.parent.name not in batches.get(path.stem, {})]


def _set_aside_foreign(folder: Path, paths: list[Path]) -> Iterator[str]:
    for path in paths:
        _set_aside(folder, path)
        yield (f"{said(f'{path.parent.name}/{path.name}')} is no part of this run and was moved to {HIDDEN}/set_aside")


def _set_aside_blocks(folder: Path, batches: Mapping[str, Record], manifest: Manifest | None) -> Iterator[str]:
    for batch, record in batches.items():
        if problem := _problem(folder, batch, record, manifest):
            was_there = any(is_there(part_path(folder, table, batch)) for table in record)
            was_pending = manifest is not None and manifest.is_pending(batch)
            if manifest is not None:
                manifest.add("aside", batch)
            for table in reversed(BLOCK_TABLES + WHOLE_TABLES):
                if is_there(path := part_path(folder, table, batch)):
                    _set_aside(folder, path)
            if record_path(folder, batch).is_file():
                record_path(folder, batch).unlink()
            if batch not in WHOLE_TABLES and (was_there or not was_pending):
                where = f"was moved to {HIDDEN}/set_aside and" if was_there else "is lost and"
                yield f"{said(problem)}: block {said(batch)} {where} will be fitted again"


def _restore_records(folder: Path, manifest: Manifest) -> None:
    """Write anew the records that are not what the manifest says: it is believed, they are for readers of before."""
    for path in sorted(record_path(folder, "").parent.glob("*")):
        if path.is_dir() or path.suffix != ".json" or path.stem not in manifest.batches:
            _set_aside(folder, path)
    for batch, record in manifest.batches.items():
        if (known := read_record(folder, batch)) != record and not _admits(known, record):
            write_record(folder, batch, record)


def _admits(known: Record, record: Record) -> bool:
    """Return whether a record names the same parts, and admits at least those of the manifest."""
    return known.keys() == record.keys() and all(digests[-1] in known[t] for t, digests in record.items())


def _problem(folder: Path, batch: str, record: Record, manifest: Manifest | None) -> str:
    """Say what is wrong with a batch, or return an empty text."""
    mark = mark_path(folder, batch)
    if not is_there(mark):
        is_lost = manifest is not None and not manifest.is_pending(batch)
        return f"{mark.parent.name}/{mark.name} {'is missing' if is_lost else 'was never written'}"
    for table, digests in record.items():
        name = part_path(folder, table, batch).name
        if not is_there(folder / table / name):
            return f"{table}/{name} is missing"
        if digest_inside(folder, table, name) not in digests:
            return f"{table}/{name} is damaged"
    return ""


def _set_aside(folder: Path, path: Path) -> None:
    """Move a file out of its folder, beside anything of the same name that was set aside before."""
    home = folder / HIDDEN / "set_aside" / path.parent.name
    home.mkdir(parents=True, exist_ok=True)
    target, n_before = home / path.name, 0
    while is_there(target):
        n_before += 1
        target = home / f"{path.stem}.{n_before}{path.suffix}"
    os.replace(path, target)
    flush_folder(path.parent)
