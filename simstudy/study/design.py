"""The factorial design: ``[mechanism]`` of a study file -> scenarios.

Groups come as groups x group_size, and as lists of unequal sizes besides; every other list is a factor. Scenarios are
labelled by the factors that vary.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from simstudy.errors import StudyError, named, shown, suggestion
from simstudy.mechanisms import MECHANISMS, Dataset, Mechanism, Multilevel, UserMechanismFamily
from simstudy.mechanisms.cell_dataset import CellDataset
from simstudy.mechanisms.dataset_section import DatasetSection, plain_section, plain_value, section_dataset
from simstudy.models.options import checked
from simstudy.streams import canonical_json, identity
from simstudy.study.dataset_terms import has_terms, plain_terms, terms_cell
from simstudy.study.extensions import Sources, sources_of_mechanism
from simstudy.study.factors import check_count, check_lists, crossed, varying
from simstudy.study.grouped_design import grouped_cells, grouped_counts
from simstudy.study.multilevel_design import multilevel_cells, multilevel_counts, plain_multilevel
from simstudy.study.registry import user_mechanism

SCENARIO_VERSION = 1
MOST_SCENARIOS = 10_000
RESERVED = ("scenario", "label", "mechanism", "likelihood")


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One cell of the factorial design.

    Args:
        mechanism: the data-generating mechanism with every factor at one level.
        factors: (name, value) pairs as the tables show them.
        label: the factors that vary, for people.
        sources: the extensions that its data come from, each with its source.
    """

    mechanism: Mechanism
    factors: tuple[tuple[str, Any], ...]
    label: str = ""
    sources: Sources = ()

    @cached_property
    def identity(self) -> str:
        """16 hex digits that depend on the mechanism's non-default fields only."""
        sources = {"sources": dict(self.sources)} if self.sources else {}
        return identity(f"scenario/{SCENARIO_VERSION}", {**self.mechanism.fields, **sources})


def scenarios_of(contents: Mapping[str, Any], folder: Path | None) -> Iterator[Scenario]:
    """Yield the scenarios of a ``[mechanism]`` section; None in Python is as if the key were left out.

    Raises:
        StudyError: the message names section, key, value and what is allowed.
    """
    contents = {name: value for name, value in contents.items() if value is not None}
    _check_size(contents)
    cells = list(_cells(contents, folder))
    names = varying([factors for _, factors in cells])
    seen: dict[str, str] = {}
    labels: set[str] = set()
    for mechanism, factors in cells:
        label = ", ".join(f"{name}={factors[name]}" for name in names if factors.get(name) is not None)
        scenario = Scenario(
            mechanism=mechanism,
            factors=tuple(factors.items()),
            label=label or mechanism.kind,
            sources=sources_of_mechanism(mechanism),
        )
        if scenario.identity in seen:
            raise StudyError(
                f"[mechanism] the scenario {scenario.label!r} stands twice in the design; remove one value"
            )
        if scenario.label in labels:
            raise StudyError(
                f"[mechanism] two scenarios have the label {shown(scenario.label)}; give values whose texts differ"
            )
        seen[scenario.identity] = scenario.label
        labels.add(scenario.label)
        yield scenario


def _check_size(contents: Mapping[str, Any]) -> None:
    """Refuse empty lists, and more scenarios than a study can have, before any is made."""
    kind = str(contents.get("kind"))
    if kind == Dataset.kind:
        return  # its lists are data
    if kind == Multilevel.kind:
        counts = multilevel_counts(contents)
    elif isinstance(MECHANISMS.get(kind), type):
        counts = grouped_counts(contents)
    else:
        counts = check_lists(contents, [name for name in contents if name != "kind"], "[mechanism] ")
    check_count(counts, most=MOST_SCENARIOS, what="scenarios", where="[mechanism]")


def _cells(contents: Mapping[str, Any], folder: Path | None) -> Iterator[tuple[Mechanism, dict[str, Any]]]:
    if "kind" not in contents:
        raise StudyError(f"[mechanism] kind: the key is missing; expected one of {', '.join(MECHANISMS)}")
    kind = contents["kind"]
    if not isinstance(kind, str | UserMechanismFamily):
        raise StudyError(f"[mechanism] kind: expected one of {', '.join(MECHANISMS)}, got {shown(kind)}")
    if (family := user_mechanism(kind)) is not None:
        yield from _user_cells(family, contents)
    elif kind == Dataset.kind:
        yield terms_cell(contents, folder) if has_terms(contents) else _dataset_cell(contents, folder)
    elif kind == Multilevel.kind:
        yield from multilevel_cells(contents, folder)
    elif kind in MECHANISMS:
        yield from grouped_cells(contents)
    else:
        near = suggestion(str(kind), MECHANISMS)
        raise StudyError(
            f"[mechanism] kind: got {shown(kind)}{near}; expected one of {', '.join(MECHANISMS)}, or one of your own: "
            "--load FILE.py"
        )


def _user_cells(family: UserMechanismFamily, contents: Mapping[str, Any]) -> Iterator[tuple[Mechanism, dict[str, Any]]]:
    given = {name: value for name, value in contents.items() if name != "kind"}
    for name, value in given.items():
        _check_factor(name, value)
    for factors in crossed(given, given):
        yield family.at(factors), {"mechanism": family.name, "likelihood": None, **factors}


def _check_factor(name: str, value: Any) -> None:
    """Refuse what a factor of a user's mechanism cannot be called or hold: it stands in a table and in an identity."""
    if name in RESERVED:
        raise StudyError(f"[mechanism] {named(name)}: the tables have a column of this name; call the factor otherwise")
    try:
        canonical_json(value)
    except (TypeError, ValueError):
        raise StudyError(
            f"[mechanism] {named(name)}: expected finite numbers, texts, or lists of them, got {shown(value)}"
        ) from None


def _dataset_cell(contents: Mapping[str, Any], folder: Path | None) -> tuple[Mechanism, dict[str, Any]]:
    section = checked(DatasetSection, {k: plain_value(v) for k, v in contents.items()}, "[mechanism]")
    try:
        dataset = section_dataset(section, folder)
    except StudyError as error:
        raise StudyError(f"[mechanism] {error}") from error
    factors = {"data": dataset.name, "groups": len(dataset.shape)}
    return dataset, {"mechanism": dataset.kind, "likelihood": dataset.likelihood.kind, **factors}


def plain_mechanism(contents: Mapping[str, Any], mechanism: Mechanism, folder: Path | None) -> dict[str, Any]:
    """Return the section that a mechanism was made of as JSON values."""
    if isinstance(mechanism, Multilevel):
        return plain_multilevel(contents, folder)
    if isinstance(mechanism, Dataset):
        return plain_section(contents, mechanism)
    if isinstance(mechanism, CellDataset):
        return plain_terms(contents, mechanism, folder)
    kind = contents.get("kind")
    return {**contents, "kind": kind.name if isinstance(kind, UserMechanismFamily) else kind}
