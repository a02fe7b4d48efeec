"""``[mechanism]`` of a simulated grouped mechanism -> its cells: designs of groups crossed with the factors.

Groups come as groups x group_size, and as lists of unequal sizes besides; every other list is a factor. Which keys
there are, the families say: the effects' distribution and the likelihood have their options and parameters.
"""

import functools
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal, TypeGuard

from pydantic import Field, create_model

from simstudy.errors import StudyError, named, one_of, shown, suggestion
from simstudy.mechanisms import MECHANISMS, GroupedMechanism, Mechanism, MechanismFamily
from simstudy.models.estimands import MU, TAU
from simstudy.models.likelihoods import LIKELIHOODS, Likelihood
from simstudy.models.options import Section, checked, option_types, options_of
from simstudy.models.priors import Prior, constant, parse_prior
from simstudy.study.factors import check_lists, crossed

MOST_GROUPS, MOST_OBSERVATIONS = 100_000, 100_000_000
GRID_KEYS, LIST_KEYS = ("groups", "group_size"), ("sizes", "standard_errors")
DESIGN_KEYS = (*GRID_KEYS, *LIST_KEYS)
DEFAULT_LIKELIHOOD = "normal"
OPEN = "?"  # a number of the design that is to be found

Size = Annotated[int, Field(ge=1, le=MOST_OBSERVATIONS)]
StandardError = Annotated[float, Field(gt=0)]
PriorText = str | float
Cell = tuple[Mechanism, dict[str, Any]]


class GroupedSection(Section):
    """What all grouped mechanisms share.

    Args:
        kind: of the mechanism: the distribution of the groups' effects.
        likelihood: how observations arise from effects.
        groups: number of groups.
        group_size: observations (or trials) in each group.
        sizes: observations (or trials) of unequal groups; in a file a list of lists, one for each design.
        effects: "random": new effects in each replicate; "fixed": the same in all.
        mu: mean of the effects, or a prior that it is drawn from.
        tau: standard deviation of the effects, or a prior that it is drawn from.
    """

    kind: Annotated[str, Field(examples=["exchangeable"])]
    likelihood: str = DEFAULT_LIKELIHOOD
    groups: Annotated[int, Field(ge=1, le=MOST_GROUPS, examples=[8])] | None = None
    group_size: Annotated[Size, Field(examples=[3])] | None = None
    sizes: Annotated[tuple[Size, ...], Field(max_length=MOST_GROUPS, examples=[[3, 5, 40]])] | None = None
    effects: Literal["random", "fixed"] = "random"
    mu: PriorText = MU.value
    tau: PriorText = TAU.value


class WithStandardErrors(GroupedSection):
    """What a likelihood with known standard errors adds.

    Args:
        standard_error: of the estimate of each group.
        standard_errors: of unequal groups; in a file a list of lists, one for each design.
    """

    standard_error: Annotated[StandardError, Field(examples=[10.0])] | None = None
    standard_errors: (
        Annotated[tuple[StandardError, ...], Field(max_length=MOST_GROUPS, examples=[[15.0, 10.0, 16.0]])] | None
    ) = None


@functools.cache
def _section(family: type[GroupedMechanism], likelihood: type[Likelihood]) -> type[GroupedSection]:
    """Return the section of a mechanism with a likelihood: the keys of both."""
    keys: dict[str, Any] = {p.name: (PriorText, p.value) for p in likelihood.every_parameter}
    keys |= option_types(likelihood) | option_types(family, beyond=GroupedMechanism)
    base = WithStandardErrors if likelihood.needs_standard_errors else GroupedSection
    return create_model(f"{family.__name__}{likelihood.__name__}Section", __base__=base, **keys)


def grouped_families() -> dict[str, type[GroupedMechanism]]:
    """Return kind -> mechanism, of those that simulate data in groups."""
    return {kind: family for kind, family in MECHANISMS.items() if _is_grouped(family)}


def _is_grouped(family: MechanismFamily) -> TypeGuard[type[GroupedMechanism]]:
    return isinstance(family, type) and issubclass(family, GroupedMechanism)


def _all_keys() -> dict[str, Any]:
    """Return every key of every family with its default, in the order in which factors are crossed."""
    sections = [
        _section(family, likelihood) for family in grouped_families().values() for likelihood in LIKELIHOODS.values()
    ]
    return {name: field.default for section in sections for name, field in section.model_fields.items()}


def _likelihood_options() -> set[str]:
    return {name for family in LIKELIHOODS.values() for name in option_types(family)}


