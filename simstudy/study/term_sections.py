"""What ``[mechanism.terms.NAME]`` of simulated and of real data have in common: structure, options, covariates."""

import functools
from collections.abc import Collection, Mapping
from typing import Any

from pydantic import create_model

from simstudy.errors import StudyError, one_of, shown, suggestion
from simstudy.models.design import Design
from simstudy.models.options import Section, option_types
from simstudy.models.terms import TERM_STRUCTURES, TermStructure

COVARIATES = "covariates"
"""Option of structures with slopes, which a study file names as ``covariate``."""


def family_of(table: Mapping[str, Any], where: str) -> type[TermStructure]:
    """Return the kind of structure that a term names.

    Raises:
        StudyError: there is none of the name that effects can be drawn from.
    """
    known = {name: family for name, family in TERM_STRUCTURES.items() if family.parameterized}
    kind = table.get("structure", "exchangeable")
    if kind not in list(known):
        raise StudyError(f"{where} structure: {one_of(known, kind)}")
    return known[kind]


@functools.cache
def with_options(base: type[Section], family: type[TermStructure], *, is_open: bool = False) -> Any:
    """Return the section of a term with the options of its structure.

    Args:
        base: the section without them.
        family: kind of the structure.
        is_open: whether other keys pass, to be checked by the caller.
    """
    keys: dict[str, Any] = {name: kind for name, kind in option_types(family).items() if name != COVARIATES}
    more: dict[str, Any] = {"__cls_kwargs__": {"extra": "allow"}} if is_open else {}
    return create_model(f"{family.__name__}{base.__name__}", __base__=base, **more, **keys)


def has_covariates(kind: str) -> bool:
    """Whether structures of a kind have slopes on covariates."""
    return COVARIATES in option_types(TERM_STRUCTURES[kind])


def structure_of(section: Any, covariates: tuple[str, ...]) -> TermStructure:
    """Return the structure of a section with its options.

    Args:
        section: of a term.
        covariates: of its slopes.
    """
    family = TERM_STRUCTURES[section.structure]
    options = {name: getattr(section, name) for name in option_types(family) if name != COVARIATES}
    return family(**options, **({COVARIATES: covariates} if has_covariates(section.structure) else {}))


def refuse_needless_covariates(kind: str) -> None:
    """Refuse covariates of a structure without slopes.

    Raises:
        StudyError: always; says which structure has them.
    """
    raise StudyError(f'covariate: the structure {kind!r} has none; give structure = "slopes"')


def refuse_two_parents(table: Mapping[str, Any], where: str) -> None:
    """Refuse a factor within several others.

    Raises:
        StudyError: says that there is one.
    """
    if isinstance(table.get("within"), list | tuple):
        raise StudyError(
            f"{where} within: a factor is nested in one other, got {shown(table['within'])}; name one, and let others "
            "be crossed"
        )


def check_of(of: str | None, factors: Collection[str], where: str) -> None:
    """Refuse a covariate of a factor that is not there.

    Raises:
        StudyError: names the factors that are.
    """
    if of is not None and of not in factors:
        raise StudyError(
            f"{where} of: no factor {shown(of)}{suggestion(of, factors)}; expected one of {', '.join(factors)}"
        )


def check_factor(structure: TermStructure, factor: str, design: Design, where: str, *, data: str = "") -> None:
    """Refuse a factor for which a structure has no effects.

    Args:
        structure: of the term.
        factor: its name.
        design: of the cells.
        where: the section, for messages.
        data: what the message ends with.

    Raises:
        StudyError: says what is wrong with its levels, graph or points.
    """
    try:
        structure.check(design.factor(factor))
    except StudyError as error:
        raise StudyError(f"{where} {error}{data}") from error
