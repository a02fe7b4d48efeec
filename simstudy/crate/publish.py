"""A run as a folder for an archive: what was planned, done and found, and enough of it that anyone can check.

The folder is made beside its place and moved there whole. It holds a copy of all that the run's manifest names.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from simstudy.crate.deviations import Registered, deviations, deviations_text, registered_in
from simstudy.crate.dictionary import dictionary
from simstudy.crate.files import RUN, copy_run, names_in, write
from simstudy.crate.losses import losses_csv, losses_text
from simstudy.crate.metadata import METADATA, metadata, seal
from simstudy.errors import StudyError, shown
from simstudy.measures.labeled import labeled
from simstudy.measures.performance import performance as score
from simstudy.measures.policies import Policy
from simstudy.report import preregistration, write_report
from simstudy.store import Run
from simstudy.store.atomic import canonical_json, writing
from simstudy.store.csv_text import to_csv
from simstudy.store.incoming import open_file
from simstudy.store.inside import read_inside, said
from simstudy.store.opening import RunSource, open_folder
from simstudy.store.parts import encode, factor_table

LARGEST_FILE = 50_000_000
SPDX = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+-]{0,63}")
POLICIES: list[Policy] = ["available", "unflagged"]


@dataclass(frozen=True, kw_only=True)
class Published:
    """A published folder.

    Args:
        folder: where it is.
        n_files: how many files it has beside its metadata.
        seal: SHA-256 of ``ro-crate-metadata.json``, which covers all of them.
    """

    folder: Path
    n_files: int
    seal: str


@dataclass(frozen=True, kw_only=True)
class _Stored:
    """A run as the study that it was, for a protocol: what it says of itself, and nothing of its programs."""

    run: Run

    @property
    def canonical(self) -> Mapping[str, Any]:
        return self.run.study

    @property
    def description(self) -> Mapping[str, Any]:
        return self.run.description

    @property
    def simulated(self) -> Mapping[str, Any]:
        """Estimands as they are stored, where a part is a user's; its programs are not here to be read."""
        from simstudy.mechanisms import MECHANISMS  # with JAX

        kind, extensions = self.run.study["mechanism"]["kind"], self.run.study.get("extensions", {})
        is_own = not isinstance(MECHANISMS.get(kind), type) and f"mechanism {kind}" not in extensions
        if not is_own and not any(method.get("model") for method in self.run.study["methods"]):
            return {}
        rows = next(iter(self.run.parts("estimates", ["estimand", "group", "truth"])))
        sizes = rows.groupby(rows["estimand"].astype(str), sort=False)["group"].max().fillna(0) + 1
        estimates = {str(name): int(n) for name, n in sizes.items()}
        truth = {str(name): estimates[str(name)] for name in rows.loc[rows["truth"].notna(), "estimand"].unique()}
        return {"mechanism": is_own, "truth": truth, "estimates": estimates, "programs": {}}

    def estimand_rows(self) -> list[dict[Any, Any]]:
        return self.run.estimands.to_dict("records")

    def level_rows(self) -> list[dict[Any, Any]]:
        return self.run.levels.to_dict("records")

    def method_rows(self) -> list[dict[Any, Any]]:
        return self.run.methods.to_dict("records")


def publish(
    run: RunSource,
    *,
    out: str | os.PathLike[str],
    study: str | os.PathLike[str] | None = None,
    protocol: str | os.PathLike[str] | None = None,
    code: Sequence[str | os.PathLike[str]] = (),
    citation: str | os.PathLike[str] | None = None,
    license_id: str | None = None,
) -> Published:
    """Write a run as a research object (RO-Crate 1.1) that another machine can check with ``verify``.

    Args:
        run: the run, or its folder; it is not changed.
        out: the folder to write, which is not there yet.
        study: the study file that was planned; what was done otherwise is listed.
        protocol: the protocol that was registered, of any form that ``simstudy protocol`` writes.
        code: Python files that register the study's models and mechanisms, which are copied and not run.
        citation: a CITATION.cff.
        license_id: SPDX identifier of the license, such as CC-BY-4.0.

    Returns:
        Where it is, and its seal.

    Raises:
        RunError: the run is not as its writer left it, or has no manifest, or the folder cannot be written.
        StudyError: a file is not what it is given for, or the folder is there.
    """
    target, place = Path(out), Path(run) if isinstance(run, str | os.PathLike) else open_folder(run).folder
    _check_place(target, place)
    if license_id is not None and not SPDX.fullmatch(license_id):
        raise StudyError(f"--license: expected an SPDX identifier such as CC-BY-4.0, got {shown(license_id)}")
    files = dict(_given(study=study, protocol=protocol, code=code, citation=citation))
    registered = None
    if protocol is not None:
        name = Path(protocol).name
        registered = registered_in(files[f"registered/{name}"], name=name)
    run = Run.open(place)
    planned = _planned(study) if study is not None else None
    run.verify()
    with writing(target.parent), _made(target) as folder:
        copy_run(run.folder, folder / RUN)
        run = Run.open(folder / RUN)
        run.verify()
        for name, content in {**files, **_told(run, planned, registered)}.items():
            write(folder / name, content)
        _write_pages(run, folder)
        names = list(names_in(folder))
        said_of = metadata(folder, names, study=run.study, provenance=run.provenance, license_id=license_id)
        write(folder / METADATA, f"{canonical_json(said_of)}\n".encode())
        sealed = seal(folder)
    return Published(folder=target, n_files=len(names), seal=sealed)


