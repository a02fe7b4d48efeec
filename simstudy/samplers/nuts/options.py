"""What a user chooses about the No-U-Turn sampler, and the number of lanes that a program runs at once."""

from dataclasses import dataclass
from typing import Literal

Precision = Literal["float32", "float64"]

LANE_MULTIPLE = 128
"""Lanes come in multiples of this: compiled loops over other widths end in a differently rounded remainder."""


@dataclass(frozen=True, kw_only=True)
class NUTSOptions:
    """Options of the sampler; defaults and meanings are those of ``numpyro.infer.NUTS``.

    Args:
        chains: chains per fit, at least 1.
        warmup: adaptive transitions per chain, at least 0; they are not kept.
        draws: kept draws per chain, at least 1.
        target_accept: acceptance probability that the step size is adapted to, in (0, 1).
        max_treedepth: most doublings of a trajectory, at least 1: it has at most ``2**max_treedepth - 1`` steps.
        max_delta_energy: rise of the Hamiltonian above its start at which a trajectory counts as divergent.
        stride: log2 of the leapfrog steps in one macro-step (``macrostep.py``). It changes speed and the random
            stream, not the distribution: 3 for trajectories of ten steps and more, 2 for short ones.
        lanes: chains that run at once, a multiple of 128, or None for ``default_lanes``. Draws depend on it by
            rounding only.
        precision: type of positions, momenta and draws.

    Raises:
        ValueError: an option is outside its range.

    >>> NUTSOptions(draws=1000).draws
    1000
    >>> NUTSOptions(lanes=100)
    Traceback (most recent call last):
    ValueError: lanes must be a positive multiple of 128; got 100
    """

    chains: int = 4
    warmup: int = 500
    draws: int = 500
    target_accept: float = 0.8
    max_treedepth: int = 10
    max_delta_energy: float = 1000.0
    stride: int = 3
    lanes: int | None = None
    precision: Precision = "float32"

    def __post_init__(self):
        """Refuse values outside their range, each with what is allowed."""
        for name, least in (("chains", 1), ("warmup", 0), ("draws", 1), ("max_treedepth", 1), ("stride", 1)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} must be at least {least}; got {getattr(self, name)}")
        if not 0 < self.target_accept < 1:
            raise ValueError(f"target_accept must lie between 0 and 1; got {self.target_accept}")
        if not self.max_delta_energy > 0:
            raise ValueError(f"max_delta_energy must be positive; got {self.max_delta_energy}")
        if self.lanes is not None and (self.lanes < 1 or self.lanes % LANE_MULTIPLE):
            raise ValueError(f"lanes must be a positive multiple of {LANE_MULTIPLE}; got {self.lanes}")
        if self.precision not in ("float32", "float64"):
            raise ValueError(f"precision must be 'float32' or 'float64'; got {self.precision!r}")


def default_lanes(n_dims: int) -> int:
    """Return the number of lanes for a posterior of so many dimensions.

    Wide enough to pay for the start of each compiled loop, narrow enough that what a macro-step touches stays in a
    core's second-level cache. It depends on the dimension alone, so that draws do not depend on the machine's load.

    >>> default_lanes(3), default_lanes(11), default_lanes(131)
    (512, 256, 128)
    """
    return 512 if n_dims <= 4 else 256 if n_dims <= 48 else 128