def factor_keys() -> tuple[str, ...]:
    """Return the keys whose lists are factors: hyperparameters, standard errors and options of the effects."""
    of_scale = [p.name for family in LIKELIHOODS.values() for p in family.every_parameter]
    own = [name for family in grouped_families().values() for name in option_types(family, beyond=GroupedMechanism)]
    return tuple(dict.fromkeys(["mu", "tau", *of_scale, "standard_error", *own]))


def grouped_counts(contents: Mapping[str, Any]) -> dict[str, int]:
    """Return list -> its number of values, designs of groups together.

    Raises:
        StudyError: a list is empty.
    """
    counts = check_lists(contents, (*GRID_KEYS, *factor_keys()), "[mechanism] ")
    of_lists = check_lists(contents, LIST_KEYS, "[mechanism] ")
    n_designs = math.prod(counts.pop(name, 1) for name in GRID_KEYS) * ("groups" in contents)
    return {"designs of groups": n_designs + sum(of_lists.values()), **counts}


def grouped_cells(contents: Mapping[str, Any]) -> Iterator[Cell]:
    """Yield the mechanism and the factors of every cell of the design.

    Raises:
        StudyError: the message names key, value and what is allowed.
    """
    for design in _designs(contents):
        yield from map(_cell, crossed(design, factor_keys()))


