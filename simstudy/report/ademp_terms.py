"""The terms of a mechanism in words: levels, how they lie, and the values of parameters, a line for each factor."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from simstudy.report.reading.vocabulary import factor_letter
from simstudy.report.reading.wording import counted

ONE_VALUE = ("structure", "covariate", "covariates", "values", "within", "of", "draw")
"""Keys of terms and covariates whose lists are one value."""
SAID_BEFORE = ("structure",)
"""Keys that the words of the mechanism say."""
GROUPS = ("terms", "covariates")


def n_settings(mechanism: Mapping[str, Any]) -> int:
    """Return the number of settings that the lists of terms and covariates make.

    >>> n_settings({"terms": {"school": {"levels": [6, 24], "tau": [0, 0.5, 1]}, "class": {"within": "school"}}})
    6
    """
    tables = [table for group in GROUPS for table in mechanism.get(group, {}).values()]
    lists = [value for table in tables for key, value in table.items() if key not in ONE_VALUE]
    return math.prod(len(value) for value in lists if isinstance(value, list | tuple))


def term_lines(mechanism: Mapping[str, Any]) -> list[str]:
    """Return a line for each term, and for each covariate that has a table of its own.

    >>> term_lines({"terms": {"class": {"within": "school", "levels": 4, "tau": [0, 0.5]}}})
    ['class: 4 levels in each school; τ: 0, 0.5']
    """
    terms = dict(sorted(mechanism.get("terms", {}).items(), key=lambda term: bool(term[1].get("within"))))
    told = {name: _term(name, table, n_terms=len(terms)) for name, table in terms.items()}
    told |= {f"covariate {name}": _covariate(table) for name, table in mechanism.get("covariates", {}).items()}
    return [f"{name}: {'; '.join(said)}" for name, said in told.items() if said]


def _term(factor: str, table: Mapping[str, Any], *, n_terms: int) -> list[str]:
    """Return what is said of a term: first its levels and how they lie, then values."""
    first = []
    if "levels" in table:
        levels = f"{_listed(table['levels'])} levels"
        first.append(f"{levels} in each {table['within']}" if table.get("within") else levels)
    for key, say in (("graph", _layout), ("points", _layout), ("covariate", _covariates)):
        if table.get(key) is not None:
            first.append(say(table[key]))
    said = {"levels", "within", "graph", "points", "covariate", *SAID_BEFORE}
    values = {key: value for key, value in table.items() if key not in said and value is not None}
    return first + [f"{_letter(key, factor, n_terms)}: {_listed(value)}" for key, value in values.items()]


def _letter(key: str, factor: str, n_terms: int) -> str:
    if key == "slope":
        return "mean slope"
    of_factor = factor_letter(f"{key}[{factor}]")
    own = f"{key}[{factor}]" if n_terms > 1 and of_factor != f"{key}[{factor}]" else key
    return factor_letter(own)


def _layout(given: Any) -> str:
    """Return what a graph or points are, or each of several."""
    if not isinstance(given, Mapping):
        return ", ".join(_layout(one) for one in given)
    (key, value), *_ = given.items()
    if key in ("lattice", "grid"):
        return f"a {key} of {' × '.join(map(str, value))}"
    if key in ("line", "ring"):
        return f"{value} points on a {key}" if key == "line" else f"a ring of {value}"
    if key == "edges":
        return "a graph" if isinstance(value, str) else f"a graph of {counted(len(value), 'edge')}"
    return f"{counted(len(value), 'point')}" if key == "at" else f"points in {_listed(value)}"


def _covariates(given: Any) -> str:
    each = given if isinstance(given, Sequence) and not isinstance(given, str) else [given]
    return "slopes on " + ", ".join(_named(one) for one in each)


def _named(one: Any) -> str:
    if not isinstance(one, Mapping):
        return str(one)
    return f"{one['name']} ({'; '.join(_covariate({k: v for k, v in one.items() if k != 'name'}))})"


def _covariate(table: Mapping[str, Any]) -> list[str]:
    told = []
    if values := table.get("values"):
        told.append(f"{counted(len(values), 'value')} from {_one(min(values))} to {_one(max(values))}")
    if table.get("draw"):
        told.append(f"{table['draw']} numbers, the same in every replicate")
    if table.get("of"):
        told.append(f"one for each {table['of']}")
    if table.get("beta") is not None:
        told.append(f"coefficient {_listed(table['beta'])}")
    return told


def _listed(value: Any) -> str:
    items = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
    return ", ".join(_one(item) for item in items)


def _one(value: Any) -> str:
    if isinstance(value, Mapping):
        return " ".join(_one(v) if k == "kind" else f"({k} {_one(v)})" for k, v in value.items())
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return f"{value:g}" if is_number else str(value)
