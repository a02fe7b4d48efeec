"""What a family has to be before it gets a name: a class that can be one, with what its base leaves to it."""

from collections.abc import Callable
from typing import Any, ClassVar, get_origin, get_type_hints

from simstudy.errors import StudyError, shown
from simstudy.models.options import option_types, section_of
from simstudy.registry import Extension
from simstudy.registry.registry import first_line
from simstudy.registry.sources import source_of

TAKEN = frozenset({"kind", "name", "model", "structure", "likelihood", "observations", "priors", "sampler", "terms"})
"""Keys of a study file beside those of its parts, which no option can be called."""


def family_of(
    what: str, base: type[Any], *, beyond: type[Any] | None = None
) -> Callable[[str, Any], Extension[type[Any]]]:
    """Return the function that makes extensions of classes that are families of a base.

    Args:
        what: what a part is called: ``sampler``.
        base: the class that they extend.
        beyond: a base whose fields are no options.
    """

    def adapt(name: str, family: Any) -> Extension[type[Any]]:
        check_family(what, base, family, beyond=beyond)
        if family.kind != name:
            raise StudyError(f"the {what} {name!r}: expected the kind of {family.__name__}, got {shown(family.kind)}")
        words = first_line(family.__doc__)
        if words.startswith(f"{family.__name__}("):  # what dataclasses write where there is no docstring
            words = ""
        return Extension(part=family, source=source_of(family), module=family.__module__, words=words)

    return adapt


def check_family(what: str, base: type[Any], family: Any, *, beyond: type[Any] | None = None) -> None:
    """Refuse what cannot be a family.

    Raises:
        StudyError: says what was expected of the class and what it lacks.
    """
    article = f"the {what} {getattr(family, '__name__', shown(family))}"
    extended = f"{base.__module__.rpartition('.')[0]}.{base.__name__}"
    if not isinstance(family, type) or not issubclass(family, base):
        raise StudyError(f"{article}: expected a class that extends {extended}, got {shown(family)}")
    lacking = [*_unsaid(family, article), *sorted(getattr(family, "__abstractmethods__", ()))]
    if lacking:
        raise StudyError(f"{article}: it lacks {', '.join(lacking)}, which a class that extends {extended} has to have")
    made = vars(family).get("__dataclass_params__")
    if made is None or not made.frozen:
        raise StudyError(f"{article}: expected a frozen dataclass; put @dataclass(frozen=True, kw_only=True) before it")
    try:
        options = option_types(family, beyond=beyond)
        section_of(family)
    except Exception as error:
        # Annotations are a user's, and are read by typing and pydantic, which fail in ways of their own.
        raise StudyError(
            f"{article}: expected fields whose annotations say what an option can be ({type(error).__name__}: {error})"
        ) from error
    if taken := sorted(set(options) & TAKEN):
        raise StudyError(f"{article}: the option {taken[0]!r}: a study file has a key of this name; choose another")
    if without := [name for name, (_, default) in options.items() if default is ...]:
        raise StudyError(f"{article}: expected a default of the option {without[0]!r}")


def _unsaid(family: type[Any], article: str) -> list[str]:
    """Return the class attributes that a base declares, and that nobody has given a value."""
    try:
        hints = get_type_hints(family)
    except Exception as error:
        raise StudyError(f"{article}: its annotations cannot be read ({type(error).__name__}: {error})") from error
    said = {name for one in family.__mro__ for name in vars(one)}
    return sorted(
        n for n, hint in hints.items() if (hint is ClassVar or get_origin(hint) is ClassVar) and n not in said
    )
