"""The keys of ``[mechanism]`` of kind ``multilevel``, of its terms and of its covariates, and how large they may be."""

from typing import Annotated, Any, Literal

from pydantic import Field

from simstudy.models.estimands import MU
from simstudy.models.options import Section

MOST_LEVELS, MOST_CELLS, MOST_OBSERVATIONS = 100_000, 1_000_000, 100_000_000
PriorText = str | float


class MultilevelSection(Section):
    """``[mechanism]`` of kind ``multilevel`` at one value of each list, without its terms and covariates."""

    kind: Literal["multilevel"]
    likelihood: str = "normal"
    per_cell: Annotated[int, Field(ge=1, le=MOST_OBSERVATIONS)] | None = None
    sizes: tuple[Annotated[int, Field(ge=0, le=MOST_OBSERVATIONS)], ...] | None = None
    empty: Annotated[float, Field(ge=0, lt=1)] = 0.0
    exposure: Annotated[float, Field(gt=0)] | None = None
    mu: PriorText = MU.value


class TermSection(Section):
    """``[mechanism.terms.NAME]``, without the options and parameters of its structure."""

    structure: str = "exchangeable"
    levels: Annotated[int, Field(ge=1, le=MOST_LEVELS)] | None = None
    within: str | None = None
    effects: Literal["random", "fixed"] = "random"
    noise: Any = "normal"
    graph: Any = None
    points: Any = None
    covariate: Any = None
    slope: PriorText | None = None


class CovariateSection(Section):
    """``[mechanism.covariates.NAME]``: values that are crossed with the cells, or those of a factor's levels."""

    values: tuple[float, ...] | None = None
    of: str | None = None
    draw: Literal["normal"] | None = None
    beta: PriorText | None = None
