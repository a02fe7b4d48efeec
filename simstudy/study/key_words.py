"""The type, range and default of a key in words, from the annotation that validates it."""

import json
from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter

from simstudy.models.options import Section

TYPES = {
    "integer": "whole number",
    "number": "number",
    "string": "text",
    "boolean": "true or false",
    "object": "table",
}
PLURALS = {"whole number": "whole numbers", "number": "numbers", "text": "texts"}
PRIOR = "number, or prior as text"


def schema_of(annotation: Any) -> dict[str, Any]:
    """Return the JSON schema of what is allowed, without the null that stands for a key left out."""
    adapter = TypeAdapter(annotation, config=None if _has_config(annotation) else Section.model_config)
    schema = adapter.json_schema()
    branches = [branch for branch in schema.get("anyOf", []) if branch.get("type") != "null"]
    if "anyOf" not in schema:
        return schema
    outer = {name: value for name, value in schema.items() if name != "anyOf"}
    return {**outer, **branches[0]} if len(branches) == 1 else {**outer, "anyOf": branches}


def type_words(schema: Mapping[str, Any]) -> str:
    """Return what a value is; empty where everything passes.

    >>> type_words({"type": "array", "items": {"type": "integer"}})
    'list of whole numbers'
    """
    if "anyOf" in schema:
        return PRIOR
    if "const" in schema or "enum" in schema:
        return "text"
    if schema.get("type") == "array":
        inner = type_words(schema.get("items", {}))
        return f"list of {PLURALS.get(inner, inner)}" if inner else "list"
    return TYPES.get(schema.get("type", ""), "")


def range_words(schema: Mapping[str, Any]) -> str:
    """Return which values are allowed; empty where the type says it.

    >>> range_words({"minimum": 1, "maximum": 1024}), range_words({"exclusiveMinimum": 0})
    ('1 to 1,024', 'above 0')
    >>> range_words({"enum": ["shared", "group"]})
    '"shared" or "group"'
    """
    if "const" in schema:
        return toml_text(schema["const"])
    if "enum" in schema:
        return " or ".join(
            filter(None, [", ".join(map(toml_text, schema["enum"][:-1])), toml_text(schema["enum"][-1])])
        )
    if schema.get("type") == "array":
        most = f", at most {schema['maxItems']:,} values" if "maxItems" in schema else ""
        return (range_words(schema.get("items", {})) + most).removeprefix(", ")
    if "maxLength" in schema:
        return f"at most {schema['maxLength']} characters"
    if "minimum" in schema and "maximum" in schema:
        return f"{schema['minimum']:,} to {schema['maximum']:,}"
    ends = {"minimum": "at least", "exclusiveMinimum": "above", "maximum": "at most", "exclusiveMaximum": "below"}
    return " and ".join(f"{words} {schema[end]:,}" for end, words in ends.items() if end in schema)


def toml_text(value: Any) -> str:
    """Return a value as a study file has it, on one line.

    >>> toml_text({"kind": "numpyro", "levels": (0.5, 0.9)}), toml_text(True)
    ('{ kind = "numpyro", levels = [0.5, 0.9] }', 'true')
    """
    if isinstance(value, Mapping):
        inside = ", ".join(f"{key} = {toml_text(each)}" for key, each in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(toml_text, value))}]"
    return json.dumps(value, ensure_ascii=False)


def _has_config(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, Section)
