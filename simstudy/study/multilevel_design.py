"""``[mechanism]`` of kind ``multilevel`` -> its cells: terms over factors, covariates, and the values of parameters.

Every list is a factor of the design, but for those that say what covariates are.
A key of a term is written with its factor in the tables: ``tau[school]``.
"""

import functools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import create_model

from simstudy.errors import StudyError, named, one_of, shown, suggestion
from simstudy.mechanisms import Mechanism
from simstudy.mechanisms.cells import Crossed, cells_of
from simstudy.mechanisms.deviates import DEVIATES, Deviates
from simstudy.mechanisms.layouts import graph_of, pairs_in, points_of
from simstudy.mechanisms.multilevel import Multilevel, SimulatedTerm
from simstudy.models.estimands import MU
from simstudy.models.likelihoods import LIKELIHOODS, Likelihood
from simstudy.models.location import coefficient, dependent
from simstudy.models.options import checked, option_types, section_of
from simstudy.models.predictor import Term
from simstudy.models.priors import Prior, parse_prior
from simstudy.models.terms import TERM_STRUCTURES, TermStructure
from simstudy.study.factors import check_lists, crossed
from simstudy.study.multilevel_factors import factors_of
from simstudy.study.multilevel_sections import (
    MOST_CELLS,
    MOST_OBSERVATIONS,
    CovariateSection,
    MultilevelSection,
    PriorText,
    TermSection,
)
from simstudy.study.term_sections import (
    check_factor,
    check_of,
    family_of,
    has_covariates,
    refuse_needless_covariates,
    refuse_two_parents,
    structure_of,
    with_options,
)

HERE = "[mechanism]"
NOT_FACTORS = frozenset({"structure", "covariate", "covariates", "values", "within", "sizes", "of", "draw"})
"""Keys whose lists are one value; graphs and points are tables, so that a list of them is a factor."""


Cell = tuple[Mechanism, dict[str, Any]]


def multilevel_counts(contents: Mapping[str, Any]) -> dict[str, int]:
    """Return list -> its number of values.

    Raises:
        StudyError: a list is empty, or terms or covariates are no tables.
    """
    flat = _flat(contents)
    counts = check_lists(flat, [key for key in flat if _is_factor(key)], f"{HERE} ")
    sizes = contents.get("sizes")
    return counts | ({"sizes": len(sizes)} if isinstance(sizes, list) else {})


def multilevel_cells(contents: Mapping[str, Any], folder: Path | None) -> Iterator[Cell]:
    """Yield the mechanism and the factors of every cell of the study's design.

    Raises:
        StudyError: the message names key, value and what is allowed.
    """
    flat = _flat(contents)
    for one in crossed(flat, [key for key in flat if _is_factor(key) or key == "sizes"]):
        yield _cell(_nested(one), folder)


def plain_multilevel(contents: Mapping[str, Any], folder: Path | None) -> dict[str, Any]:
    """Return the section as a run keeps it: pairs of neighbors in the place of the file that they stand in."""
    terms = {}
    for name, term in contents.get("terms", {}).items():
        term = dict(term)
        if (graph := term.get("graph")) is not None:
            is_list = isinstance(graph, list)
            term["graph"] = [_with_pairs(one, folder) for one in graph] if is_list else _with_pairs(graph, folder)
        terms[name] = term
    return {**contents, "terms": terms}


def _with_pairs(graph: Any, folder: Path | None) -> Any:
    """Return a graph with the pairs of neighbors in the place of the file that they stand in."""
    if isinstance(graph, Mapping) and isinstance(graph.get("edges"), str):
        return {**graph, "edges": pairs_in(graph["edges"], folder)}
    return graph


def _is_factor(key: str) -> bool:
    return key.rpartition(".")[2] not in NOT_FACTORS


