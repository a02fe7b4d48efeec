"""The keys of ``[mechanism]`` of kind ``multilevel``, of its terms and of its covariates, and how large they may be."""

from typing import Annotated, Any, Literal

from pydantic import Field

from simstudy.models.estimands import MU
from simstudy.models.options import Section

MOST_LEVELS, MOST_CELLS, MOST_OBSERVATIONS = 100_000, 1_000_000, 100_000_000
PriorText = str | float


class MultilevelSection(Section):
    """``[mechanism]`` of kind ``multilevel`` at one value of each list, without its terms and covariates.

    Args:
        kind: of the mechanism: a sum of terms.
        likelihood: how observations arise from effects.
        per_cell: observations (or trials) in each cell.
        sizes: observations of each cell, none among them.
        empty: share of the cells without observations.
        exposure: of each observation, for counts.
        mu: intercept: the mean of the cells where covariates are 0, or a prior that it is drawn from.
    """

    kind: Literal["multilevel"]
    likelihood: str = "normal"
    per_cell: Annotated[int, Field(ge=1, le=MOST_OBSERVATIONS, examples=[4])] | None = None
    sizes: (
        Annotated[tuple[Annotated[int, Field(ge=0, le=MOST_OBSERVATIONS)], ...], Field(examples=[[3, 0, 5]])] | None
    ) = None
    empty: Annotated[float, Field(ge=0, lt=1)] = 0.0
    exposure: Annotated[float, Field(gt=0, examples=[1.0])] | None = None
    mu: PriorText = MU.value


class TermSection(Section):
    """``[mechanism.terms.NAME]``, without the options and parameters of its structure.

    Args:
        structure: how the effects of the levels hang together.
        levels: number of levels; of a nested factor, within each level of the other.
        within: factor that this one is nested in.
        effects: "random": new effects in each replicate; "fixed": the same in all.
        noise: distribution that effects are made of: "normal", or another, which no method expects.
        graph: neighbors of the levels, for structures on a graph: a lattice, or a file of pairs.
        points: where the levels lie, for structures on points: on a line, or coordinates.
        covariate: covariate of the slopes: its name, or a table with name and values.
        slope: of all levels on the covariate, or a prior that it is drawn from.
    """

    structure: str = "exchangeable"
    levels: Annotated[int, Field(ge=1, le=MOST_LEVELS, examples=[8])] | None = None
    within: Annotated[str, Field(examples=["school"])] | None = None
    effects: Literal["random", "fixed"] = "random"
    noise: Annotated[Any, Field(examples=[{"kind": "student_t", "df": 3.0}])] = "normal"
    graph: Annotated[Any, Field(examples=[{"lattice": [5, 5]}])] = None
    points: Annotated[Any, Field(examples=[{"line": 20}])] = None
    covariate: Annotated[Any, Field(examples=[{"name": "day", "values": [0, 1, 2]}, "day"])] = None
    slope: Annotated[PriorText, Field(examples=[0.5])] | None = None


class CovariateSection(Section):
    """``[mechanism.covariates.NAME]``: values that are crossed with the cells, or those of a factor's levels.

    Args:
        values: of the covariate; crossed with the cells, or one for each level of the factor ``of``.
        of: factor whose levels have the values.
        draw: draws them from a standard normal distribution, instead of values.
        beta: coefficient, or a prior that it is drawn from.
    """

    values: Annotated[tuple[float, ...], Field(examples=[[0.0, 1.0, 2.0]])] | None = None
    of: Annotated[str, Field(examples=["school"])] | None = None
    draw: Annotated[Literal["normal"], Field(examples=["normal"])] | None = None
    beta: Annotated[PriorText, Field(examples=[0.5])] | None = None
