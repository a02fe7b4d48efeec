"""The trajectory as a binary tree: where it turns back on itself, and which of its points becomes the draw.

Multinomial sampling over the points of a trajectory with biased progressive doubling and the generalized no-U-turn
criterion (Hoffman & Gelman 2014; Betancourt 2017, appendices A.3 and A.4), as NumPyro does it. Stan makes two more
checks at each doubling, across the two halves.
"""

from dataclasses import replace

import jax.numpy as jnp

from simstudy.samplers.nuts.fusion import once_per_lane
from simstudy.samplers.nuts.state import Subtree, Trajectory

where = jnp.where


def is_turning(inverse_mass, momentum_sum, first, last):
    """Return whether a stretch of trajectory turns back on itself, (L,) bool.

    Betancourt 2017, section A.4.2: with rho the sum of momenta, the stretch turns where p' M^-1 rho <= 0 at either
    end. Like NumPyro's, rho counts each end half: the trapezoid rule for the displacement.

    Args:
        inverse_mass: (D, L) diagonal.
        momentum_sum: (D, L) sum of momenta over the stretch, both ends included.
        first: (D, L) momentum at one end.
        last: (D, L) momentum at the other.
    """
    displacement = inverse_mass * (momentum_sum - 0.5 * (first + last))
    return ((displacement * first).sum(0) <= 0) | ((displacement * last).sum(0) <= 0)


def add_log_weights(log_weight, log_weight_new):
    """Return log(w + w_new) for finite logs of two weights."""
    difference = jnp.abs(log_weight_new - log_weight)
    return jnp.maximum(log_weight, log_weight_new) + jnp.log(1 + jnp.exp(-difference))


def add_leaf(subtree: Subtree, position, error, *, log_uniform, opens=None) -> Subtree:
    """Add a point to the subtree and choose between it and the candidate in proportion to their weights.

    The weight is exp(-energy error); the new point is taken with probability w_new / (w + w_new) (Betancourt 2017,
    section A.3.1). Idle lanes do as they like: nothing reads their subtree before it is opened again.

    Args:
        subtree: the doubling in progress.
        position: (D, L) of the point.
        error: (L,) its Hamiltonian minus that at the start.
        log_uniform: (L,) log of a uniform number.
        opens: (L,) bool, lanes for which the point is the subtree's first; None where it is so for no lane.
    """
    total = add_log_weights(subtree.log_weight, -error)
    takes = log_uniform < -error - total
    if opens is not None:
        total, takes = where(opens, -error, total), opens | takes
    takes = once_per_lane(takes)
    return replace(
        subtree,
        log_weight=total,
        candidate=where(takes, position, subtree.candidate),
        candidate_error=where(takes, error, subtree.candidate_error),
    )


def merge(tree: Trajectory, subtree: Subtree, complete, *, log_uniform) -> Trajectory:
    """Join a complete subtree to the tree and choose between its candidate and the draw so far.

    Biased progressive sampling: the candidate is taken with probability min(1, w_new / w), away from the start
    (Betancourt 2017, section A.3.2).

    Args:
        tree: tree of the completed doublings.
        subtree: the doubling that may be complete.
        complete: (L,) bool, lanes where it is, and neither turned nor diverged.
        log_uniform: (L,) log of a uniform number.
    """
    total = add_log_weights(tree.log_weight, subtree.log_weight)
    takes = once_per_lane(complete & (log_uniform < subtree.log_weight - tree.log_weight))
    return replace(
        tree,
        depth=tree.depth + complete,
        log_weight=where(complete, total, tree.log_weight),
        draw=where(takes, subtree.candidate, tree.draw),
        draw_error=where(takes, subtree.candidate_error, tree.draw_error),
    )


def choose_direction(tree: Trajectory, gradient, grows, *, sign):
    """Return the tree, its ends swapped where the growing lanes change direction, and the gradient at the front.

    Args:
        tree: tree of the completed doublings.
        gradient: (D, L) gradient at its front.
        grows: (L,) bool, lanes that begin another doubling.
        sign: (L,) its direction, 1 or -1.
    """
    flips = once_per_lane(grows & (sign != tree.direction))
    swapped = replace(
        tree,
        position=where(flips, tree.back_position, tree.position),
        momentum=where(flips, tree.back_momentum, tree.momentum),
        back_position=where(flips, tree.position, tree.back_position),
        back_momentum=where(flips, tree.momentum, tree.back_momentum),
        back_gradient=where(flips, gradient, tree.back_gradient),
        direction=where(flips, sign, tree.direction),
    )
    return swapped, where(flips, tree.back_gradient, gradient)