def _designs(contents: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the section once for each design of groups: groups x group_size, then each list of sizes."""
    if opened := [name for name in GRID_KEYS if contents.get(name) == OPEN]:
        raise StudyError(f'[mechanism] {opened[0]} = "?": the design is open; "simstudy plan" finds the number')
    rest = {name: value for name, value in contents.items() if name not in DESIGN_KEYS}
    grid = {name: contents[name] for name in GRID_KEYS if name in contents}
    likelihood = LIKELIHOODS.get(str(contents.get("likelihood")))
    known_se = likelihood is not None and likelihood.needs_standard_errors
    if ("groups" in grid) and (known_se or "group_size" in grid):
        yield from crossed({**rest, **grid}, GRID_KEYS)
    elif grid:
        lacking = next(name for name in GRID_KEYS if name not in grid)
        near = [name for name in rest if suggestion(name, [lacking])]
        instead = f", not {near[0]!r}" if near else ""
        raise StudyError(
            f"[mechanism] {lacking}: the key is missing{instead}; groups and group_size need each other, or give "
            "sizes = [[3, 5, 40], ...]"
        )
    lists = {name: contents[name] for name in LIST_KEYS if name in contents}
    for name, designs in lists.items():
        if not isinstance(designs, list | tuple) or not all(isinstance(d, list | tuple) and d for d in designs):
            raise StudyError(f"[mechanism] {name}: expected a list of lists, one for each design, got {shown(designs)}")
        for design in designs:
            yield {**rest, name: list(design)}
    if not grid and not lists:
        raise StudyError("[mechanism] groups: the number of groups is missing; give groups and group_size, or sizes")


def _cell(contents: Mapping[str, Any]) -> Cell:
    family = MECHANISMS[str(contents["kind"])]
    assert _is_grouped(family)  # the caller has asked; for the type checker
    section = _checked(contents, family)
    _check_observations(section)
    kind = LIKELIHOODS[section.likelihood]
    likelihood = kind(**{name: getattr(section, name) for name in option_types(kind)})
    sizes, standard_errors = _sizes(section, likelihood)
    own = {name: getattr(section, name) for name in option_types(family, beyond=GroupedMechanism)}
    _refuse_needless(section, likelihood)
    try:
        mechanism = family(
            likelihood=likelihood,
            sizes=sizes,
            standard_errors=standard_errors,
            effects=section.effects,
            mu=parse_prior(section.mu, MU),
            tau=parse_prior(section.tau, TAU),
            scale=_scale(section, likelihood),
            **own,
        )
    except StudyError as error:
        raise StudyError(f"[mechanism] {error}") from error
    return mechanism, {"mechanism": section.kind, "likelihood": section.likelihood, **_factors(section, mechanism)}


def _scale(section: GroupedSection, likelihood: Likelihood) -> tuple[tuple[str, Prior], ...]:
    """Return the scale parameters that are not at the values that they declare."""
    priors = {p: parse_prior(getattr(section, p.name), p) for p in likelihood.parameters}
    return tuple((p.name, prior) for p, prior in priors.items() if prior != constant(p.value))


def _checked(contents: Mapping[str, Any], family: type[GroupedMechanism]) -> GroupedSection:
    """Return the section of the family and the likelihood that it names; keys of other families are told apart."""
    name = contents.get("likelihood", DEFAULT_LIKELIHOOD)
    if name not in list(LIKELIHOODS):
        raise StudyError(f"[mechanism] likelihood: {one_of(LIKELIHOODS, name)}")
    likelihood = LIKELIHOODS[name]
    section = _section(family, likelihood)
    strange = [key for key in contents if key not in section.model_fields]
    if strange:
        _refuse_strange({key: contents[key] for key in strange}, family.kind, likelihood.kind)
    own = {key: value for key, value in contents.items() if key not in strange}
    return checked(section, own, "[mechanism]")


def _refuse_strange(strange: Mapping[str, Any], kind: str, likelihood: str) -> None:
    """Refuse keys that other families have, then those that none has; an option at its default says nothing."""
    every, options = _all_keys(), _likelihood_options()
    for key, value in strange.items():
        if key in every and (key not in options or value != every[key]):
            raise StudyError(_needless(key, kind, likelihood))
    if unknown := [key for key in strange if key not in every]:
        near = suggestion(str(unknown[0]), every)
        raise StudyError(f"[mechanism] {named(unknown[0])}: unknown key{near}; expected {', '.join(every)}")


def _needless(key: str, kind: str, likelihood: str) -> str:
    if key in WithStandardErrors.model_fields:
        with_errors = [name for name, family in LIKELIHOODS.items() if family.needs_standard_errors]
        names = ", ".join(map(repr, with_errors))
        return f"[mechanism] {key}: only the likelihood {names} has known standard errors"
    return f"[mechanism] {key}: the mechanism {kind!r} with the likelihood {likelihood!r} has no such parameter"


def _refuse_needless(section: GroupedSection, likelihood: Likelihood) -> None:
    """Refuse a parameter of the likelihood that it does not have under its options."""
    needless = [p for p in likelihood.every_parameter if p not in likelihood.parameters]
    if given := [p.name for p in needless if p.name in section.model_fields_set]:
        raise StudyError(_needless(given[0], section.kind, likelihood.kind))


def _check_observations(section: GroupedSection) -> None:
    """Refuse data sets that no memory holds."""
    n = sum(section.sizes) if section.sizes else (section.groups or 0) * (section.group_size or 1)
    if n > MOST_OBSERVATIONS:
        key = "sizes" if section.sizes else "groups x group_size"
        raise StudyError(f"[mechanism] {key}: makes {n:,} observations of a data set, more than {MOST_OBSERVATIONS:,}")


def _sizes(section: GroupedSection, likelihood: Likelihood) -> tuple[tuple[int, ...], tuple[float, ...] | None]:
    """Return observations by group, and known standard errors where the likelihood has them."""
    if not isinstance(section, WithStandardErrors):
        return section.sizes or (section.group_size or 1,) * (section.groups or 1), None
    if section.standard_errors is not None:
        return (1,) * len(section.standard_errors), section.standard_errors
    if section.groups is None or section.standard_error is None or section.sizes or section.group_size:
        raise StudyError(
            f"[mechanism] standard_error: the likelihood {likelihood.kind!r} needs groups and standard_error, or "
            "standard_errors = [[15, 10, ...], ...], and no group_size or sizes: there is one estimate per group"
        )
    return (1,) * section.groups, (section.standard_error,) * section.groups


def _number_text(number: float) -> str:
    """Return a number in few digits where they say it whole, else in all of its digits."""
    return short if float(short := f"{number:g}") == number else repr(number)


def _list_text(numbers: Sequence[float] | None) -> str | None:
    """Return the numbers of unequal groups as tables show them, or None."""
    return ",".join(map(_number_text, numbers)) if numbers else None


def _factors(section: GroupedSection, mechanism: GroupedMechanism) -> dict[str, Any]:
    """Return the factors of a scenario as the tables show them."""
    errors = getattr(section, "standard_errors", None)
    factors: dict[str, Any] = {
        "groups": len(mechanism.sizes),
        "group_size": section.group_size,
        "sizes": _list_text(section.sizes),
        "effects": section.effects,
        **options_of(mechanism.likelihood),
        "standard_error": getattr(section, "standard_error", None),
        **({"standard_errors": _list_text(errors)} if errors else {}),
    }
    for name, prior in mechanism.priors.items():
        factors[name] = prior.value if prior.is_constant else prior.text
    return factors | mechanism.own_options