def _check_place(target: Path, run: Path) -> None:
    if target.exists() or target.is_symlink():
        raise StudyError(f"--out {said(target)}: is there already; give the name of a new folder")
    if not target.parent.is_dir():
        raise StudyError(f"--out {said(target)}: there is no folder {shown(str(target.parent))}; make it first")
    if target.resolve().is_relative_to(run.resolve()):
        raise StudyError(f"--out {said(target)}: lies in the run, which is not changed; give a folder outside of it")


def _planned(study: str | os.PathLike[str]) -> Mapping[str, Any]:
    from simstudy.study.study import Study  # with JAX

    return Study.from_toml(Path(study)).canonical


def _given(
    *,
    study: str | os.PathLike[str] | None,
    protocol: str | os.PathLike[str] | None,
    code: Sequence[str | os.PathLike[str]],
    citation: str | os.PathLike[str] | None,
) -> Iterator[tuple[str, bytes]]:
    """Yield the files that the user gave, by their names in the folder."""
    if study is not None:
        yield "study.toml", _read("--study", study)
    if protocol is not None:
        yield f"registered/{_plain_name('--protocol', protocol)}", _read("--protocol", protocol)
    names = [_plain_name("--load", path) for path in code]
    if len(set(names)) < len(names):
        raise StudyError("--load: two files have the same name; give files of different names")
    for name, path in zip(names, code, strict=True):
        yield f"code/{name}", _read("--load", path)
    if citation is not None:
        yield "CITATION.cff", _read("--citation", citation)


def _plain_name(option: str, path: str | os.PathLike[str]) -> str:
    name = Path(path).name
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", name):
        raise StudyError(f"{option} {said(name)}: expected a name of letters, digits, '_', '.' and '-'")
    return name


def _read(option: str, path: str | os.PathLike[str]) -> bytes:
    try:
        with open_file(Path(path)) as file:
            content = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise StudyError(f"{option} {said(Path(path))}: {error.strerror}") from None
    if len(content) > LARGEST_FILE:
        raise StudyError(f"{option} {said(Path(path))}: has more than {LARGEST_FILE:,} bytes; expected a text")
    return content


@contextmanager
def _made(target: Path) -> Iterator[Path]:
    """Give a folder beside the target, which is moved there once it is whole."""
    folder = target.parent / f".{uuid4().hex}.tmp"
    folder.mkdir()
    try:
        yield folder
        os.rename(folder, target)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _told(run: Run, planned: Mapping[str, Any] | None, registered: Registered | None) -> dict[str, bytes]:
    """Return what is written of the run, as texts."""
    table = deviations(run, planned=planned, registered=registered)
    return {
        "study.json": read_inside(run.folder, "study.json"),
        **({"provenance.json": canonical_json(run.provenance).encode() + b"\n"} if run.provenance else {}),
        "protocol.md": _protocol(run).encode(),
        "deviations.md": deviations_text(table, run, planned=planned).encode(),
        "failures.csv": losses_csv(run).encode(),
        "failures.md": losses_text(run).encode(),
        "README.md": _readme(run).encode(),
    }


def _protocol(run: Run) -> str:
    """Return the protocol of the run's study; of users' parts what their programs say, where they are registered."""
    from simstudy.study.opening import study_of  # with JAX

    if any(method.get("model") for method in run.study["methods"]):
        try:
            return preregistration(study_of(run))
        except StudyError:
            pass  # what is not registered is told as far as the run tells it
    return preregistration(_Stored(run=run))


def _write_pages(run: Run, folder: Path) -> None:
    """Write performance, its dictionary and the report."""
    table = score(run, policy=POLICIES)
    named = labeled(table, run)
    write(folder / "performance.csv", to_csv(named).encode())
    write(folder / "performance.parquet", encode(factor_table(named, fixed=())))
    write(folder / "dictionary.csv", to_csv(dictionary(named)).encode())
    write_report(run, table[table["policy"] == POLICIES[0]].reset_index(drop=True), folder / "report.html")


def _readme(run: Run) -> str:
    name = str(run.study["study"]["name"])
    has_own = any(method.get("model") for method in run.study["methods"])
    load = " --load code/FILE.py" if has_own else ""
    warning = (
        "\nThe models of this study are programs. `--load` runs the file that it names, with all your rights: read it "
        "first, and load none that you would not run as a script.\n"
        if has_own
        else ""
    )
    return f"""# Simulation study {name}

| | |
|---|---|
| `report.html` | the report: one page that needs no network |
| `performance.csv`, `.parquet` | every measure with its Monte Carlo standard error; `dictionary.csv` says what the \
columns and measures are |
| `protocol.md`, `registered/` | what the study does, and what was registered before, if it was |
| `deviations.md` | what was planned against what was done |
| `failures.md`, `.csv` | fits that were lost or flagged, by class, and how they were handled |
| `study.json`, `study.toml`, `provenance.json` | the study as it was run, its file if there is one, and the versions \
and machine |
| `run/` | the tables of the run, as `simstudy.Run.open("run")` reads them |
| `{METADATA}` | all files with their SHA-256 (RO-Crate 1.1) |

To check it, in this folder, where simstudy is installed:

```
simstudy verify . --fits 100{load}
```

holds every file to its SHA-256 and simulates and fits 100 random data sets again.
{warning}"""
