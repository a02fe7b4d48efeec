"""``ro-crate-metadata.json``: what a published folder holds, as a research object in JSON-LD.

The form is RO-Crate 1.1 (Soiland-Reyes et al. 2022, Data Science 5:97).
Every file is an entity with its SHA-256, so that an edited one is found. Nothing binds this file itself: its digest is
printed, to be put where the folder is cited.
"""

from __future__ import annotations

import hashlib
import mimetypes
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from simstudy.errors import RunError
from simstudy.store.documents import MOST_BYTES, loaded, validated
from simstudy.store.inside import digest_inside, read_inside, said
from simstudy.store.manifest import Inside

METADATA = "ro-crate-metadata.json"
CONTEXT = ["https://w3id.org/ro/crate/1.1/context", {"sha256": "http://schema.org/sha256"}]
CONFORMS = "https://w3id.org/ro/crate/1.1"
ROOT, TOOL, RUNNING = "./", "#simstudy", "#run"
TYPES = {
    ".parquet": "application/vnd.apache.parquet",
    ".nc": "application/netcdf",
    ".md": "text/markdown",
    ".toml": "application/toml",
    ".tex": "application/x-tex",
    ".py": "text/x-python",
    ".cff": "application/yaml",
    ".jsonl": "application/jsonl",
}
UNLICENSED = "No license is given: ask the authors before you use it."


def metadata(
    folder: Path,
    names: Sequence[str],
    *,
    study: Mapping[str, Any],
    provenance: Mapping[str, Any],
    license_id: str | None,
) -> dict[str, Any]:
    """Return the metadata of a folder, whose files are there.

    Args:
        folder: the published folder.
        names: of its files.
        study: canonical study of the run.
        provenance: of the run.
        license_id: SPDX identifier, or None.
    """
    about = study["study"]
    descriptor = {
        "@id": METADATA,
        "@type": "CreativeWork",
        "conformsTo": {"@id": CONFORMS},
        "about": {"@id": ROOT},
    }
    root = {
        "@id": ROOT,
        "@type": "Dataset",
        "name": f"Simulation study {about['name']}",
        "description": about.get("aim")
        or f"The simulation study {about['name']}, its results and what they come from.",
        "datePublished": datetime.now(UTC).date().isoformat(),
        "license": {"@id": f"https://spdx.org/licenses/{license_id}"} if license_id else UNLICENSED,
        "hasPart": [{"@id": name} for name in names],
        "mentions": [{"@id": RUNNING}],
    }
    if "CITATION.cff" in names:
        root["citation"] = {"@id": "CITATION.cff"}
    licenses = [_license(license_id)] if license_id else []
    files = [_file(folder, name) for name in names]
    graph = [descriptor, root, *licenses, *_made(provenance), *files]
    return {"@context": CONTEXT, "@graph": graph}


def _license(name: str) -> dict[str, Any]:
    return {"@id": f"https://spdx.org/licenses/{name}", "@type": "CreativeWork", "name": name}


def _made(provenance: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the program that made the run, and the run as an action of it."""
    versions, sessions = provenance.get("versions", {}), provenance.get("sessions", [])
    tool = {
        "@id": TOOL,
        "@type": "SoftwareApplication",
        "name": "simstudy",
        "softwareVersion": versions.get("simstudy", "not recorded"),
        "softwareRequirements": ", ".join(f"{name} {version}" for name, version in versions.items()),
    }
    action = {
        "@id": RUNNING,
        "@type": "CreateAction",
        "name": "run of the study",
        "instrument": {"@id": TOOL},
        "object": {"@id": "run/study.json"},
        "result": {"@id": ROOT},
    }
    if sessions:
        ended = [session["ended"] for session in sessions if session.get("ended")]
        action |= {"startTime": sessions[0]["started"], "description": sessions[0]["command"]}
        action |= {"endTime": ended[-1]} if ended else {}
    return [tool, action]


def _file(folder: Path, name: str) -> dict[str, Any]:
    path = folder / name
    kind = TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    entity = {
        "@id": name,
        "@type": "File",
        "name": path.name,
        "encodingFormat": kind,
        "contentSize": str(path.stat().st_size),
        "sha256": digest_inside(folder, *name.split("/")),
    }
    return entity | ({"description": said} if (said := described(name)) else {})


def described(name: str) -> str:
    """Return what a file is, or an empty text where its folder says it.

    >>> described("performance.csv")
    'Performance of every method in every scenario, with Monte Carlo standard errors.'
    """
    return DESCRIBED.get(name) or next((text for start, text in FOLDERS.items() if name.startswith(start)), "")


DESCRIBED = {
    "README.md": "What the folder holds, and how it is checked.",
    "study.json": "The study as it was run, every default spelled out.",
    "study.toml": "The study file.",
    "provenance.json": "Versions, machine and sessions of the run.",
    "performance.csv": "Performance of every method in every scenario, with Monte Carlo standard errors.",
    "performance.parquet": "The same table as performance.csv, in Parquet.",
    "dictionary.csv": "What the columns and measures of the tables are.",
    "report.html": "The report of the run: one page that needs no network.",
    "protocol.md": "What the study does, in ADEMP terms, written from the run when it was published.",
    "deviations.md": "What was planned against what was done.",
    "failures.csv": "Fits that were lost or flagged, by class, scenario and method, and how they were handled.",
    "failures.md": "The same in words, with totals by method and class.",
    "CITATION.cff": "How to cite this.",
}
FOLDERS = {
    "run/estimates/": "Estimates of the fits, by block.",
    "run/fits/": "Fits, by block.",
    "run/chains/": "Chains, by block.",
    "run/groups/": "Groups of the simulated data, by block.",
    "run/timings/": "Timings, by block.",
    "run/draws/": "Draws of a fit.",
    "code/": "Python file that registers the models and mechanisms of the study. It is a program.",
    "registered/": "The protocol that was registered before the run.",
}


class _Entity(BaseModel):
    model_config = ConfigDict(strict=True, extra="allow")
    id: Annotated[str, Field(alias="@id", max_length=1000)]
    type: Annotated[str | list[str], Field(alias="@type")]


class _FileEntity(_Entity):
    id: Annotated[Inside, Field(alias="@id", min_length=1, max_length=1000)]
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class _Document(BaseModel):
    model_config = ConfigDict(strict=True, extra="allow")
    context: Annotated[Any, Field(alias="@context")]
    graph: Annotated[list[_Entity], Field(alias="@graph", max_length=1_000_000)]


def read_digests(folder: Path) -> dict[str, str]:
    """Return file -> SHA-256 of a published folder.

    Raises:
        RunError: the metadata cannot be read, or are none of a folder that simstudy published.
    """
    try:
        if (folder / METADATA).lstat().st_size > MOST_BYTES:
            raise ValueError(f"it is larger than {MOST_BYTES:,} bytes")
        document = validated(_Document, loaded(read_inside(folder, METADATA)))
        files = [entity for entity in document["@graph"] if entity["@type"] == "File"]
        if not files:
            raise ValueError("it names no file")
        return {entity["@id"]: validated(_FileEntity, entity)["sha256"] for entity in files}
    except (OSError, ValueError) as error:
        why = said(getattr(error, "strerror", None) or str(error))
        raise RunError(f"{said(folder / METADATA)} is not of a published folder ({why}); get the folder anew") from None


def seal(folder: Path) -> str:
    """Return the SHA-256 of the metadata, which covers all files of the folder."""
    return hashlib.sha256(read_inside(folder, METADATA)).hexdigest()
