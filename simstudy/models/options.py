"""Options of a family: stated once, as the annotated fields of its dataclass, and checked there whoever sets them.

A study file's section for a family is made from the same fields, so that a message names key, value and what is
allowed alike in a file and in Python. Unknown keys are refused with the nearest valid name.
"""

import functools
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from typing import Any, Protocol, TypeVar, get_type_hints

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from simstudy.errors import StudyError
from simstudy.models.refusals import refusal

SectionT = TypeVar("SectionT", bound="Section")


class Section(BaseModel):
    """A section of a study file: unknown keys are errors, and no value is silently converted."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, allow_inf_nan=False, arbitrary_types_allowed=True
    )


class Family(Protocol):
    """A kind of part: a frozen dataclass whose fields are its options."""

    kind: str


def option_fields(family: type[Any], *, beyond: type[Any] | None = None) -> tuple[Field[Any], ...]:
    """Return the fields of a family that tell its choices apart, without those of a family that it extends."""
    inherited = {f.name for f in fields(beyond)} if beyond is not None else set()
    return tuple(f for f in fields(family) if f.compare and f.name not in inherited)


def options_of(choice: Any) -> dict[str, Any]:
    """Return every option of a part by name."""
    return {f.name: getattr(choice, f.name) for f in option_fields(type(choice))}


def changed_options(choice: Any) -> dict[str, Any]:
    """Return the options of a part that are not at their defaults: what sets it apart."""
    return {
        f.name: getattr(choice, f.name) for f in option_fields(type(choice)) if getattr(choice, f.name) != f.default
    }


def option_types(family: Any, *, beyond: Any = None) -> dict[str, tuple[Any, Any]]:
    """Return option -> its annotated type with its bounds, and its default, as pydantic's ``create_model`` reads it."""
    return dict(_option_types(family, beyond))


@functools.cache
def _option_types(family: Any, beyond: Any) -> dict[str, tuple[Any, Any]]:
    # Reading annotations takes longer than all else that a scenario or method of a study costs.
    hints = get_type_hints(family, include_extras=True)
    return {
        f.name: (hints[f.name], ... if f.default is MISSING else f.default)
        for f in option_fields(family, beyond=beyond)
    }


@functools.cache
def section_of(family: Any) -> type[Section]:
    """Return the section of a study file that sets a family's options: its ``kind``, and each field with its bounds.

    >>> from dataclasses import dataclass
    >>> from typing import Annotated, ClassVar
    >>> from pydantic import Field
    >>> @dataclass(frozen=True, kw_only=True)
    ... class Coin:
    ...     kind: ClassVar[str] = "coin"
    ...     bias: Annotated[float, Field(ge=0, le=1)] = 0.5
    >>> checked(section_of(Coin), {"kind": "coin", "bias": 0.2}, "[coin]").bias
    0.2
    """
    options: dict[str, Any] = option_types(family)
    return create_model(f"{family.__name__}Section", __base__=Section, kind=(str, ...), **options)


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
        return section.model_validate(as_tuples(contents))
    except ValidationError as error:
        raise StudyError(f"{where} {refusal(section, error)}".lstrip()) from None


def check_options(choice: Any) -> None:
    """Check the options of a part that was made in Python, in its ``__post_init__``.

    Raises:
        StudyError: an option is outside its bounds; names it, what is allowed and what came.
    """
    family: Any = type(choice)
    checked(section_of(family), {"kind": family.kind, **options_of(choice)}, "")


def as_tuples(value: Any) -> Any:
    """TOML's lists as tuples, and whole numbers as they are: sections are hashable and strict."""
    if isinstance(value, Mapping):
        return {str(k): as_tuples(v) for k, v in value.items()}
    return tuple(map(as_tuples, value)) if isinstance(value, list | tuple) else value
