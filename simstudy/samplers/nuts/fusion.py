"""What the compiler must be told so that lane-sized work is done once per lane.

XLA's CPU compiler fuses cheap producers into every consumer. A mask (L,) that decides over positions (D, L) would be
recomputed, with all that led to it, for each of the D dimensions, and an optimization barrier is gone before fusion
takes place. What it does not fuse into a broadcast are operations that it deems expensive, such as a square root.
"""

import jax.numpy as jnp


def once_per_lane(mask):
    """Return the mask (L,), computed once per lane and stored, whatever it is broadcast over."""
    return jnp.sqrt(mask.astype(jnp.result_type(float))) > 0
