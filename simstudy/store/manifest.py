"""The manifest of a run: a line for everything that was written, each with the digest of the line before it.

``.simstudy/manifest.jsonl`` binds the study, the description, the provenance, every part and the kept draws to one run:
a changed study, a lost block, and a block of another run, record and all, are found. A line is written before what it
names, so that a writer may be killed at any moment: what the last line names may be there or not, or be what it
replaces. Kept draws alone are named once they are there, before the block that they belong to. ``end`` says that all
before it is there. Runs made before there were manifests have none, and get one when they are next written to.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from simstudy.errors import RunError
from simstudy.store.atomic import publish, stage
from simstudy.store.inside import read_inside, said

HIDDEN = ".simstudy"
FILE = "manifest.jsonl"
WHOLE_TABLES = ("scenarios", "methods", "estimands", "labels", "levels", "cells")

Record = dict[str, list[str]]
Kind = Literal["file", "batch", "draws", "aside", "end"]
_STEP = r"(?:\.?[^/\\.\x00][^/\\\x00]*|\.\.[^/\\\x00]+)"
Inside = Annotated[str, StringConstraints(pattern=rf"^(?:{_STEP}(?:/{_STEP})*)?$")]
"""A name that leads to nothing outside of the run: steps that are not ``..``, none from the root."""


class Entry(BaseModel):
    """One line.

    Args:
        kind: ``file`` for a JSON file or the data, ``batch`` for parts, ``draws`` for files of kept draws, ``aside``
            for a batch that was set aside, ``end`` where a writer closed the run.
        name: of the file or batch; of the batch that draws belong to.
        digests: part's table, the file's own name, or the paths of draws inside the run -> SHA-256.
        before: SHA-256 of the line before; empty in the first.
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)
    kind: Kind
    name: Inside = ""
    digests: dict[Inside, str] = {}
    before: str

    @property
    def line(self) -> bytes:
        """The line as it is written."""
        return json.dumps(self.model_dump(), sort_keys=True, ensure_ascii=True).encode() + b"\n"


@dataclass
class Manifest:
    """What a run's manifest says, as it stood when it was read.

    Args:
        folder: run folder.
        batches: batch -> table -> the digests that its part may have, the last one first in force.
        files: JSON file, the data, or a file of kept draws -> the digests that it may have.
        aside: batches that were set aside and have not come back.
        last: the last line, or None.
    """

    folder: Path
    batches: dict[str, Record] = field(default_factory=dict)
    files: dict[str, list[str]] = field(default_factory=dict)
    aside: set[str] = field(default_factory=set)
    last: Entry | None = None
    _digest: str = ""
    _length: int = 0
    _last_start: int = 0

    @classmethod
    def read(cls, folder: Path) -> "Manifest | None":
        """Return the manifest of a run folder, or None where it has none. A line that was cut short is left out.

        Raises:
            RunError: it cannot be read, or its lines do not follow from each other.
        """
        try:
            content = read_inside(folder, HIDDEN, FILE)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise RunError(_damaged(folder, error.strerror or str(error))) from None
        manifest = cls(folder)
        for number, line in enumerate(content.split(b"\n")[:-1], start=1):
            try:
                entry = Entry.model_validate_json(line)
            except ValidationError:
                raise RunError(_damaged(folder, f"line {number} is no entry")) from None
            if entry.before != manifest._digest:
                raise RunError(_damaged(folder, f"line {number} does not follow from the line before it"))
            manifest._take(entry, line + b"\n")
        if manifest.last is None:
            raise RunError(_damaged(folder, "it is empty"))
        return manifest

    @classmethod
    def begin(cls, folder: Path, files: Mapping[str, str], batches: Mapping[str, Record]) -> "Manifest":
        """Write the first lines of a manifest in the place of any that is there, at once or not at all.

        Args:
            folder: run folder.
            files: JSON file -> its digest.
            batches: blocks and whole tables that are there.
        """
        manifest, lines = cls(folder), []
        entries = [("file", name, {name: digest}) for name, digest in files.items()]
        entries += [("batch", name, {t: digests[-1] for t, digests in r.items()}) for name, r in batches.items()]
        for kind, name, digests in entries:
            entry = Entry.model_validate({"kind": kind, "name": name, "digests": digests, "before": manifest._digest})
            lines.append(entry.line)
            manifest._take(entry, entry.line)
        publish(stage(folder / HIDDEN / "staging", b"".join(lines)), folder / HIDDEN / FILE)
        return manifest

    def add(self, kind: Kind, name: str = "", **digests: str) -> None:
        """Write a line, flushed to the disk; what a writer that was killed has left of a line is overwritten.

        Raises:
            OSError: the disk does not take it; the manifest is then as it was.
        """
        entry = Entry(kind=kind, name=name, digests=digests, before=self._digest)
        flags = os.O_WRONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        descriptor = os.open(self.folder / HIDDEN / FILE, flags)
        try:
            os.ftruncate(descriptor, self._length)
            os.lseek(descriptor, self._length, os.SEEK_SET)
            try:
                _write_all(descriptor, entry.line)
                os.fsync(descriptor)
            except BaseException:
                os.ftruncate(descriptor, self._length)
                raise
        finally:
            os.close(descriptor)
        self._take(entry, entry.line)

    def undo(self) -> None:
        """Take the last line back, since nothing of what it names has been put in place.

        Raises:
            OSError: the disk does not take it.
        """
        if self.last is None:
            return
        descriptor = os.open(self.folder / HIDDEN / FILE, os.O_WRONLY | getattr(os, "O_NOFOLLOW", 0))
        try:
            os.ftruncate(descriptor, self._last_start)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if (before := Manifest.read(self.folder)) is not None:
            self.__dict__.update(before.__dict__)

    def is_pending(self, name: str) -> bool:
        """Return whether a file or batch is what the last line names, so that it may not be there yet."""
        return self.last is not None and self.last.kind in ("file", "batch") and self.last.name == name

    def _take(self, entry: Entry, line: bytes) -> None:
        self._settle()
        if entry.kind == "file":
            known = self.files.get(entry.name, [])
            self.files[entry.name] = [*known[-1:], *entry.digests.values()]
        elif entry.kind == "draws":
            self.files.update({path: [digest] for path, digest in entry.digests.items()})
        elif entry.kind == "batch":
            known_parts = self.batches.get(entry.name, {}) if entry.name in WHOLE_TABLES else {}
            self.batches[entry.name] = {t: [*known_parts.get(t, [])[-1:], d] for t, d in entry.digests.items()}
            self.aside.discard(entry.name)
        elif entry.kind == "aside":
            self.batches.pop(entry.name, None)
            self.aside.add(entry.name)
        self.last, self._digest = entry, hashlib.sha256(line).hexdigest()
        self._last_start, self._length = self._length, self._length + len(line)

    def _settle(self) -> None:
        """What the last line replaced is gone once another line follows."""
        if self.last is None or not self.is_pending(name := self.last.name):
            return
        if self.last.kind == "file":
            self.files[name] = self.files[name][-1:]
        else:
            self.batches[name] = {table: digests[-1:] for table, digests in self.batches[name].items()}


def _write_all(descriptor: int, content: bytes) -> None:
    while content:
        content = content[os.write(descriptor, content) :]


def _damaged(folder: Path, why: str) -> str:
    return (
        f"{said(folder / HIDDEN / FILE)} cannot be trusted ({why}); restore the run from a copy, or move this file "
        "away: the run is then read as one that has no manifest"
    )
