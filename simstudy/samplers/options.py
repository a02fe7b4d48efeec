"""The options that every sampler has: each with its bounds, its default and what a report calls it, stated once."""

from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from simstudy.models.options import check_options

Precision = Literal["float32", "float64"]

OF_TRAJECTORIES = {"of_trajectories": True}
"""Metadata of an option that means nothing to a sampler without trajectories."""


TOLD_IF_CHANGED = {"told_if_changed": True}
"""Metadata of an option that studies, tables and reports have only where it is not at its default: studies from before
there was such an option are the same studies."""


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


@dataclass(frozen=True, kw_only=True)
class TrajectoryOptions(ChainOptions):
    """Options of the samplers that adapt and follow trajectories; defaults and meanings are those of NumPyro's NUTS.

    Args:
        step_size: the first step size; the warm-up adapts it from there.
        adapt_step_size: whether the warm-up adapts the step size.
        max_treedepth_warmup: most doublings of a trajectory of the warm-up; those of draws, unless given.
        thinning: transitions of which one draw is kept. ``draws`` are those kept. Leapfrog steps of all transitions
            count, and a kept draw counts as divergent where any of its transitions is; how many trajectories were cut
            at the maximum depth is not known then.
        init_radius: chains start uniformly within this of 0 in every unconstrained dimension; 0 starts them at 0.
    """

    step_size: Annotated[float, Field(gt=0)] = field(default=1.0, metadata=TOLD_IF_CHANGED)
    adapt_step_size: bool = field(default=True, metadata=TOLD_IF_CHANGED)
    max_treedepth_warmup: Annotated[int | None, Field(ge=1, le=20, examples=[6])] = field(
        default=None, metadata=TOLD_IF_CHANGED | called("maximum tree depth of warm-up")
    )
    thinning: Annotated[int, Field(ge=1, le=10_000)] = field(default=1, metadata=TOLD_IF_CHANGED)
    init_radius: Annotated[float, Field(ge=0)] = field(default=2.0, metadata=TOLD_IF_CHANGED | called("starts within"))

    @property
    def told_treedepth(self) -> int:
        """Depth at which the steps of a kept draw tell a trajectory cut short; 0, no depth, where draws are thinned."""
        return self.max_treedepth if self.thinning == 1 else 0

    @property
    def n_transitions(self) -> int:
        """Transitions of a chain, warm-up included."""
        return self.warmup + self.draws * self.thinning
