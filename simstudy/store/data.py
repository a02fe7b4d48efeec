"""The data of a run on a user's own data set: ``data.parquet``, which its manifest binds to the study.

It holds the columns that the study uses, as texts and numbers, so that a fit can be made again without the original
file. Leaves to others what the columns mean.
"""

import hashlib
from pathlib import Path

import pyarrow as pa

from simstudy.errors import RunError
from simstudy.store.atomic import publish, stage
from simstudy.store.inside import digest_inside, is_there, read_inside, said
from simstudy.store.manifest import Manifest
from simstudy.store.parts import encode
from simstudy.store.records import staging_folder

DATA = "data.parquet"


def put_data(folder: Path, rows: pa.Table, manifest: Manifest) -> None:
    """Put the data of a run on disk; what is there and not as it was is replaced."""
    content = encode(rows)
    digest = hashlib.sha256(content).hexdigest()
    if manifest.files.get(DATA, [""])[-1] == digest == digest_inside(folder, DATA):
        return
    staged = stage(staging_folder(folder), content)
    manifest.add("file", DATA, **{DATA: digest})
    publish(staged, folder / DATA)


def kept_data(folder: Path) -> bytes | None:
    """Return the Parquet file of a run's data, or None where the run has none.

    Raises:
        RunError: it is missing, damaged or of another run, or cannot be read.
    """
    manifest = Manifest.read(folder)
    if not is_there(folder / DATA):
        if manifest is None or DATA not in manifest.files:
            return None
        raise RunError(f"{said(folder / DATA)} is missing; restore it from a copy, or name the folder of the data file")
    try:
        content = read_inside(folder, DATA)
    except OSError as error:
        raise RunError(f"{said(folder / DATA)} cannot be read ({error.strerror or said(str(error))})") from None
    if manifest is not None and hashlib.sha256(content).hexdigest() not in manifest.files.get(DATA, []):
        raise RunError(
            f"{said(folder / DATA)} is not as the run wrote it: it was edited, or is of another run; restore it from a "
            "copy, or name the folder of the data file"
        )
    return content


def is_foreign(folder: Path, manifest: Manifest | None) -> bool:
    """Return whether a folder holds data that no line of its manifest names."""
    return manifest is not None and DATA not in manifest.files and is_there(folder / DATA)
