"""Blocks on disk: how their parts are put there and read.

A block is one part in each table that it has rows for, all of the name ``<batch>.parquet``. The manifest names them
first, with their digests; the part in ``fits`` comes last. Leaves to the writer which rows make up a block, and to
``recovery`` what becomes of parts that are not what the manifest says.
"""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import pyarrow as pa

from simstudy.errors import RunError
from simstudy.store.atomic import publish, stage
from simstudy.store.inside import digest_inside, is_there, read_inside, said
from simstudy.store.manifest import Manifest
from simstudy.store.parts import decode, encode
from simstudy.store.records import (
    BLOCK_TABLES,
    Known,
    known_parts,
    mark_path,
    part_path,
    read_record,
    staging_folder,
    write_record,
)
from simstudy.store.schema import is_later

RUN_AGAIN = "run the study again in this folder: what is damaged is set aside and fitted anew"


def committed_batches(folder: Path) -> tuple[str, ...]:
    """Return the sorted names of the blocks that have their part in ``fits``."""
    return tuple(sorted(path.stem for path in (folder / "fits").glob("[!.]*.parquet")))


def commit(folder: Path, batch: str, tables: Mapping[str, pa.Table], *, manifest: Manifest) -> None:
    """Put a block on disk, wholly or not at all; ``fits`` is its commit mark."""
    contents = {name: encode(tables[name]) for name in BLOCK_TABLES if name in tables}
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    staged: dict[str, Path] = {}
    try:
        for name, content in contents.items():
            staged[name] = stage(staging_folder(folder), content)
        manifest.add("batch", batch, **digests)
        try:
            write_record(folder, batch, {name: [digest] for name, digest in digests.items()})
            for name, path in staged.items():
                publish(path, part_path(folder, name, batch))
        except BaseException:
            if not is_there(mark_path(folder, batch)):
                with suppress(OSError):  # the block is then found missing and set aside when the run goes on
                    manifest.undo()
            raise
    finally:
        for path in staged.values():
            path.unlink(missing_ok=True)


def rewrite(folder: Path, table: str, content: pa.Table, *, manifest: Manifest) -> None:
    """Replace a whole table. The part before this one is admitted too, since it stands until the last moment."""
    encoded = encode(content)
    digest = hashlib.sha256(encoded).hexdigest()
    known = manifest.batches.get(table, {}).get(table, [""])[-1]
    if digest_inside(folder, table, f"{table}.parquet") == digest == known:
        return
    staged = stage(staging_folder(folder), encoded)
    manifest.add("batch", table, **{table: digest})
    write_record(folder, table, {table: [*read_record(folder, table).get(table, [])[-1:], digest]})
    publish(staged, part_path(folder, table, table))


def stored_parts(folder: Path, table: str, batches: tuple[str, ...], *, known: Known) -> Iterator[str]:
    """Yield the batches that have a part of a table: by what is known, or by sight."""
    for batch in batches:
        if known.digests(table, batch) is not None or is_there(part_path(folder, table, batch)):
            yield batch


def read_part(
    folder: Path,
    table: str,
    batch: str,
    *,
    schema: pa.Schema | None,
    columns: list[str] | None = None,
    known: Known | None = None,
) -> pa.Table:
    """Return one part as an Arrow table, held to its checksum and schema.

    Args:
        folder: run folder.
        table: name of the table.
        batch: name of the batch.
        schema: types that the columns must have, or None where they depend on the study.
        columns: columns to read; all by default.
        known: what is known of the run's parts; read anew where it does not admit the part, which a writer may have
            replaced since.

    Raises:
        RunError: The part is missing, damaged or foreign; names the file and says what to do.
    """
    path = part_path(folder, table, batch)
    try:
        content = read_inside(folder, table, path.name)
        if problem := _doubt(folder, table, batch, digest=hashlib.sha256(content).hexdigest(), known=known):
            raise RunError(f"{said(path)} {problem}; {RUN_AGAIN}")
        part = _completed(decode(content, columns=columns), schema, columns)
    except OSError as error:
        raise RunError(f"{said(path)} cannot be read ({error.strerror or said(str(error))}); {RUN_AGAIN}") from None
    except (pa.ArrowException, MemoryError) as error:
        raise RunError(f"{said(path)} is no readable Parquet file ({said(str(error))}); {RUN_AGAIN}") from None
    if schema is not None and not _has_types(part, schema, columns):
        raise RunError(
            f"{said(path)} has other columns than this version of simstudy writes; open it with that version"
        )
    return part


def _completed(part: pa.Table, schema: pa.Schema | None, columns: list[str] | None) -> pa.Table:
    """Return the part with nulls in columns that came later than its version."""
    if schema is None:
        return part
    names = schema.names if columns is None else columns
    lacking = [name for name in names if is_later(name) and name not in part.column_names]
    for name in lacking:
        part = part.append_column(schema.field(name), pa.nulls(len(part), schema.field(name).type))
    # A part that lacks others as well is no earlier one, and is refused by its types.
    return part.select(names) if lacking and set(names) <= set(part.column_names) else part


def _has_types(part: pa.Table, schema: pa.Schema, columns: list[str] | None) -> bool:
    names = schema.names if columns is None else columns
    return set(part.column_names) == set(names) and all(
        part.schema.field(n).type == schema.field(n).type for n in names
    )


def _doubt(folder: Path, table: str, batch: str, *, digest: str, known: Known | None) -> str:
    """Say what is wrong with a part; a run that was copied without any records is read on trust."""
    for source in (known, None):
        now = source or known_parts(folder)
        if not now.is_recorded or digest in (now.digests(table, batch) or ()):
            return ""
    return "is no part of this run" if now.digests(table, batch) is None else "is damaged (its checksum differs)"