def _flat(contents: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keys of the section, of its terms and of its covariates, with a path for a name."""
    flat = {key: value for key, value in contents.items() if key not in ("terms", "covariates")}
    for group in ("terms", "covariates"):
        tables = contents.get(group, {})
        if not isinstance(tables, Mapping):
            raise StudyError(f"{HERE} {group}: expected tables such as [mechanism.{group}.school], got {shown(tables)}")
        # Tables have no order: a study that is read back from JSON has to make the same cells.
        for name, table in sorted(tables.items(), key=lambda item: str(item[0])):
            if not isinstance(table, Mapping):
                raise StudyError(
                    f"{HERE} {group}.{named(name)}: expected a table such as [mechanism.{group}.{name}], got "
                    f"{shown(table)}"
                )
            if not str(name).isidentifier():
                raise StudyError(f"{HERE} {group}: the name {shown(name)} is no word of letters, digits and '_'")
            flat |= {f"{group}.{name}.{key}": value for key, value in table.items()} or {f"{group}.{name}.": None}
    return flat


def _nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    """Return what ``_flat`` made flat as it was."""
    out: dict[str, Any] = {"terms": {}, "covariates": {}}
    for path, value in flat.items():
        group, _, rest = path.partition(".")
        if not rest:
            out[path] = value
            continue
        name, _, key = rest.partition(".")
        table = out[group].setdefault(name, {})
        if key:
            table[key] = value
    return out


def _cell(contents: Mapping[str, Any], folder: Path | None) -> Cell:
    """Return the mechanism at one value of each list, and its factors as the tables show them."""
    terms, covariates = contents["terms"], contents["covariates"]
    own = {name: value for name, value in contents.items() if name not in ("terms", "covariates")}
    if not terms:
        raise StudyError(f"{HERE} terms: a sum of terms needs at least one, such as [mechanism.terms.school]")
    name = contents.get("likelihood", "normal")
    if name not in list(LIKELIHOODS):
        raise StudyError(f"{HERE} likelihood: {one_of(LIKELIHOODS, name)}")
    section = checked(_section(LIKELIHOODS[name]), own, HERE)
    likelihood = _likelihood(section)
    if likelihood.needs_standard_errors:
        raise StudyError(f"{HERE} likelihood: a sum of terms has no known standard errors; give 'normal'")
    if section.exposure is not None and not likelihood.has_exposure:
        raise StudyError(
            f"{HERE} exposure: only counts have one; the likelihood {section.likelihood!r} has none; leave the key out"
        )
    read = {factor: _term_section(factor, table) for factor, table in terms.items()}
    covariates = _with_inline(covariates, read)
    cells = cells_of(
        {factor: _levels(factor, one, folder) for factor, one in read.items()},
        {name: _covariate(name, table, read) for name, table in covariates.items()},
    )
    sizes = _sizes(section, cells.design.n_cells)
    _refuse_dependent({name: x[np.asarray(sizes) > 0] for name, x in cells.covariates.items()})
    simulated = tuple(_term(factor, one, alone=len(read) == 1) for factor, one in read.items())
    for term in (one.term for one in simulated):
        check_factor(term.structure, term.factor, cells.design, f"[mechanism.terms.{term.factor}]")
    values = _values(section, likelihood, simulated, read, covariates)
    mechanism = Multilevel(
        likelihood=likelihood,
        design=cells.design,
        sizes=sizes,
        terms=simulated,
        values=tuple(values.items()),
        covariates=tuple((name, tuple(x.tolist())) for name, x in cells.covariates.items()),
        exposure=section.exposure,
    )
    return mechanism, factors_of(section, mechanism, read)


@functools.cache
def _section(likelihood: type[Likelihood]) -> type[MultilevelSection]:
    keys: dict[str, Any] = {p.name: (PriorText, p.value) for p in likelihood.every_parameter}
    return create_model("MultilevelSection", __base__=MultilevelSection, **keys | option_types(likelihood))


def _likelihood(section: MultilevelSection) -> Likelihood:
    family = LIKELIHOODS[section.likelihood]
    return family(**{name: getattr(section, name) for name in option_types(family)})


def _term_section(factor: str, table: Mapping[str, Any]) -> TermSection:
    where = f"[mechanism.terms.{factor}]"
    refuse_two_parents(table, where)
    section: TermSection = checked(with_options(TermSection, family_of(table, where), is_open=True), table, where)
    own = [p.name for p in _structure(section).parameters]
    if strange := [key for key in section.model_extra or {} if key not in own]:
        allowed = [*type(section).model_fields, *own]
        raise StudyError(
            f"{where} {named(strange[0])}: unknown key{suggestion(strange[0], allowed)}; the structure "
            f"{section.structure!r} has "
            f"{', '.join(allowed)}"
        )
    if section.slope is not None and not _covariate_names(section):
        raise StudyError(f"{where} slope: only a term with a covariate has one; leave the key out, or give covariate")
    return section


def _covariate_names(section: TermSection) -> tuple[str, ...]:
    """Return the covariates of a term: names, or the names of tables."""
    given = section.covariate
    each = given if isinstance(given, tuple | list) else () if given is None else (given,)
    names = [one.get("name") if isinstance(one, Mapping) else one for one in each]
    if not all(isinstance(name, str) and name.isidentifier() for name in names):
        raise StudyError(
            f'covariate: expected the name of a covariate, or a table such as {{ name = "day", values = [0, 1, 2] }}, '
            f"got {shown(given)}"
        )
    return tuple(map(str, names))


def _structure(section: TermSection) -> TermStructure:
    names = _covariate_names(section)
    if has_covariates(section.structure) and not names:
        raise StudyError(f"covariate: the structure {section.structure!r} needs one; give its name and values")
    if names and not has_covariates(section.structure):
        refuse_needless_covariates(section.structure)
    return structure_of(section, names)


def _term(factor: str, section: TermSection, *, alone: bool) -> SimulatedTerm:
    structure = _structure(section)
    return SimulatedTerm(
        term=Term(factor=factor, structure=structure, alone=alone, within=section.within),
        noise=_noise(section.noise, f"[mechanism.terms.{factor}]"),
        effects=section.effects,
    )


def _noise(given: Any, where: str) -> Deviates:
    options = {"kind": given} if isinstance(given, str) else given
    if not isinstance(options, Mapping) or options.get("kind") not in list(DEVIATES):
        raise StudyError(
            f"{where} noise: {one_of(DEVIATES, options.get('kind') if isinstance(options, Mapping) else given)}"
        )
    family = DEVIATES[options["kind"]]
    section = checked(section_of(family), options, f"{where} noise")
    return family(**{name: getattr(section, name) for name in option_types(family)})


def _levels(factor: str, section: TermSection, folder: Path | None) -> Crossed:
    """Return the levels of a factor, and how they lie."""
    where = f"[mechanism.terms.{factor}]"
    layout = TERM_STRUCTURES[section.structure].layout
    try:
        if section.graph is not None:
            found = graph_of(_with_pairs(section.graph, folder), section.levels)
            return Crossed(n_levels=found.n_levels, edges=found.edges, labels=found.labels)
        if section.points is not None:
            points = points_of(section.points)
            if section.levels not in (None, len(points)):
                raise StudyError(f"levels: there are {len(points)} points, not {section.levels}; leave the key out")
            return Crossed(n_levels=len(points), points=points)
    except StudyError as error:
        raise StudyError(f"{where} {error}") from error
    if layout in ("graph", "points"):
        example = "{ lattice = [5, 5] }" if layout == "graph" else "{ line = 20 }"
        raise StudyError(f"{where} {layout}: the structure {section.structure!r} needs it; give {layout} = {example}")
    if section.levels is None:
        raise StudyError(f"{where} levels: the key is missing; give the number of levels, such as levels = 8")
    return Crossed(n_levels=section.levels, within=section.within)


def _with_inline(covariates: Mapping[str, Any], terms: Mapping[str, TermSection]) -> dict[str, Any]:
    """Return the covariates, those that stand in a term among them, with the slope of all levels as coefficient."""
    out = {name: dict(table) for name, table in covariates.items()}
    for factor, section in terms.items():
        where = f"[mechanism.terms.{factor}]"
        each = section.covariate if isinstance(section.covariate, tuple | list) else (section.covariate,)
        for one in each:
            if isinstance(one, Mapping):
                if one["name"] in out:
                    raise StudyError(
                        f"{where} covariate: {shown(one['name'])} stands twice; say what it is in one place"
                    )
                out[one["name"]] = {key: value for key, value in one.items() if key != "name"}
        names = _covariate_names(section)
        if unknown := [name for name in names if name not in out]:
            raise StudyError(
                f"{where} covariate: no covariate {shown(unknown[0])}{suggestion(unknown[0], out)}; say what it is: "
                f'covariate = {{ name = "{unknown[0]}", values = [0, 1, 2] }}'
            )
        for name in names:
            if section.slope is not None and "beta" in out[name]:
                raise StudyError(f"{where} slope: the covariate {name!r} has beta already; give one of them")
            out[name].setdefault("beta", 0.0 if section.slope is None else section.slope)
    return out


def _covariate(name: str, table: Mapping[str, Any], terms: Mapping[str, TermSection]) -> dict[str, Any]:
    where = f"[mechanism.covariates.{name}]"
    section = checked(CovariateSection, table, where)
    if (section.values is None) == (section.draw is None):
        raise StudyError(f'{where} values: give either values, a list of numbers, or draw = "normal"')
    check_of(section.of, terms, where)
    if section.values is not None and len(set(section.values)) < 2:
        raise StudyError(
            f"{where} values: expected at least two different numbers, got {shown(list(section.values))}; a constant "
            "says nothing beside the intercept"
        )
    return {"values": section.values, "of": section.of}


def _refuse_dependent(x: Mapping[str, np.ndarray]) -> None:
    """Refuse covariates that are not apart in the cells with observations."""
    if names := dependent(x):
        told = (
            f"{', '.join(names)} are not apart: each is a linear combination of the others and the intercept"
            if len(names) > 1
            else f"{names[0]} is constant"
        )
        raise StudyError(
            f"[mechanism.covariates.{names[-1]}] values: {told}, in all cells with observations; leave one out"
        )


def _sizes(section: MultilevelSection, n_cells: int) -> tuple[int, ...]:
    """Return the number of observations in each cell."""
    if section.sizes is not None:
        if section.per_cell is not None or section.empty:
            raise StudyError(f"{HERE} sizes: give either sizes, one number for each cell, or per_cell and empty")
        if len(section.sizes) != n_cells or not any(section.sizes):
            raise StudyError(
                f"{HERE} sizes: expected {n_cells} numbers, one for each cell and not all 0, got {len(section.sizes)}"
            )
        return section.sizes
    if n_cells > MOST_CELLS:
        raise StudyError(f"{HERE} terms: they make {n_cells:,} cells, more than {MOST_CELLS:,}; give fewer levels")
    n = 1 if section.per_cell is None else section.per_cell
    if n * n_cells > MOST_OBSERVATIONS:
        raise StudyError(
            f"{HERE} per_cell: makes {n * n_cells:,} observations of a data set, more than {MOST_OBSERVATIONS:,}"
        )
    n_empty = min(round(section.empty * n_cells), n_cells - 1)
    # Which cells are empty is the same in every scenario of as many cells.
    empty = np.random.default_rng(n_cells).permutation(n_cells)[:n_empty]
    sizes = np.full(n_cells, n)
    sizes[empty] = 0
    return tuple(sizes.tolist())


def _values(
    section: MultilevelSection,
    likelihood: Likelihood,
    terms: tuple[SimulatedTerm, ...],
    read: Mapping[str, TermSection],
    covariates: Mapping[str, Any],
) -> dict[str, Prior]:
    """Return the value or prior of every parameter."""
    values = {}
    try:
        values["mu"] = parse_prior(section.mu, MU)
        for name, table in covariates.items():
            if "beta" in table:
                values[f"beta[{name}]"] = parse_prior(table["beta"], coefficient(name))
        for simulated in terms:
            given = read[simulated.term.factor].model_extra or {}
            for own, parameter in zip(simulated.term.structure.parameters, simulated.term.parameters, strict=True):
                values[parameter.name] = parse_prior(given.get(own.name, own.value), parameter)
        for p in likelihood.parameters:
            values[p.name] = parse_prior(getattr(section, p.name), p)
    except StudyError as error:
        raise StudyError(f"{HERE} {error}") from error
    return values
