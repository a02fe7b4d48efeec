"""Where a run's numbers come from: versions, machine, commit and seed, and each session that added to them.

Says what a reader needs to run the study again and to judge its speeds. It names no user, host or private folder.
"""

import ntpath
import os
import platform
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil

from simstudy.errors import RunError
from simstudy.store.atomic import write_json, writing
from simstudy.store.documents import ProvenanceDocument, read_document
from simstudy.store.inside import digest_inside, is_there, said
from simstudy.store.manifest import Manifest
from simstudy.store.records import staging_folder

PROVENANCE = "provenance.json"
PACKAGES = ("simstudy", "jax", "jaxlib", "numpyro", "numpy", "scipy", "numba", "pandas", "pyarrow")
CONDITIONS = ("versions", "machine", "commit")
GIT_SECONDS = 10
GIBIBYTE = 2**30


@contextmanager
def session(
    folder: Path,
    *,
    command: Sequence[str],
    seed: int,
    source: Path | None = None,
    packages: Sequence[str] = (),
    write: Callable[[Mapping[str, Any]], None] | None = None,
) -> Iterator[None]:
    """Record a session in the provenance of a run folder: when it began, when it ended and what it ran.

    A session that was killed has no end. Versions, machine and commit stand in a session where they changed.

    Args:
        folder: run folder.
        command: command line; of paths that lead out of the working folder only the last name is kept.
        seed: seed of the study.
        source: the study file or its folder, whose git commit is recorded.
        packages: installed packages whose versions count beside those that always do.
        write: replaces ``provenance.json``, as a writer does that binds it to its run.

    Raises:
        RunError: The provenance that is there cannot be read, or the folder cannot be written.
    """
    path = folder / PROVENANCE
    write = write or (lambda document: write_json(path, document, staging=staging_folder(folder)))
    before = _read(path) if is_there(path) else None
    here = {"versions": versions(*packages), "machine": machine(), "commit": commit(source or Path.cwd())}
    document: dict[str, Any] = before or {"seed": seed, **here, "sessions": []}
    changed = {name: here[name] for name in CONDITIONS if here[name] != _latest(document, name)}
    entry = {"started": _now(), "ended": None, "command": public_command(command), **changed}
    document.setdefault("sessions", []).append(entry)
    with writing(folder):
        write(document)
    try:
        yield
    finally:
        entry["ended"] = _now()
        with suppress(OSError):  # of a disk that is full, which has been said by whoever wrote to it last
            write(document)


def hold_provenance(folder: Path, manifest: Manifest) -> None:
    """Hold the provenance of a run that goes on to its manifest; one that is gone begins anew.

    Where a session died before its last line was followed by what it names, what is there is bound again, since other
    lines are to follow.

    Raises:
        RunError: it was edited, or is of another run.
    """
    if PROVENANCE not in manifest.files or not is_there(folder / PROVENANCE):
        return
    digest = digest_inside(folder, PROVENANCE)
    if digest not in manifest.files[PROVENANCE]:
        raise RunError(
            f"{said(folder / PROVENANCE)} is not as the run wrote it: it was edited, or is of another run; restore it "
            "from a copy, or move it away to begin anew"
        )
    if digest != manifest.files[PROVENANCE][-1]:
        manifest.add("file", PROVENANCE, **{PROVENANCE: digest})


def _read(path: Path) -> dict[str, Any]:
    try:
        recorded: dict[str, Any] = read_document(ProvenanceDocument, path.parent, path.name)
    except (OSError, ValueError) as error:
        why = said(getattr(error, "strerror", None) or str(error))
        raise RunError(
            f"{said(path)} is damaged ({why}); restore it from a copy, or move it away to begin anew"
        ) from None
    return recorded


def versions(*more: str) -> dict[str, str]:
    """Return the versions of Python, of the packages that numbers depend on and of ``more``, without importing them."""
    found = {"python": platform.python_version()}
    for package in (*PACKAGES, *more):
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def allowed_cores() -> list[int]:
    """Return the cores that this process may use; none where the system does not tell."""
    try:
        return sorted(os.sched_getaffinity(0))
    except (AttributeError, OSError):  # not on every system, and not in every sandbox
        return []


def machine() -> dict[str, Any]:
    """Return the kind of machine: processor, cores in it and open to this process, memory in GiB, platform."""
    cores = os.cpu_count()
    return {
        "processor": _processor(),
        "cores": cores,
        "cores_available": len(allowed_cores()) or cores,
        "memory_gib": round(psutil.virtual_memory().total / GIBIBYTE, 1),
        "platform": platform.platform(),
    }


def commit(source: Path) -> dict[str, Any] | None:
    """Return the git commit of a file's or folder's repository, and whether tracked files differ from it.

    Returns:
        ``{"id": 40 hex digits, "dirty": bool}``, or None outside a repository or without git.
    """
    folder = source if source.is_dir() else source.parent
    head = _git(folder, "rev-parse", "HEAD")
    if not head:
        return None
    return {"id": head, "dirty": bool(_git(folder, "status", "--porcelain", "--untracked-files=no"))}


def public_command(arguments: Sequence[str]) -> str:
    """Return a command line without private folders and addresses.

    >>> public_command(["/home/ada/.venv/bin/simstudy", "run", "studies/a.toml", "--out=/scratch/ada/a", "-n", "2"])
    'simstudy run studies/a.toml --out=a -n 2'
    >>> public_command(["simstudy", "run", "pooling", "--executor", "dask://10.0.0.7:8786"])
    'simstudy run pooling --executor dask://...'
    """
    return " ".join(_public(argument) for argument in arguments)


def _public(argument: str) -> str:
    option, equals, value = argument.rpartition("=")
    value = re.sub(r"://\S*", "://...", value)
    leads_out = os.path.isabs(value) or ntpath.isabs(value) or value.startswith(("..", "~"))
    return option + equals + (ntpath.basename(value.rstrip("/\\")) if leads_out else value)


def _latest(document: Mapping[str, Any], name: str) -> Any:
    changes = [entry[name] for entry in document.get("sessions", []) if name in entry]
    return changes[-1] if changes else document.get(name)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists() and (named := re.search(r"^model name\s*:\s*(.+)$", cpuinfo.read_text(), re.MULTILINE)):
        return named[1].strip()
    if platform.system() == "Darwin" and (name := _output(["sysctl", "-n", "machdep.cpu.brand_string"])):
        return name
    return platform.processor() or platform.machine()


def _git(folder: Path, *arguments: str) -> str | None:
    return _output(["git", "-C", str(folder), *arguments])


def _output(command: list[str]) -> str | None:
    """Return what a program prints, or None where it is not installed or fails."""
    program = shutil.which(command[0])
    if program is None:
        return None
    try:
        done = subprocess.run(  # noqa: S603 - a fixed program, no shell
            [program, *command[1:]], capture_output=True, text=True, timeout=GIT_SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
