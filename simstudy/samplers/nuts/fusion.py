"""What the compiler must be kept from, so that lane-sized work is done once per lane.

XLA's CPU compiler fuses cheap producers into every consumer. A mask (L,) that decides over positions (D, L) would be
recomputed, with all that led to it, for each of the D dimensions; the energies of all steps so far, for each choice
among them. An optimization barrier is gone before fusion takes place. What is not fused are operations that the
compiler deems expensive, such as a square root or a division, whose result is used more than once.
"""

import jax.numpy as jnp


def once_per_lane(mask):
    """Return the mask (L,) as it is, computed once and stored: through a square root of 0 or 1."""
    return jnp.sqrt(mask.astype(jnp.result_type(float))) > 0


def stored(values, direction):
    """Return the values (L,) as they are, computed once and stored: through a division by 1.

    Args:
        values: (L,) floats.
        direction: (L,) 1 or -1, whose square is a 1 that the compiler does not know of.
    """
    return values / (direction * direction)
