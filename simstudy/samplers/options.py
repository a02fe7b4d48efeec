"""The options that every sampler has: each with its bounds, its default and what a report calls it, stated once."""

from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from simstudy.models.options import check_options

Precision = Literal["float32", "float64"]

OF_TRAJECTORIES = {"of_trajectories": True}
"""Metadata of an option that means nothing to a sampler without trajectories."""


def called(words: str) -> dict[str, Any]:
    """Return metadata of an option that a report does not call by its own name.

    >>> called("target acceptance")
    {'words': 'target acceptance'}
    """
    return {"words": words}


@dataclass(frozen=True, kw_only=True)
class ChainOptions:
    """Options of a sampler that makes chains of draws.

    Args:
        chains: independent chains per fit.
        warmup: draws for adaptation, discarded.
        draws: draws kept, per chain; a rank-normalized diagnostic needs 4.
        target_accept: acceptance probability that the step size is adapted to.
        max_treedepth: most doublings of a trajectory, which has at most ``2**max_treedepth - 1`` steps.
        precision: floating point numbers of positions, momenta and draws.

    Raises:
        StudyError: an option is outside its bounds.
    """

    kind: ClassVar[str]
    chains: Annotated[int, Field(ge=1, le=1024)] = 4
    warmup: Annotated[int, Field(ge=0, le=10_000_000)] = field(default=500, metadata=OF_TRAJECTORIES)
    draws: Annotated[int, Field(ge=4, le=10_000_000)] = 500
    target_accept: Annotated[float, Field(gt=0, lt=1)] = field(
        default=0.8, metadata=OF_TRAJECTORIES | called("target acceptance")
    )
    max_treedepth: Annotated[int, Field(ge=1, le=20)] = field(
        default=10, metadata=OF_TRAJECTORIES | called("maximum tree depth")
    )
    precision: Precision = "float32"

    def __post_init__(self) -> None:
        check_options(self)
