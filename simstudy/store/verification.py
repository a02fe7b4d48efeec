"""Whether a run folder is what its run wrote: what is missing, foreign, edited or unreadable, a line each."""

from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel

from simstudy.errors import RunError
from simstudy.store.blocks import committed_batches
from simstudy.store.documents import DescriptionDocument, ProvenanceDocument, read_document
from simstudy.store.inside import refuse_links, said
from simstudy.store.manifest import HIDDEN, Manifest
from simstudy.store.recovery import NO_MANIFEST, find_problems
from simstudy.store.run import STUDY, opened, read_study

OPTIONAL: dict[str, type[BaseModel]] = {"provenance.json": ProvenanceDocument, "description.json": DescriptionDocument}


def verify(folder: str | Path) -> list[str]:
    """Return what of a run folder is not what its run wrote, a line each; every part is read.

    Raises:
        RunError: it is no run folder.
    """
    folder = Path(folder)
    if not (folder / STUDY).is_file() and not (folder / HIDDEN).is_dir():
        read_study(folder)
    return list(dict.fromkeys(_problems(folder)))


def _problems(folder: Path) -> Iterator[str]:
    for check in (refuse_links, read_study):
        try:
            check(folder)
        except RunError as error:
            yield str(error)
    try:
        if (manifest := Manifest.read(folder)) is None:
            yield NO_MANIFEST
        yield from find_problems(folder)
    except (RunError, OSError) as error:
        yield said(str(error))
        return
    yield from _unreadable(folder, manifest)
    if committed_batches(folder):
        try:
            opened(folder).require_groups()
        except RunError as error:
            yield str(error)


def _unreadable(folder: Path, manifest: Manifest | None) -> Iterator[str]:
    for name, model in OPTIONAL.items():
        try:
            read_document(model, folder, name)
        except FileNotFoundError:
            continue
        except (OSError, ValueError) as error:
            if manifest is None or name not in manifest.files:
                yield f"{said(name)} cannot be read ({said(getattr(error, 'strerror', None) or str(error))})"
