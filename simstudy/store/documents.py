"""The JSON files of a run, each with one validator: what is read from them has the types that readers count on.

Keys that a validator does not name are let through, since a later version may write them.
"""

import json
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, RootModel, ValidationError

from simstudy.store.inside import read_inside

MOST_BYTES = 100_000_000
MOST_NESTED = 50


class _Document(BaseModel):
    model_config = ConfigDict(strict=True, extra="allow", allow_inf_nan=False)


class StudyTable(_Document):
    """``study`` of a canonical study."""

    name: str
    seed: int
    aim: str | None = None
    replicates: Annotated[int, Field(ge=0)] | None = None
    kind: str | None = None


class KindTable(_Document):
    """``mechanism`` of a canonical study, or a ``sampler``."""

    kind: str


class MethodTable(_Document):
    """One of ``methods`` of a canonical study."""

    name: str
    sampler: KindTable | None = None
    priors: dict[str, Any] | None = None


class SummaryTable(_Document):
    """``summary`` of a canonical study."""

    levels: list[Annotated[float, Field(gt=0, lt=1)]]


class StudyDocument(_Document):
    """``study.json``."""

    study: StudyTable
    mechanism: KindTable
    methods: Annotated[list[MethodTable], Field(min_length=1)]
    summary: SummaryTable
    diagnostics: dict[str, float | None]
    extensions: dict[str, str] = {}


class ProvenanceDocument(_Document):
    """``provenance.json``; a stored baseline has its versions alone."""

    seed: int | None = None
    versions: dict[str, str] = {}
    machine: dict[str, Any] | None = None
    commit: dict[str, Any] | None = None
    sessions: list["SessionTable"] = []


class SessionTable(_Document):
    """One of ``sessions``."""

    started: str
    ended: str | None = None
    command: str
    versions: dict[str, str] = {}
    machine: dict[str, Any] | None = None
    commit: dict[str, Any] | None = None


class MechanismWords(_Document):
    """``mechanism`` of a description."""

    words: str | None = None
    likelihood: str | None = None
    effects: str | None = None
    symbols: dict[str, str] = {}
    has_fixed_data: bool | None = None
    has_normal_means: bool | None = None


class ExtensionWords(_Document):
    """One of ``extensions`` of a description."""

    part: str
    words: str
    source: str
    package: str


class DescriptionDocument(_Document):
    """``description.json``."""

    mechanism: MechanismWords = MechanismWords()
    methods: dict[str, dict[str, Any]] = {}
    extensions: list[ExtensionWords] = []


class RecordDocument(RootModel[dict[str, list[str]]]):
    """A checksum record: table -> the digests that its part may have."""


class WriterDocument(_Document):
    """``writer.json``: who writes a run now."""

    pid: int
    machine: str


def read_document(model: type[BaseModel], folder: Path, *names: str) -> Any:
    """Return the JSON value of a file of a run, held to its validator.

    Raises:
        FileNotFoundError: there is none.
        OSError: it cannot be read, or is a link or no plain file.
        ValueError: it is no JSON, or not of these types; says what is wrong in a line.
    """
    content = read_inside(folder, *names)
    return validated(model, loaded(content))


def loaded(content: bytes) -> Any:
    """Return the value of a JSON text of bounded size and depth.

    Raises:
        ValueError: it is none.
    """
    if len(content) > MOST_BYTES:
        raise ValueError(f"it has {len(content)} bytes; expected at most {MOST_BYTES}")
    try:
        value = json.loads(content)
        json.dumps(value, ensure_ascii=False).encode()  # half a character, which no page could show
    except UnicodeError:
        raise ValueError("it is no text in UTF-8") from None
    except RecursionError:
        raise ValueError(f"it is nested more than {MOST_NESTED} deep") from None
    if _depth(value) > MOST_NESTED:
        raise ValueError(f"it is nested more than {MOST_NESTED} deep")
    return value


def validated(model: type[BaseModel], value: Any) -> Any:
    """Return a value that has the types of a validator, as it is.

    Raises:
        ValueError: it has not; names the first place.
    """
    try:
        model.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"])[:100]
        message = first["msg"].removeprefix("Input should be ").replace("Field required", "a value")
        raise ValueError(f"{ascii(place) if place else 'it'}: expected {message}") from None
    return value


def _depth(value: Any) -> int:
    depth, layer = 0, [value]
    while layer and depth <= MOST_NESTED:
        depth += 1
        inner = [v.values() if isinstance(v, dict) else v for v in layer if isinstance(v, dict | list)]
        layer = [item for items in inner for item in items]
    return depth
