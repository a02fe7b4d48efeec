"""The factors of a scenario of kind ``multilevel``, as the tables show them."""

from collections.abc import Iterator, Mapping
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
