"""What pydantic finds wrong with a section, as one sentence: key, what is allowed, what came."""

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from simstudy.errors import named, shown, suggestion

# What may stand in the place of a value, by pydantic's type of error and what it says besides.
EXPECTED: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "string_type": lambda about: "text",
    "int_type": lambda about: "a whole number",
    "int_from_float": lambda about: "a whole number",
    "float_type": lambda about: "a number",
    "finite_number": lambda about: "a finite number",
    "bool_type": lambda about: "true or false",
    "tuple_type": lambda about: "a list",
    "dict_type": lambda about: "a table",
    "literal_error": lambda about: about["expected"],
    "greater_than": lambda about: f"a number above {_limit(about['gt'])}",
    "greater_than_equal": lambda about: f"a number of at least {_limit(about['ge'])}",
    "less_than": lambda about: f"a number below {_limit(about['lt'])}",
    "less_than_equal": lambda about: f"a number of at most {_limit(about['le'])}",
    "string_too_short": lambda about: "text that is not empty",
    "string_too_long": lambda about: f"at most {about['max_length']} characters",
    "too_short": lambda about: "at least one value",
    "too_long": lambda about: f"at most {about['max_length']} values",
    "value_error": lambda about: str(about["error"]),
}
BRANCHES = frozenset({"str", "float"})  # the two kinds of a value that may be a prior
PRIOR = "a finite number, or a prior as text such as 'Normal(0, 10)'"


def _limit(number: float) -> str:
    return f"{number:,}" if isinstance(number, int) else f"{number:g}"


def refusal(section: type[BaseModel], error: ValidationError) -> str:
    """Return the first of pydantic's errors as ``key: expected ..., got ...``.

    Args:
        section: what was being validated.
        error: what pydantic raised.
    """
    first = error.errors(include_url=False)[0]
    place = [part for part in first["loc"] if isinstance(part, str)]
    is_prior = len(place) > 1 and place[-1] in BRANCHES
    key = ".".join(map(named, place[:-1] if is_prior else place))
    allowed = tuple(section.model_fields)
    if first["type"] == "extra_forbidden":
        return f"{key}: unknown key{suggestion(key, allowed)}; expected {', '.join(allowed)}"
    if first["type"] == "missing":
        return f"{key}: the key is missing"
    words = EXPECTED.get(first["type"], lambda about: first["msg"])
    expected = PRIOR if is_prior else words(first.get("ctx", {}))
    near = suggestion(str(first["input"]), expected.split("'")[1::2]) if first["type"] == "literal_error" else ""
    return f"{key}: expected {expected}, got {shown(first['input'])}{near}"
