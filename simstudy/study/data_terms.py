"""``[mechanism.terms.NAME]`` and ``[mechanism.covariates.NAME]`` of a data set -> columns of its table, and terms."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from simstudy.errors import StudyError, shown
from simstudy.mechanisms.cell_rows import CovariateColumn
from simstudy.mechanisms.levels import FactorColumns
from simstudy.models.options import Section, checked
from simstudy.models.predictor import Term
from simstudy.models.terms import TERM_STRUCTURES
from simstudy.study.term_sections import (
    check_of,
    family_of,
    has_covariates,
    refuse_needless_covariates,
    refuse_two_parents,
    structure_of,
    with_options,
)

MOST_DIMENSIONS = 2


class DataTermSection(Section):
    """``[mechanism.terms.NAME]`` of a data set, without the options of its structure.

    Args:
        structure: how the effects of the levels hang together.
        column: of the factor; by default the one of its own name.
        within: factor that this one is nested in.
        graph: neighbors of the levels, for structures on a graph: a file of pairs.
        points: columns of the levels' coordinates, one or two, for structures on points.
        covariate: covariate of the slopes, or several.
    """

    structure: str = "exchangeable"
    column: Annotated[str, Field(examples=["school_id"])] | None = None
    within: Annotated[str, Field(examples=["school"])] | None = None
    graph: Annotated[Any, Field(examples=[{"edges": "neighbors.csv"}])] = None
    points: Annotated[Any, Field(examples=[{"columns": ["x", "y"]}])] = None
    covariate: Annotated[Any, Field(examples=["days", ["days", "dose"]])] = None


class DataCovariateSection(Section):
    """``[mechanism.covariates.NAME]`` of a data set.

    Args:
        column: of the covariate; by default the one of its own name.
        of: factor whose levels have the values.
    """

    column: Annotated[str, Field(examples=["days_of_sleep"])] | None = None
    of: Annotated[str, Field(examples=["school"])] | None = None


def term_section(factor: str, given: Mapping[str, Any]) -> DataTermSection:
    """Return the section of a term.

    Raises:
        StudyError: names the term, key, value and what is allowed.
    """
    where = f"[mechanism.terms.{factor}]"
    refuse_two_parents(given, where)
    section: DataTermSection = checked(with_options(DataTermSection, family_of(given, where)), given, where)
    try:
        covariates_of(section)
        _points(section)
        _check_layout(section)
    except StudyError as error:
        raise StudyError(f"{where} {error}") from error
    return section


def covariates_of(section: DataTermSection) -> tuple[str, ...]:
    """Return the covariates whose slopes a term has."""
    given = section.covariate
    names = tuple(given) if isinstance(given, tuple | list) else () if given is None else (given,)
    if not all(isinstance(name, str) for name in names) or len(set(names)) < len(names):
        raise StudyError(f'covariate: expected the name of a covariate, such as "days", got {shown(given)}')
    if has_covariates(section.structure) and not names:
        raise StudyError(f"covariate: the structure {section.structure!r} needs one; name a column of numbers")
    if names and not has_covariates(section.structure):
        refuse_needless_covariates(section.structure)
    return names


def _points(section: DataTermSection) -> tuple[str, ...]:
    """Return the columns of coordinates."""
    given = section.points
    if given is None:
        return ()
    columns = given["columns"] if isinstance(given, Mapping) and list(given) == ["columns"] else None
    names = columns if isinstance(columns, list | tuple) else [columns]
    if not 1 <= len(names) <= MOST_DIMENSIONS or not all(isinstance(name, str) for name in names):
        raise StudyError(f'points: expected a table such as {{ columns = ["x", "y"] }}, got {shown(given)}')
    return tuple(names)


def _check_layout(section: DataTermSection) -> None:
    """Refuse a structure without the layout that it needs."""
    layout = TERM_STRUCTURES[section.structure].layout
    if layout == "graph" and section.graph is None:
        raise StudyError(
            f'graph: the structure {section.structure!r} needs it; give graph = {{ edges = "edges.csv" }}, a file with '
            "two neighbors in each row"
        )
    if layout == "points" and section.points is None:
        raise StudyError(f'points: the structure {section.structure!r} needs it; give points = {{ columns = ["x"] }}')
    if layout == "order" and section.points is not None:
        raise StudyError(f"points: the structure {section.structure!r} goes by the order of its levels; leave it out")


def columns_of(factor: str, section: DataTermSection) -> FactorColumns:
    """Return where the levels of a factor stand."""
    return FactorColumns(
        column=section.column or factor,
        within=section.within,
        is_ordered=TERM_STRUCTURES[section.structure].layout == "order",
        pairs=None if section.graph is None else section.graph["edges"],
        points=_points(section),
    )


def term_of(factor: str, section: DataTermSection, *, alone: bool) -> Term:
    """Return the term that models assume."""
    structure = structure_of(section, covariates_of(section))
    return Term(factor=factor, structure=structure, alone=alone, within=section.within)


def covariate_of(name: str, given: Mapping[str, Any], factors: Mapping[str, Any]) -> CovariateColumn:
    """Return where a covariate stands.

    Raises:
        StudyError: names the covariate, key, value and what is allowed.
    """
    where = f"[mechanism.covariates.{name}]"
    section = checked(DataCovariateSection, given, where)
    check_of(section.of, factors, where)
    return CovariateColumn(column=section.column or name, of=section.of)
