"""The factorial design: ``[mechanism]`` of a study file -> scenarios.

Groups come as groups x group_size, and as lists of unequal sizes besides; every other list is a factor. Scenarios are
labelled by the factors that vary.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from simstudy.errors import StudyError, named, shown, suggestion
from simstudy.mechanisms import MECHANISMS, Mechanism
from simstudy.mechanisms.dataset import COLUMN_KEYS, load_dataset
from simstudy.models.likelihoods import likelihood_of
from simstudy.models.priors import Prior, parse_prior
from simstudy.streams import canonical_json, identity
from simstudy.study.factors import check_count, check_lists, crossed, varying
from simstudy.study.registry import UserMechanismFamily, user_mechanism
from simstudy.study.study_file import MOST_OBSERVATIONS, DatasetSection, MechanismSection, checked

SCENARIO_VERSION = 1
MOST_SCENARIOS = 10_000
GRID_KEYS, LIST_KEYS = ("groups", "group_size"), ("sizes", "standard_errors")
DESIGN_KEYS = (*GRID_KEYS, *LIST_KEYS)
RESERVED = ("scenario", "label", "mechanism", "likelihood")
FACTOR_KEYS = ("mu", "tau", "sigma", "omega", "standard_error", "df", "weight", "separation")


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One cell of the factorial design.

    Args:
        mechanism: the data-generating mechanism with every factor at one level.
        factors: (name, value) pairs as the tables show them.
        label: the factors that vary, for people.
    """

    mechanism: Mechanism
    factors: tuple[tuple[str, Any], ...]
    label: str = ""

    @cached_property
    def identity(self) -> str:
        """16 hex digits that depend on the mechanism's non-default fields only."""
        return identity(f"scenario/{SCENARIO_VERSION}", self.mechanism.fields)


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
    for mechanism, factors in cells:
        label = ", ".join(f"{name}={factors[name]}" for name in names if factors.get(name) is not None)
        scenario = Scenario(mechanism=mechanism, factors=tuple(factors.items()), label=label or mechanism.kind)
        if scenario.identity in seen:
            raise StudyError(
                f"[mechanism] the scenario {scenario.label!r} stands twice in the design; remove one value"
            )
        seen[scenario.identity] = scenario.label
        yield scenario


def _check_size(contents: Mapping[str, Any]) -> None:
    """Refuse empty lists, and more scenarios than a study can have, before any is made."""
    is_grouped = str(contents.get("kind")) in MECHANISMS
    crossed_lists = (*GRID_KEYS, *FACTOR_KEYS) if is_grouped else [name for name in contents if name != "kind"]
    counts = check_lists(contents, crossed_lists, "[mechanism] ")
    if is_grouped:
        of_lists = check_lists(contents, LIST_KEYS, "[mechanism] ")
        n_designs = math.prod(counts.pop(name, 1) for name in GRID_KEYS) * ("groups" in contents)
        counts = {"designs of groups": n_designs + sum(of_lists.values()), **counts}
    check_count(counts, most=MOST_SCENARIOS, what="scenarios", where="[mechanism]")


def _cells(contents: Mapping[str, Any], folder: Path | None) -> Iterator[tuple[Mechanism, dict[str, Any]]]:
    if "kind" not in contents:
        raise StudyError(f"[mechanism] kind: the key is missing; expected one of {', '.join(MECHANISMS)}")
    kind = contents["kind"]
    if not isinstance(kind, str | UserMechanismFamily):
        raise StudyError(f"[mechanism] kind: expected one of {', '.join(MECHANISMS)}, got {shown(kind)}")
    family = kind if isinstance(kind, UserMechanismFamily) else user_mechanism(kind)
    if family is not None:
        yield from _user_cells(family, contents)
    elif kind == "dataset":
        yield _dataset_cell(contents, folder)
    elif kind in MECHANISMS:
        for cell in _designs(contents):
            yield from map(_simulated_cell, crossed(cell, FACTOR_KEYS))
    else:
        near = suggestion(str(kind), MECHANISMS)
        raise StudyError(f"[mechanism] kind: got {shown(kind)}{near}; expected one of {', '.join(MECHANISMS)}")


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
    section = checked(DatasetSection, contents, "[mechanism]")
    columns = {key: getattr(section, key) for key in COLUMN_KEYS if getattr(section, key) is not None}
    try:
        dataset = load_dataset(section.data, folder=folder, columns=columns)
    except StudyError as error:
        raise StudyError(f"[mechanism] {error}") from error
    factors = {"data": dataset.name, "groups": len(dataset.shape)}
    return dataset, {"mechanism": "dataset", "likelihood": dataset.likelihood.kind, **factors}


