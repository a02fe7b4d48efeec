"""Study files: TOML or a mapping of the same form -> validated sections. Text is parsed, never evaluated.

Pydantic checks each section after lists have been taken apart, so that a message names one key and one value. Unknown
keys are refused with the nearest valid name.
"""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from simstudy.errors import StudyError, named, shown, suggestion
from simstudy.store.schema import interval_columns
from simstudy.study.refusals import refusal

LARGEST_FILE = 10_000_000  # bytes; a study file has some hundreds
MOST_GROUPS, MOST_OBSERVATIONS = 100_000, 100_000_000
MOST_LEVELS = 20


def _on_one_line(text: str) -> str:
    if not text.isprintable():
        raise ValueError("text without control characters")
    return text


def _of_lines(text: str) -> str:
    return "\n".join(map(_on_one_line, text.split("\n")))


def _of_a_folder(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", text):
        raise ValueError("letters, digits, '.', '_' and '-', a letter or digit first")
    return text


def _apart(levels: tuple[float, ...]) -> tuple[float, ...]:
    names = [interval_columns(level)[1] for level in sorted(set(levels))]
    if len(set(names)) < len(names):
        raise ValueError("levels that differ in six digits, since columns are named by them")
    return levels


Name = Annotated[str, Field(min_length=1, max_length=80), AfterValidator(_on_one_line)]
Size = Annotated[int, Field(ge=1, le=MOST_OBSERVATIONS)]
PriorText = str | float
SectionT = TypeVar("SectionT", bound="Section")


class Section(BaseModel):
    """A section of a study file: unknown keys are errors, and no value is silently converted."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, allow_inf_nan=False, arbitrary_types_allowed=True
    )


class StudySection(Section):
    """``[study]``: what the study is, and how large."""

    name: Annotated[str, Field(max_length=80), AfterValidator(_of_a_folder)]
    aim: Annotated[str, AfterValidator(_of_lines)] = ""
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    replicates: Annotated[int, Field(ge=1, le=10_000_000)] = 100
    kind: Literal["simulation", "calibration"] = "simulation"
    common_random_numbers: bool = False


class MechanismSection(Section):
    """``[mechanism]`` at one level of each factor, for the simulated mechanisms."""

    kind: str
    likelihood: Literal["normal", "normal_known_se", "binomial"] = "normal"
    groups: Annotated[int, Field(ge=1, le=MOST_GROUPS)] | None = None
    group_size: Size | None = None
    sizes: Annotated[tuple[Size, ...], Field(max_length=MOST_GROUPS)] | None = None
    effects: Literal["random", "fixed"] = "random"
    mu: PriorText = 0.0
    tau: PriorText = 1.0
    sigma: PriorText = 1.0
    omega: PriorText = 0.5
    sigma_by: Literal["shared", "group", "hierarchical"] = "shared"
    standard_error: Annotated[float, Field(gt=0)] | None = None
    standard_errors: Annotated[tuple[Annotated[float, Field(gt=0)], ...], Field(max_length=MOST_GROUPS)] | None = None
    df: float | None = None
    weight: float | None = None
    separation: float | None = None


class DatasetSection(Section):
    """``[mechanism]`` of kind ``dataset``."""

    kind: Literal["dataset"]
    data: str
    group: str | None = None
    value: str | None = None
    standard_error: str | None = None
    successes: str | None = None
    trials: str | None = None
    truth: str | None = None


class MethodSection(Section):
    """``[[method]]`` at one value of each of its lists."""

    name: Name
    model: Any = None
    structure: Literal["none", "complete", "partial"] | None = None
    parameterization: Literal["centered", "noncentered"] | None = None
    likelihood: Literal["normal", "normal_known_se", "binomial"] | None = None
    sigma_by: Literal["shared", "group", "hierarchical"] | None = None
    observations: Literal["sufficient", "raw"] = "sufficient"
    priors: dict[str, PriorText] = {}
    sampler: dict[str, Any] = {}


class SamplerSection(Section):
    """``[sampler]``, or a method's own, at one value of each of its lists."""

    kind: str
    chains: Annotated[int, Field(ge=1, le=1024)] = 4
    warmup: Annotated[int, Field(ge=0, le=10_000_000)] = 500
    draws: Annotated[int, Field(ge=4, le=10_000_000)] = 500
    target_accept: Annotated[float, Field(gt=0, lt=1)] = 0.8
    max_treedepth: Annotated[int, Field(ge=1, le=20)] = 10
    precision: Literal["float32", "float64"] = "float32"


Level = Annotated[float, Field(gt=0, lt=1)]


class SummarySection(Section):
    """``[summary]``: levels of the central posterior intervals that are stored."""

    levels: Annotated[tuple[Level, ...], Field(min_length=1, max_length=MOST_LEVELS), AfterValidator(_apart)] = (
        0.5,
        0.8,
        0.9,
        0.95,
    )


class DiagnosticsSection(Section):
    """``[diagnostics]``: thresholds that flag a fit when scoring; no fit is deleted."""

    max_rhat: Annotated[float, Field(ge=1)] = 1.01
    min_ess: Annotated[float, Field(ge=0)] = 400
    max_divergence_rate: Annotated[float, Field(ge=0, le=1)] = 0.0


SECTIONS = ("study", "mechanism", "method", "sampler", "summary", "diagnostics")


def read_study_file(path: Path) -> dict[str, Any]:
    """Return the contents of a study file.

    Raises:
        StudyError: the file is missing, too large, no text, or no TOML; the message names the line.
    """
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise StudyError(f"{path}: cannot read the study file: {error.strerror}") from error
    if len(content) > LARGEST_FILE:
        raise StudyError(f"{path}: expected a study file of at most {LARGEST_FILE:,} bytes; is this a table?")
    try:
        return tomllib.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise StudyError(f"{path}: expected a TOML file in UTF-8, got bytes that are no text") from error
    except RecursionError as error:
        raise StudyError(f"{path}: expected a TOML file: brackets are nested too deeply") from error
    except ValueError as error:
        raise StudyError(f"{path}: expected a TOML file: {str(error).partition(';')[0]}") from error


def check_sections(contents: Mapping[str, Any]) -> None:
    """Check that a study has the sections it needs, and no others."""
    for name in contents:
        if name not in SECTIONS:
            near = suggestion(str(name), SECTIONS)
            raise StudyError(f"[{named(name)}]: no such section{near}; expected {_listed(SECTIONS)}")
    for name in ("study", "mechanism", "method", "sampler"):
        if name not in contents:
            raise StudyError(
                f"{_head(name)}: the section is missing; a study needs [study], [mechanism], [[method]] and [sampler]"
            )
    for name, value in contents.items():
        if not isinstance(value, list | tuple if name == "method" else Mapping):
            one = "one section or more, each under [[method]]" if name == "method" else "a section"
            raise StudyError(f"{_head(name)}: expected {one}, got {shown(value)}")
    if not contents["method"]:
        raise StudyError("[[method]]: expected at least one method")


def _head(section: str) -> str:
    return "[[method]]" if section == "method" else f"[{section}]"


def checked(section: type[SectionT], contents: Mapping[str, Any], where: str) -> SectionT:
    """Return a validated section.

    Args:
        section: what it has to be.
        contents: keys and values.
        where: how the section stands in the file, for messages: ``[study]``.

    Raises:
        StudyError: names section, key, value and what is allowed.
    """
    try:
        return section.model_validate(_tuples(contents))
    except ValidationError as error:
        raise StudyError(f"{where} {refusal(section, error)}") from None


def check_keys(contents: Mapping[str, Any], allowed: tuple[str, ...], where: str) -> None:
    """Refuse keys that do not belong here."""
    for name in contents:
        if name not in allowed:
            near = suggestion(str(name), allowed)
            raise StudyError(f"{where}{named(name)}: unknown key{near}; expected {_listed(allowed)}")


def _tuples(value: Any) -> Any:
    """TOML's lists as tuples, and whole numbers as they are: sections are hashable and strict."""
    if isinstance(value, Mapping):
        return {str(k): _tuples(v) for k, v in value.items()}
    return tuple(map(_tuples, value)) if isinstance(value, list | tuple) else value


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names)
