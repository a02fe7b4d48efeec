"""The files of a published folder: which of a run are copied, and whether they are as they were published.

The folder may have come from anyone: no link is followed in it, and no name leads out of it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from simstudy.crate.metadata import METADATA, read_digests
from simstudy.errors import RunError
from simstudy.store.inside import digest_inside, is_there, read_inside, said
from simstudy.store.manifest import HIDDEN, WHOLE_TABLES, Manifest

RUN = "run"
"""Folder of the copy of the run."""
MOST_DEEP = 32
PLAIN = ("study.json", "provenance.json", "description.json")


def copy_run(source: Path, target: Path) -> None:
    """Copy what a run's manifest names, and the manifest; what can be made again is left behind.

    Raises:
        RunError: the run has no manifest.
        OSError: a file cannot be read or written.
    """
    manifest = Manifest.read(source)
    if manifest is None:
        raise RunError(
            f"{said(source)} has no manifest, so that nothing binds what would be published; run its study with --out "
            f"{said(source)} again, which gives it one"
        )
    names = [*PLAIN, *manifest.files, f"{HIDDEN}/manifest.jsonl"]
    for batch, tables in manifest.batches.items():
        names += [f"{batch if batch in WHOLE_TABLES else table}/{batch}.parquet" for table in tables]
        names.append(f"{HIDDEN}/checksums/{batch}.json")
    for name in dict.fromkeys(names):
        if is_there(source / name):
            write(target / name, read_inside(source, *name.split("/")))


def write(path: Path, content: bytes) -> None:
    """Write a new file, and the folders that it lies in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as file:
        file.write(content)


def names_in(folder: Path) -> Iterator[str]:
    """Yield the files of a folder by their names inside it, in alphabetical order; links are among them."""
    yield from _names(folder, (), depth=0)


def find_changes(folder: Path) -> list[str]:
    """Return what of a published folder is not as it was published, a line each.

    Raises:
        RunError: its metadata are none.
    """
    digests = read_digests(folder)
    there = [name for name in names_in(folder) if name != METADATA]
    problems = [f"{said(name)} is no part of what was published" for name in there if name not in digests]
    for name, digest in digests.items():
        if not is_there(folder / name):
            problems.append(f"{said(name)} is missing")
        elif digest_inside(folder, *name.split("/")) != digest:
            problems.append(f"{said(name)} is not as it was published")
    return problems


def _names(folder: Path, inside: tuple[str, ...], *, depth: int) -> Iterator[str]:
    if depth > MOST_DEEP:
        raise RunError(f"{said(folder)}: folders more than {MOST_DEEP} deep, which nothing that is published has")
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            place = (*inside, entry.name)
            if entry.is_dir(follow_symlinks=False):
                yield from _names(Path(entry.path), place, depth=depth + 1)
            else:
                yield "/".join(place)
