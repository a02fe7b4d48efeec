"""Blocks on disk: how their parts are put there, checked, read and set aside.

A block is one part in each table that it has rows for, all of the name ``<batch>.parquet``. Its checksums are recorded
first, its part in ``fits`` comes last. A part without a record is foreign, a block without its part in ``fits`` was
never finished, and one with a missing or changed part is damaged: the writer moves them to ``.simstudy/set_aside``.
Leaves to the writer which rows make up a block.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import pyarrow as pa

from simstudy.errors import RunError
from simstudy.store.atomic import flush_folder, leftovers, publish, stage, write_json
from simstudy.store.parts import decode, encode

HIDDEN = ".simstudy"
BLOCK_TABLES = ("groups", "chains", "estimates", "timings", "fits")
WHOLE_TABLES = ("scenarios", "methods", "estimands")
RUN_AGAIN = "run the study again in this folder: what is damaged is set aside and fitted anew"

Record = dict[str, list[str]]


def part_path(folder: Path, table: str, batch: str) -> Path:
    """Return where a batch's part of a table stands; a whole table is the batch of its own name."""
    return folder / table / f"{batch}.parquet"


def staging_folder(folder: Path) -> Path:
    """Return where files are written before they are renamed into place; what a crash leaves there is deleted."""
    return folder / HIDDEN / "staging"


def committed_batches(folder: Path) -> tuple[str, ...]:
    """Return the sorted names of the blocks that were finished."""
    return tuple(sorted(path.stem for path in (folder / "fits").glob("[!.]*.parquet")))


def commit(folder: Path, batch: str, tables: Mapping[str, pa.Table]) -> None:
    """Put a block on disk, wholly or not at all; ``fits`` is its commit mark."""
    contents = {name: encode(tables[name]) for name in BLOCK_TABLES if name in tables}
    staged: dict[str, Path] = {}
    try:
        for name, content in contents.items():
            staged[name] = stage(staging_folder(folder), content)
        _write_record(folder, batch, {name: [_digest(content)] for name, content in contents.items()})
        for name, path in staged.items():
            publish(path, part_path(folder, name, batch))
    finally:
        for path in staged.values():
            path.unlink(missing_ok=True)


def rewrite(folder: Path, table: str, content: pa.Table) -> None:
    """Replace a whole table. Its record admits the part before this one too, which stands until the last moment."""
    encoded = encode(content)
    digest, known = _digest(encoded), read_record(folder, table).get(table, [])
    path = part_path(folder, table, table)
    if path.exists() and _file_digest(path) == digest == known[-1]:
        return
    staged = stage(staging_folder(folder), encoded)
    _write_record(folder, table, {table: [*known[-1:], digest]})
    publish(staged, path)