def _designs(contents: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the section once for each design of groups: groups x group_size, then each list of sizes."""
    rest = {name: value for name, value in contents.items() if name not in DESIGN_KEYS}
    grid = {name: contents[name] for name in ("groups", "group_size") if name in contents}
    known_se = contents.get("likelihood") == "normal_known_se"
    if ("groups" in grid) and (known_se or "group_size" in grid):
        yield from crossed({**rest, **grid}, ("groups", "group_size"))
    elif grid:
        lacking = next(name for name in ("groups", "group_size") if name not in grid)
        near = [name for name in rest if suggestion(name, [lacking])]
        instead = f", not {near[0]!r}" if near else ""
        raise StudyError(
            f"[mechanism] {lacking}: the key is missing{instead}; groups and group_size need each other, or give "
            "sizes = [[3, 5, 40], ...]"
        )
    lists = {name: contents[name] for name in ("sizes", "standard_errors") if name in contents}
    for name, designs in lists.items():
        if not isinstance(designs, list | tuple) or not all(isinstance(d, list | tuple) and d for d in designs):
            raise StudyError(f"[mechanism] {name}: expected a list of lists, one for each design, got {shown(designs)}")
        for design in designs:
            yield {**rest, name: list(design)}
    if not grid and not lists:
        raise StudyError("[mechanism] groups: the number of groups is missing; give groups and group_size, or sizes")


def _simulated_cell(cell: Mapping[str, Any]) -> tuple[Mechanism, dict[str, Any]]:
    section = checked(MechanismSection, cell, "[mechanism]")
    _check_observations(section)
    family = MECHANISMS[section.kind]
    likelihood = likelihood_of(section.likelihood, section.sigma_by, "[mechanism]")
    sizes, standard_errors = _sizes(section)
    own = {
        name: getattr(section, name) for name in ("df", "weight", "separation") if getattr(section, name) is not None
    }
    needless = [name for name in own if not hasattr(family, name)]
    needless += [name for name in ("sigma", "omega") if name in section.model_fields_set - set(likelihood.parameters)]
    if needless:
        raise StudyError(
            f"[mechanism] {needless[0]}: the mechanism {section.kind!r} with the likelihood "
            f"{section.likelihood!r} has no such parameter"
        )
    names = ("mu", "tau", *likelihood.parameters)
    try:
        priors = {name: parse_prior(getattr(section, name), name) for name in names}
        mechanism = family(  # type: ignore[call-arg]
            likelihood=likelihood,
            sizes=sizes,
            standard_errors=standard_errors,
            effects=section.effects,
            **priors,
            **own,
        )
    except StudyError as error:
        raise StudyError(f"[mechanism] {error}") from error
    return mechanism, {"mechanism": section.kind, "likelihood": section.likelihood, **_factors(section, mechanism)}


def _check_observations(section: MechanismSection) -> None:
    """Refuse data sets that no memory holds."""
    n = sum(section.sizes) if section.sizes else (section.groups or 0) * (section.group_size or 1)
    if n > MOST_OBSERVATIONS:
        key = "sizes" if section.sizes else "groups x group_size"
        raise StudyError(f"[mechanism] {key}: makes {n:,} observations of a data set, more than {MOST_OBSERVATIONS:,}")


def _sizes(section: MechanismSection) -> tuple[tuple[int, ...], tuple[float, ...] | None]:
    """Return observations by group, and known standard errors where the likelihood has them."""
    if section.likelihood != "normal_known_se":
        for name in ("standard_error", "standard_errors"):
            if getattr(section, name) is not None:
                raise StudyError(f"[mechanism] {name}: only the likelihood 'normal_known_se' has known standard errors")
        return section.sizes or (section.group_size,) * section.groups, None  # type: ignore[operator, return-value]
    if section.standard_errors is not None:
        return (1,) * len(section.standard_errors), section.standard_errors
    if section.groups is None or section.standard_error is None or section.sizes or section.group_size:
        raise StudyError(
            "[mechanism] standard_error: the likelihood 'normal_known_se' needs groups and standard_error, or "
            "standard_errors = [[15, 10, ...], ...], and no group_size or sizes: there is one estimate per group"
        )
    return (1,) * section.groups, (section.standard_error,) * section.groups


def _factors(section: MechanismSection, mechanism: Any) -> dict[str, Any]:
    """Return the factors of a scenario as the tables show them."""
    unequal = section.sizes or section.standard_errors
    factors: dict[str, Any] = {
        "groups": len(mechanism.sizes),
        "group_size": section.group_size,
        "sizes": ",".join(f"{size:g}" for size in unequal) if unequal else None,
        "effects": section.effects,
        "sigma_by": section.sigma_by if section.likelihood == "normal" else None,
        "standard_error": section.standard_error,
    }
    for name in ("mu", "tau", *mechanism.likelihood.parameters):
        prior: Prior = getattr(mechanism, name)
        factors[name] = prior.value if prior.is_constant else prior.text
    return factors | dict(mechanism.effect_fields)


def plain_mechanism(contents: Mapping[str, Any]) -> dict[str, Any]:
    """Return the section as JSON values."""
    kind = contents.get("kind")
    return {**contents, "kind": kind.name if isinstance(kind, UserMechanismFamily) else kind}
