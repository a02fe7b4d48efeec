"""``[mechanism]`` of kind ``dataset`` with terms -> its cells: which columns are factors and covariates.

``[mechanism.terms.NAME]`` names a factor and the structure of its effects, ``[mechanism.covariates.NAME]`` a column of
numbers; each stands in the column of its own name where it names no other.
"""

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, create_model

from simstudy.errors import StudyError, TableError, shown, suggestion
from simstudy.mechanisms.built_in import FOLDER, WITH_TERMS, is_built_in_with_terms
from simstudy.mechanisms.cell_dataset import CellDataset
from simstudy.mechanisms.cell_rows import RESPONSE_KEYS, read_cells
from simstudy.mechanisms.dataset import BUILT_IN, KeptData, file_beside, is_file_name
from simstudy.mechanisms.dataset_section import said_data
from simstudy.mechanisms.layouts import pairs_in
from simstudy.models.options import Section, checked
from simstudy.study.data_terms import columns_of, covariate_of, covariates_of, term_of, term_section
from simstudy.study.term_sections import check_factor
from simstudy.tables import ENDINGS, Table, as_table, read_file
from simstudy.tables.table import listed

HERE = "[mechanism]"
TABLES = ("terms", "covariates")


def has_terms(contents: Mapping[str, Any]) -> bool:
    """Whether a ``[mechanism]`` section of kind ``dataset`` is one of several factors."""
    return any(name in contents for name in TABLES) or is_built_in_with_terms(contents.get("data"))


def terms_cell(contents: Mapping[str, Any], folder: Path | None) -> tuple[CellDataset, dict[str, Any]]:
    """Return the data set, and its factors as the tables show them.

    Raises:
        StudyError: the message names section, key, value and what is allowed.
    """
    section = _merged(contents, folder)
    dataset = _dataset(section, *_table(section.get("data"), folder))
    factors: dict[str, Any] = {"mechanism": dataset.kind, "likelihood": dataset.likelihood.kind, "data": dataset.name}
    factors |= {f"levels[{factor.name}]": factor.n_levels for factor in dataset.design.factors}
    return dataset, {**factors, "cells": dataset.design.n_cells}


def plain_terms(contents: Mapping[str, Any], dataset: CellDataset, folder: Path | None) -> dict[str, Any]:
    """Return the section as a run keeps it: a table in words, every column named, pairs of neighbors for their file."""
    plain = {name: value for name, value in contents.items() if value is not None and name not in TABLES}
    section = _merged(contents, folder)
    named = {} if is_built_in_with_terms(section.get("data")) else {"data": said_data(contents["data"], dataset.name)}
    columns = dict(dataset.columns) if named else {}
    return {**plain, **named, **columns, **{name: section[name] for name in TABLES if section[name]}}


@functools.cache
def _section() -> type[Section]:
    keys: dict[str, Any] = dict.fromkeys(RESPONSE_KEYS, (str | None, None))
    tables: Any = (dict[str, dict[str, Any]], Field(default_factory=dict))
    return create_model(
        "CellDatasetSection",
        __base__=Section,
        kind=Literal["dataset"],
        data=(Any, None),
        terms=tables,
        covariates=tables,
        **keys,
    )


def _merged(contents: Mapping[str, Any], folder: Path | None) -> dict[str, Any]:
    """Return the section over that of a built-in data set, with pairs of neighbors in the place of their file."""
    if (group := contents.get("group")) is not None:
        name = group if isinstance(group, str) and group.isidentifier() else "group"
        raise StudyError(f"{HERE} group: data with terms have factors; give [mechanism.terms.{name}] in its place")
    section: Any = checked(_section(), contents, HERE)
    out = {name: value for name in type(section).model_fields if (value := getattr(section, name)) is not None}
    if is_built_in_with_terms(section.data):
        if given := [key for key in RESPONSE_KEYS if key in out]:
            raise StudyError(f"{HERE} {given[0]}: the data set {section.data!r} has its own columns; leave the key out")
        out = _over(WITH_TERMS[section.data], out)
    for tables in TABLES:
        if strange := [name for name in out[tables] if not str(name).isidentifier()]:
            raise StudyError(
                f"{HERE} {tables}: the name {shown(strange[0])} is no word of letters, digits and '_'; name its column "
                f"with column = {shown(strange[0])}"
            )
    if not out["terms"]:
        raise StudyError(f"{HERE} terms: data with covariates need at least one, such as [mechanism.terms.school]")
    # Tables have no order: a study that is read back from JSON has to make the same cells.
    terms = {name: _with_pairs(name, dict(term), folder) for name, term in sorted(out["terms"].items())}
    return {**out, "terms": terms, "covariates": dict(sorted(out["covariates"].items()))}


