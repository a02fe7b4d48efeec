"""Study files: TOML or a mapping of the same form -> validated sections. Text is parsed, never evaluated.

Pydantic checks each section after lists have been taken apart, so that a message names one key and one value. Unknown
keys are refused with the nearest valid name.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from simstudy.errors import StudyError, named, shown, suggestion
from simstudy.models.options import Section
from simstudy.store.schema import interval_columns, interval_probabilities, quantile_column
from simstudy.store.toml_files import TomlError, read_toml

MOST_LEVELS = 20
RESERVED = frozenset(
    ["con", "prn", "aux", "nul", *(f"{port}{digit}" for port in ("com", "lpt") for digit in range(1, 10))]
)
"""Names of devices on Windows, with any ending: no folder can have them."""


def _on_one_line(text: str) -> str:
    if not text.isprintable():
        raise ValueError("text without control characters")
    return text


def _of_lines(text: str) -> str:
    return "\n".join(map(_on_one_line, text.split("\n")))


def _of_a_folder(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", text):
        raise ValueError("letters, digits, '.', '_' and '-', a letter or digit first")
    if text.partition(".")[0].lower() in RESERVED or text.endswith("."):
        raise ValueError("the name of a folder on every system, no device such as 'con' and no dot at its end")
    return text


def _of_a_measure(text: str) -> str:
    if not re.fullmatch(r"\w+(:[^:]+)?", _on_one_line(text)):
        raise ValueError("a measure and its estimand, such as 'rmse:theta'")
    return text


def _apart(levels: tuple[float, ...]) -> tuple[float, ...]:
    apart = sorted(set(levels))
    names = [name for level in apart for name in interval_columns(level)]
    stored = interval_probabilities(tuple(apart))
    if len(set(names)) < len(names) or set(names) != set(map(quantile_column, stored)) or not 0 < stored[0] < 0.5:
        raise ValueError("levels whose ends differ in six digits, since columns are named by them")
    return levels


Name = Annotated[str, Field(min_length=1, max_length=80), AfterValidator(_on_one_line)]


class StudySection(Section):
    """``[study]``: what the study is, and how large.

    Args:
        name: of the study and, by default, of its run's folder: letters, digits, ".", "_" and "-".
        aim: the question, in a sentence; it leads the report.
        seed: of all random numbers.
        replicates: data sets of every scenario.
        kind: "simulation", or "calibration": the truth is drawn from the priors, which the methods must have as well.
        common_random_numbers: whether scenarios share random numbers, so that differences between them have less noise.
        primary: measure that the report leads with, and its estimand; by default what the methods differ in.
    """

    name: Annotated[str, Field(max_length=80, examples=["small_groups"]), AfterValidator(_of_a_folder)]
    aim: Annotated[str, Field(examples=["Is partial pooling worth it?"]), AfterValidator(_of_lines)] = ""
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    replicates: Annotated[int, Field(ge=1, le=10_000_000)] = 100
    kind: Literal["simulation", "calibration"] = "simulation"
    common_random_numbers: bool = False
    primary: Annotated[str, Field(examples=["coverage:mu"]), AfterValidator(_of_a_measure)] | None = None


Level = Annotated[float, Field(gt=0, lt=1)]


class SummarySection(Section):
    """``[summary]``: levels of the central posterior intervals that are stored, and whether a log density is ranked.

    Args:
        levels: of the central posterior intervals that are stored.
        log_density: whether a calibration ranks the log density of the observations for users' models.
    """

    levels: Annotated[tuple[Level, ...], Field(min_length=1, max_length=MOST_LEVELS), AfterValidator(_apart)] = (
        0.5,
        0.8,
        0.9,
        0.95,
    )
    log_density: bool = True


class DiagnosticsSection(Section):
    """``[diagnostics]``: thresholds that flag a fit when scoring; no fit is deleted.

    They belong together. At 100 effective draws the MCSE of a posterior mean is a tenth of the posterior sd, which adds
    1 % to its mean square error and takes .8 points from the coverage of a 95 % interval; four chains (eight halves)
    with as many have an R-hat of sqrt(1 + 8 / 100) = 1.04 (Vats & Knudson 2021, Statistical Science 36:518). A rate of
    divergences, unlike their presence, does not grow with the number of draws.

    Args:
        max_rhat: a fit with a larger R-hat did not converge.
        min_ess: a fit with fewer effective draws did not converge.
        max_divergence_rate: share of divergent draws above which a fit is flagged.
    """

    max_rhat: Annotated[float, Field(ge=1)] = 1.04
    min_ess: Annotated[float, Field(ge=0)] = 100
    max_divergence_rate: Annotated[float, Field(ge=0, le=1)] = 0.01


SECTIONS = ("study", "mechanism", "method", "sampler", "summary", "diagnostics")


def read_study_file(path: Path) -> dict[str, Any]:
    """Return the contents of a study file.

    Raises:
        StudyError: the file is missing, no file, too large, no text, no TOML, or nested too deeply; the message names
            the line.
    """
    try:
        return read_toml(path)
    except OSError as error:
        raise StudyError(f"{path}: cannot read the study file: {error.strerror}") from error
    except TomlError as error:
        raise StudyError(f"{path}: {error}") from error


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


def check_keys(contents: Mapping[str, Any], allowed: tuple[str, ...], where: str) -> None:
    """Refuse keys that do not belong here."""
    for name in contents:
        if name not in allowed:
            near = suggestion(str(name), allowed)
            raise StudyError(f"{where}{named(name)}: unknown key{near}; expected {_listed(allowed)}")


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names)
