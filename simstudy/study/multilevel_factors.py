"""The factors of a scenario of kind ``multilevel``, as the tables show them."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from simstudy.mechanisms.layouts import layout_text
from simstudy.mechanisms.multilevel import Multilevel
from simstudy.models.design import Factor
from simstudy.models.options import option_types
from simstudy.study.multilevel_sections import MultilevelSection, TermSection


def factors_of(section: MultilevelSection, mechanism: Multilevel, terms: Mapping[str, TermSection]) -> dict[str, Any]:
    """Return the factors of a scenario as the tables show them."""
    factors: dict[str, Any] = {"mechanism": section.kind, "likelihood": section.likelihood}
    for factor in mechanism.design.factors:
        factors[f"levels[{factor.name}]"] = factor.n_levels
    factors |= {"cells": mechanism.design.n_cells, "per_cell": section.per_cell or (None if section.sizes else 1)}
    if section.sizes:
        factors["sizes"] = ",".join(map(str, section.sizes))
    if section.empty:
        factors["empty"] = section.empty
    if section.exposure is not None:
        factors["exposure"] = section.exposure
    factors |= {name: getattr(section, name) for name in option_types(type(mechanism.likelihood))}
    for simulated in mechanism.terms:
        name, structure = simulated.term.factor, simulated.term.structure
        factors[f"structure[{name}]"] = terms[name].structure
        factors[f"noise[{name}]"] = simulated.noise.kind
        factors[f"effects[{name}]"] = simulated.effects
        factors |= {f"{key}[{name}]": text for key, text in _layouts(terms[name], mechanism.design.factor(name))}
        options = option_types(type(structure))
        factors |= {f"{key}[{name}]": getattr(structure, key) for key in options if key != "covariates"}
    for name, prior in mechanism.values:
        factors[name] = prior.value if prior.is_constant else prior.text
    return factors


def _layouts(section: TermSection, factor: Factor) -> Iterator[tuple[str, str]]:
    """Yield how the levels of a factor lie, where the study says it, by the key that says it."""
    if factor.edges is not None:
        yield "graph", layout_text(section.graph, f"{len(factor.edges)} pairs")
    if factor.points is not None:
        yield "points", layout_text(section.points, f"{len(factor.points)} points")


def left_out(contents: Mapping[str, Any], factors: Mapping[str, Any], parameters: Iterable[str]) -> dict[str, Any]:
    """Return the values of parameters that a ``[mechanism]`` section does not give: those that are their defaults.

    Args:
        contents: the section.
        factors: of one of its scenarios, by the names of tables.
        parameters: names of parameters.

    >>> left_out({"mu": 2.0, "terms": {"school": {"levels": 4}}}, {"mu": 2.0, "tau": 1.0, "sigma": 1.0}, ["mu", "tau"])
    {'tau': 1.0}
    """
    return {name: factors[name] for name in parameters if name in factors and not _is_given(name, contents)}


def _is_given(name: str, contents: Mapping[str, Any]) -> bool:
    own, _, of = name.removesuffix("]").partition("[")
    terms, covariates = contents.get("terms", {}), contents.get("covariates", {})
    if own == "beta":
        return "beta" in covariates.get(of, {}) or any("slope" in term for term in terms.values())
    tables = [terms[of]] if of in terms else [] if of else list(terms.values())
    return name in contents or any(own in table for table in tables)