def read_record(folder: Path, batch: str) -> Record:
    """Return the admitted SHA-256 digests of each part of a batch; empty where the batch has no readable record."""
    try:
        record = json.loads(_record_path(folder, batch).read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def stored_parts(folder: Path, table: str, batches: tuple[str, ...]) -> Iterator[str]:
    """Yield the batches that have a part of a table: by record, or by sight in a run copied without its records."""
    for batch in batches:
        if table in read_record(folder, batch) or part_path(folder, table, batch).exists():
            yield batch


def read_part(
    folder: Path, table: str, batch: str, *, schema: pa.Schema | None, columns: list[str] | None = None
) -> pa.Table:
    """Return one part as an Arrow table, held to its checksum and schema.

    Args:
        folder: run folder.
        table: name of the table.
        batch: name of the batch.
        schema: types that the columns must have, or None where they depend on the study.
        columns: columns to read; all by default.

    Raises:
        RunError: The part is missing, damaged or foreign; names the file and says what to do.
    """
    path = part_path(folder, table, batch)
    try:
        content = path.read_bytes()
        if problem := _doubt(folder, table, batch, digest=_digest(content)):
            raise RunError(f"{path} {problem}; {RUN_AGAIN}")
        part = decode(content, columns=columns)
    except OSError as error:
        raise RunError(f"{path} cannot be read ({error.strerror or error}); {RUN_AGAIN}") from None
    except pa.ArrowException as error:
        raise RunError(f"{path} is no readable Parquet file ({error}); {RUN_AGAIN}") from None
    if schema is not None and any(part.schema.field(n).type != schema.field(n).type for n in _shared(part, schema)):
        raise RunError(f"{path} has other columns than this version of simstudy writes; open it with that version")
    return part


def find_problems(folder: Path) -> list[str]:
    """Return what keeps a folder from being, part for part, what its writer stored; nothing is changed.

    Every part of every table is read and held to its checksum, whether anyone asks for the table or not.
    """
    if not (records := _records(folder)):
        return [f"there are no checksum records ({HIDDEN}/checksums)"]
    foreign = [f"{path.parent.name}/{path.name} is no part of this run" for path in _foreign(folder, records)]
    return foreign + [problem for name, record in records.items() if (problem := _block_problem(folder, name, record))]


def recover(folder: Path) -> list[str]:
    """Bring a folder back to whole blocks only and return a notice for each thing that was set aside.

    Raises:
        RunError: There are parts but no checksum records at all, so that nothing can be told from damage.
    """
    for leftover in [*leftovers(folder), *leftovers(staging_folder(folder))]:
        leftover.unlink()
    if _parts(folder) and not _record_path(folder, "").parent.is_dir():
        raise RunError(
            f"{folder} has lost its checksum records ({HIDDEN}/checksums), so that it can be read but not continued; "
            "copy a run together with its hidden files, or give another folder with --out"
        )
    records = _records(folder)
    return [*_set_aside_foreign(folder, _foreign(folder, records)), *_set_aside_blocks(folder, records)]


def _parts(folder: Path) -> list[Path]:
    return [path for table in (*BLOCK_TABLES, *WHOLE_TABLES) for path in sorted((folder / table).glob("*"))]


def _records(folder: Path) -> dict[str, Record]:
    return {path.stem: read_record(folder, path.stem) for path in sorted(_record_path(folder, "").parent.glob("*"))}


def _foreign(folder: Path, records: Mapping[str, Record]) -> list[Path]:
    parts = _parts(folder)
    return [path for path in parts if path.suffix != ".parquet" or path.parent.name not in records.get(path.stem, {})]


def _set_aside_foreign(folder: Path, paths: list[Path]) -> Iterator[str]:
    for path in paths:
        _set_aside(folder, path)
        yield f"{path.parent.name}/{path.name} is no part of this run and was moved to {HIDDEN}/set_aside"


def _set_aside_blocks(folder: Path, records: Mapping[str, Record]) -> Iterator[str]:
    for batch, record in records.items():
        if problem := _block_problem(folder, batch, record):
            for table in reversed(BLOCK_TABLES + WHOLE_TABLES):
                if (path := part_path(folder, table, batch)).exists():
                    _set_aside(folder, path)
            _record_path(folder, batch).unlink()
            if batch not in WHOLE_TABLES:
                yield f"{problem}: block {batch} was moved to {HIDDEN}/set_aside and will be fitted again"


def _block_problem(folder: Path, batch: str, record: Record) -> str:
    mark = batch if batch in WHOLE_TABLES else "fits"
    if not part_path(folder, mark, batch).exists():
        return f"{mark}/{batch}.parquet was never written"
    for table in record:
        path = part_path(folder, table, batch)
        if not path.exists():
            return f"{table}/{path.name} is missing"
        if _file_digest(path) not in record[table]:
            return f"{table}/{path.name} is damaged"
    return ""


def _doubt(folder: Path, table: str, batch: str, *, digest: str) -> str:
    """Say what is wrong with a part; a run that was copied without any records is read on trust."""
    if not _record_path(folder, batch).parent.is_dir():
        return ""
    known = read_record(folder, batch).get(table)
    if known is None:
        return "is no part of this run"
    return "" if digest in known else "is damaged (its checksum differs)"


def _shared(part: pa.Table, schema: pa.Schema) -> list[str]:
    return [name for name in part.column_names if name in schema.names]


def _set_aside(folder: Path, path: Path) -> None:
    """Move a part out of its table, beside anything of the same name that was set aside before."""
    home = folder / HIDDEN / "set_aside" / path.parent.name
    home.mkdir(parents=True, exist_ok=True)
    target, n_before = home / path.name, 0
    while target.exists():
        n_before += 1
        target = home / f"{path.stem}.{n_before}{path.suffix}"
    os.replace(path, target)
    flush_folder(path.parent)


def _write_record(folder: Path, batch: str, record: Record) -> None:
    path = _record_path(folder, batch)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, record, staging=staging_folder(folder))


def _record_path(folder: Path, batch: str) -> Path:
    return folder / HIDDEN / "checksums" / f"{batch}.json"


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
