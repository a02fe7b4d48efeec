"""What is known of a run's parts: from its manifest, or from the checksum records of a run made before manifests.

A record says, batch by batch, which parts there are and their SHA-256. Records are written beside the manifest, so that
a run reads in versions that know no manifest; where there is one, it alone is believed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from simstudy.store.atomic import write_json
from simstudy.store.documents import RecordDocument, read_document
from simstudy.store.manifest import HIDDEN, WHOLE_TABLES, Manifest, Record

BLOCK_TABLES = ("groups", "chains", "estimates", "timings", "fits")


@dataclass(frozen=True, kw_only=True)
class Known:
    """What is known of the parts of a run.

    Args:
        batches: batch -> table -> the digests that its part may have.
        manifest: where they are from, or None.
        is_recorded: False for a run that was copied without its hidden files, whose parts are read on trust.
    """

    batches: Mapping[str, Record]
    manifest: Manifest | None = None
    is_recorded: bool = True

    def digests(self, table: str, batch: str) -> list[str] | None:
        """Return the digests that a part may have, or None where there is no such part."""
        return self.batches.get(batch, {}).get(table)

    @property
    def finished(self) -> dict[str, Record]:
        """The batches all of whose parts have to be there: not one that is in the making, or was when a writer died."""
        return {
            batch: record
            for batch, record in self.batches.items()
            if self.manifest is None or not self.manifest.is_pending(batch)
        }


def known_parts(folder: Path) -> Known:
    """Return what is known of the parts of a run folder.

    Raises:
        RunError: its manifest cannot be trusted.
    """
    if (manifest := Manifest.read(folder)) is not None:
        return Known(batches=manifest.batches, manifest=manifest)
    return Known(batches=read_records(folder), is_recorded=has_records(folder))


def has_records(folder: Path) -> bool:
    """Return whether the run has a folder of checksum records."""
    return record_path(folder, "").parent.is_dir()


def read_records(folder: Path) -> dict[str, Record]:
    """Return all checksum records by batch; one that cannot be read is empty."""
    return {path.stem: read_record(folder, path.stem) for path in sorted(record_path(folder, "").parent.glob("*.json"))}


def read_record(folder: Path, batch: str) -> Record:
    """Return the admitted SHA-256 digests of each part of a batch; empty where the batch has no readable record."""
    try:
        record = read_document(RecordDocument, folder, HIDDEN, "checksums", f"{batch}.json")
    except (OSError, ValueError):
        return {}
    return {table: digests for table, digests in record.items() if digests}


def write_record(folder: Path, batch: str, record: Record) -> None:
    """Write a checksum record atomically."""
    path = record_path(folder, batch)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, record, staging=staging_folder(folder))


def record_path(folder: Path, batch: str) -> Path:
    """Return where the record of a batch stands."""
    return folder / HIDDEN / "checksums" / f"{batch}.json"


def part_path(folder: Path, table: str, batch: str) -> Path:
    """Return where a batch's part of a table stands; a whole table is the batch of its own name."""
    return folder / table / f"{batch}.parquet"


def mark_path(folder: Path, batch: str) -> Path:
    """Return the part of a batch that is written last."""
    return part_path(folder, batch if batch in WHOLE_TABLES else "fits", batch)


def staging_folder(folder: Path) -> Path:
    """Return where a run's writer writes files before it renames them into place; a crash's leftovers are deleted."""
    return folder / HIDDEN / "staging"
