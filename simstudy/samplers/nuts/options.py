"""What is chosen of the No-U-Turn sampler beside its chains, and the number of lanes that a program runs at once."""

from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field

from simstudy.samplers.options import TOLD_IF_CHANGED, TrajectoryOptions

LANE_MULTIPLE = 128
"""Lanes come in multiples of this: compiled loops over other widths end in a differently rounded remainder."""

MANY_DIMS, FEW_LANES = 1536, 32
"""A macro-step of so large a posterior leaves every cache, and costs what its lanes cost: as many as a few fits have, a
power of two that leaves no remainder."""


def _in_full(lanes: int) -> int:
    if lanes % LANE_MULTIPLE:
        raise ValueError(f"a multiple of {LANE_MULTIPLE}")
    return lanes


MassMatrix = Literal["diagonal", "fisher", "identity"]


@dataclass(frozen=True, kw_only=True)
class MassOptions(TrajectoryOptions):
    """What the batched sampler takes for the mass matrix, which is diagonal.

    Args:
        mass_matrix: ``diagonal`` has the inverse variances of the warm-up's draws, as Stan and NumPyro; ``fisher`` the
            square roots of the variances of gradients over those of draws, which minimize the Fisher divergence from
            a normal (Seyboldt, Carlson & Carpenter 2026, "Preconditioning Hamiltonian Monte Carlo by minimizing Fisher
            divergence"); ``identity`` stays as it is.
    """

    mass_matrix: MassMatrix = field(default="diagonal", metadata=TOLD_IF_CHANGED)


@dataclass(frozen=True, kw_only=True)
class NUTSOptions(MassOptions):
    """Options of the sampler; defaults and meanings are those of ``numpyro.infer.NUTS``.

    Args:
        max_delta_energy: rise of the Hamiltonian above its start at which a trajectory counts as divergent.
        stride: log2 of the leapfrog steps in one macro-step (``macrostep.py``). It changes speed and the random
            stream, not the distribution: 3 for trajectories of ten steps and more, 2 for short ones.
        lanes: chains that run at once, a multiple of 128, or None for ``default_lanes``. Draws depend on it by
            rounding only.

    >>> NUTSOptions(draws=1000).draws
    1000
    >>> NUTSOptions(lanes=100)
    Traceback (most recent call last):
    simstudy.errors.StudyError: lanes: expected a multiple of 128, got 100
    """

    kind: ClassVar[str] = "nuts"
    max_delta_energy: Annotated[float, Field(gt=0)] = 1000.0
    stride: Annotated[int, Field(ge=1, le=20)] = 3
    lanes: Annotated[int, Field(ge=1), AfterValidator(_in_full)] | None = None


def default_lanes(n_dims: int) -> int:
    """Return the number of lanes for a posterior of so many dimensions.

    Wide enough to pay for the start of each compiled loop, narrow enough that what a macro-step touches stays in a
    core's second-level cache; where none would, as few as its compiled loops allow, so that a fit does not wait for
    lanes that are empty. It depends on the dimension alone, so that draws do not depend on the machine's load.

    >>> default_lanes(3), default_lanes(11), default_lanes(131), default_lanes(5003)
    (512, 256, 128, 32)
    """
    if n_dims > MANY_DIMS:
        return FEW_LANES
    return 512 if n_dims <= 4 else 256 if n_dims <= 48 else 128
