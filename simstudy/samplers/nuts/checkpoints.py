"""U-turn checks of the subtrees inside a doubling: which end where, and what must be kept to make them.

A doubling is checked as the recursion would do it: every aligned run of 2**k of its leaves, k >= 1, when the last of
them is made. Runs of up to 2**A leaves lie in a *frame*: the last leaf of the macro-step before and all but the last
of this one. Longer runs are made of whole frames; at each level at most one is open.
"""

from dataclasses import replace

import jax.numpy as jnp

from simstudy.samplers.nuts.fusion import once_per_lane
from simstudy.samplers.nuts.state import Array, Subtree
from simstudy.samplers.nuts.tree import is_turning

where = jnp.where


class Frame:
    """Momenta of the leaves of a frame and the sums of its aligned runs, as they are traced.

    Args:
        levels: A, the frame will hold 2**A leaves.
        momentum: (D, L) momentum of its first leaf.
    """

    def __init__(self, levels: int, momentum):
        self.momenta: list[Array] = []
        self.sums: list[list[Array]] = [[] for _ in range(levels + 1)]
        self.add(momentum)

    def add(self, momentum) -> None:
        """Add a leaf and the sums of the runs that it ends, each from those of its two halves."""
        self.momenta.append(momentum)
        self.sums[0].append(momentum)
        for level in self.levels_ended():
            half, other_half = self.sums[level - 1][-2:]
            self.sums[level].append(half + other_half)

    def levels_ended(self) -> list[int]:
        """Levels k, ascending, of the runs of 2**k leaves that end with the last leaf added."""
        return [k for k in range(1, len(self.sums)) if len(self.momenta) % 2**k == 0]

    def is_turning(self, inverse_mass, level: int, *, first=None):
        """Return whether the run of a level that ends with the last leaf turns back, (L,) bool.

        Args:
            inverse_mass: (D, L) diagonal.
            level: one of ``levels_ended()``.
            first: (D, L) momentum of the other end, that of the run's first leaf unless given.
        """
        first = self.momenta[-(2**level)] if first is None else first
        return is_turning(inverse_mass, self.sums[level][-1], first, self.momenta[-1])


def check_long_runs(subtree: Subtree, frame: Frame, *, inverse_mass, depth, n_leaves):
    """Return the subtree with the frame added, and whether a run longer than the frame ends with it and turns back.

    Levels above the deepest doubling of all lanes are not visited.

    Args:
        subtree: the doubling in progress.
        frame: complete.
        inverse_mass: (D, L) diagonal.
        depth: (L,) int32, log2 of the leaves of the doubling when complete; 0 for lanes with nothing to check.
        n_leaves: (L,) int32 leaves of the doubling so far, the frame included.
    """
    levels = len(frame.sums) - 1
    before, total = subtree.momentum_sum, subtree.momentum_sum + frame.sums[levels][-1]

    first_momentum, sum_before = list(subtree.first_momentum), list(subtree.sum_before)
    turning = jnp.zeros(depth.shape, bool)
    for row, level in enumerate(range(levels + 1, levels + 1 + len(first_momentum))):
        in_run = n_leaves & ((1 << level) - 1)
        opens, ends = once_per_lane(in_run == 2**levels), (in_run == 0) & (level <= depth)
        first_momentum[row] = where(opens, frame.momenta[0], first_momentum[row])
        sum_before[row] = where(opens, before, sum_before[row])
        turning |= ends & is_turning(inverse_mass, total - sum_before[row], first_momentum[row], frame.momenta[-1])
    grown = replace(subtree, momentum_sum=total, first_momentum=tuple(first_momentum), sum_before=tuple(sum_before))
    return grown, turning