def _over(own: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the section of a built-in data set with what a study says over it, table by table."""
    out = {**own, **given}
    for tables in TABLES:
        each = {**own.get(tables, {}), **given[tables]}
        out[tables] = {name: {**own.get(tables, {}).get(name, {}), **table} for name, table in each.items()}
    return out


def _with_pairs(name: str, term: dict[str, Any], folder: Path | None) -> dict[str, Any]:
    """Return the table of a term with pairs of neighbors in the place of the file that they stand in."""
    graph, where = term.get("graph"), f"[mechanism.terms.{name}]"
    if graph is None:
        return term
    if not isinstance(graph, Mapping) or list(graph) != ["edges"]:
        raise StudyError(f'{where} graph: expected a table such as {{ edges = "edges.csv" }}, got {shown(graph)}')
    edges = graph["edges"]
    if isinstance(edges, str | Path):
        try:
            # A path, and no text, is that of a built-in data set.
            edges = pairs_in(edges, folder) if isinstance(edges, str) else pairs_in(edges.name, FOLDER)
        except StudyError as error:
            raise StudyError(f"{where} {error}") from error
    is_pairs = isinstance(edges, list | tuple) and all(isinstance(e, list | tuple) and len(e) == 2 for e in edges)
    ends = [end for edge in edges for end in edge] if is_pairs else [None]
    if not ends or not all(isinstance(end, str | int) and not isinstance(end, bool) for end in ends):
        raise StudyError(f"{where} graph.edges: expected pairs of names of levels, or a file, got {shown(edges)}")
    return {**term, "graph": {"edges": [[str(a), str(b)] for a, b in edges]}}


def _table(data: Any, folder: Path | None) -> tuple[Table, str]:
    """Return the table that a section names or holds, and its name."""
    if isinstance(data, KeptData):
        return data.rows, data.name
    if isinstance(data, str) and data in BUILT_IN:
        raise StudyError(
            f"{HERE} data: {data!r} has one factor, its groups, and no covariates; leave terms and covariates out"
        )
    try:
        if is_built_in_with_terms(data):
            return read_file(FOLDER / f"{data}.csv"), data
        if isinstance(data, str | Path) and is_file_name(str(data)):
            return read_file(file_beside(str(data), folder or Path())), Path(data).name
        if data is None:
            raise StudyError(f"data: the key is missing; name a {' or '.join(ENDINGS)} file, or give a table")
        if isinstance(data, str | list | tuple | bool | int | float):
            raise StudyError(
                f"data: no data set {shown(data)}{suggestion(str(data), WITH_TERMS)}; expected one of "
                f"{', '.join(WITH_TERMS)}, a {' or '.join(ENDINGS)} file, or a table"
            )
        table = as_table(data)
    except TableError as error:
        what = f"cannot read {shown(Path(data).name)}: " if isinstance(data, str | Path) else ""
        raise StudyError(f"{HERE} data: {what}{error}") from error
    except StudyError as error:
        raise StudyError(f"{HERE} {error}") from error
    return table, f"a table of {table.n_rows:,} rows ({listed(table.names)})"


def _dataset(section: Mapping[str, Any], table: Table, name: str) -> CellDataset:
    read = {factor: term_section(factor, given) for factor, given in section["terms"].items()}
    tables = dict(section["covariates"])
    for one in read.values():
        tables |= {covariate: {} for covariate in covariates_of(one) if covariate not in tables}
    covariates = {covariate: covariate_of(covariate, given, read) for covariate, given in tables.items()}
    factors = {factor: columns_of(factor, one) for factor, one in read.items()}
    response = {key: section[key] for key in RESPONSE_KEYS if key in section}
    try:
        found = read_cells(table, response, factors, covariates)
    except (StudyError, TableError) as error:
        where = "" if str(error).startswith("[") else f"{HERE} "
        raise StudyError(f"{where}{error} (data: {name})") from error
    terms = tuple(term_of(factor, one, alone=len(read) == 1) for factor, one in read.items())
    for term in terms:
        where = f"[mechanism.terms.{term.factor}]"
        check_factor(term.structure, term.factor, found.data.design, where, data=f" (data: {name})")
    return CellDataset.of_rows(found, terms, name=name, is_built_in=is_built_in_with_terms(section.get("data")))
