"""What a lane carries from one macro-step to the next.

A lane is one chain of one fit. Lanes lie on the last axis of every array, so that each operation is one contiguous
loop over lanes. Shapes: D dimensions, L lanes.
"""

from dataclasses import dataclass, fields
from typing import Any, TypeVar, dataclass_transform

import jax
import jax.numpy as jnp
import numpy as np

Array = jax.Array | np.ndarray
State = TypeVar("State")


@dataclass_transform(kw_only_default=True, frozen_default=True)
def _pytree(cls: type[State]) -> type[State]:
    """Make a frozen dataclass and register it with jax, all fields data."""
    made: Any = dataclass(frozen=True, kw_only=True)(cls)
    return jax.tree_util.register_dataclass(made, data_fields=[f.name for f in fields(made)], meta_fields=[])


@_pytree
class Trajectory:
    """The binary tree of a transition: its two ends, its sums and its draw so far.

    The *front* is the end that grows; the other is the *back*. Turning round swaps them, which is all that a change
    of direction takes. The front's gradient is computed anew at the start of a macro-step.

    Args:
        position: (D, L) unconstrained position of the front.
        momentum: (D, L) momentum of the front.
        back_position: (D, L).
        back_momentum: (D, L).
        back_gradient: (D, L) gradient of the log density at the back.
        direction: (L,) 1 or -1, the sign of the front's step.
        energy: (L,) Hamiltonian at the start of the trajectory.
        depth: (L,) int32, doublings completed.
        n_steps: (L,) int32, leapfrog steps made.
        accept_sum: (L,) sum over the steps of min(1, exp(-energy error)).
        log_weight: (L,) log of the sum of exp(-energy error) over the tree of the completed doublings.
        momentum_sum: (D, L) sum of momenta over the tree of the completed doublings.
        draw: (D, L) position chosen so far.
        draw_error: (L,) energy error there.
    """

    position: Array
    momentum: Array
    back_position: Array
    back_momentum: Array
    back_gradient: Array
    direction: Array
    energy: Array
    depth: Array
    n_steps: Array
    accept_sum: Array
    log_weight: Array
    momentum_sum: Array
    draw: Array
    draw_error: Array


@_pytree
class Subtree:
    """The doubling in progress.

    Args:
        log_weight: (L,) log of the sum of exp(-energy error) over its leaves.
        candidate: (D, L) position chosen among its leaves.
        candidate_error: (L,) energy error there.
        momentum_sum: (D, L) sum of momenta over its leaves up to the last whole macro-step.
        first_momentum: per level above a macro-step, (D, L) momentum of the first leaf of the run that is open.
        sum_before: per level, (D, L) ``momentum_sum`` when that run was opened.
    """

    log_weight: Array
    candidate: Array
    candidate_error: Array
    momentum_sum: Array
    first_momentum: tuple[Array, ...]
    sum_before: tuple[Array, ...]


@_pytree
class Adaptation:
    """Step size, mass matrix and what their adaptation remembers.

    Args:
        step_size: (L,).
        inverse_mass: (D, L) diagonal of the inverse mass matrix; 0 holds a padded dimension still.
        n_steps: (L,) int32, updates of the dual averaging since its last restart.
        error_mean: (L,) weighted mean of target minus observed acceptance.
        log_step_mean: (L,) weighted mean of the log step size.
        log_step_center: (L,) value that the log step size is pulled towards.
        n_positions: (L,) int32, positions in the variance estimate of the current window.
        position_mean: (D, L) their mean.
        position_ss: (D, L) their sum of squared deviations.
        gradient_mean: (D, L) mean of the gradients of the log density there, or None where they are not used.
        gradient_ss: (D, L) their sum of squared deviations, or None.
    """

    step_size: Array
    inverse_mass: Array
    n_steps: Array
    error_mean: Array
    log_step_mean: Array
    log_step_center: Array
    n_positions: Array
    position_mean: Array
    position_ss: Array
    gradient_mean: Array | None = None
    gradient_ss: Array | None = None


@_pytree
class Lane:
    """Everything a lane carries.

    Args:
        key: (2, L) uint32, key of the lane's random stream.
        macro_step: (L,) uint32, macro-steps since the chain began.
        n_transitions: (L,) int32, transitions completed, warm-up included.
        n_leapfrog_warmup: (L,) int32, leapfrog steps of the warm-up.
        trajectory: tree of the transition in progress.
        subtree: doubling in progress.
        adaptation: step size and mass matrix.
    """

    key: Array
    macro_step: Array
    n_transitions: Array
    n_leapfrog_warmup: Array
    trajectory: Trajectory
    subtree: Subtree
    adaptation: Adaptation


STATISTICS = ("num_steps", "accept_prob", "energy", "diverging")
"""What is reported of a transition besides its draw."""


@_pytree
class Arrivals:
    """New chains for some of the lanes; what stands on other lanes is ignored.

    Args:
        admitted: (L,) bool, lanes that get a new chain.
        fit_key: (2, L) uint32 keys of the fits.
        chain: (L,) uint32, number of the chain in its fit.
        inverse_mass: (D, L) inverse mass to begin with: 1, or 0 in padded dimensions, which stay at 0.
        start: (D, L) starting points, where given.
        is_given: (L,) bool.
    """

    admitted: Array
    fit_key: Array
    chain: Array
    inverse_mass: Array
    start: Array
    is_given: Array


@_pytree
class Transition:
    """What a macro-step reports of the transitions that ended in it and are kept; elsewhere ``num_steps`` is 0.

    Args:
        draw: (D, L) position.
        num_steps: (L,) int32 leapfrog steps, at least 1.
        accept_prob: (L,) mean of min(1, exp(-energy error)) over the steps.
        energy: (L,) Hamiltonian at the draw.
        diverging: (L,) bool.
    """

    draw: Array
    num_steps: Array
    accept_prob: Array
    energy: Array
    diverging: Array


def choose(mask: Array, new: State, old: State) -> State:
    """Return the state that takes its lanes from ``new`` where the mask (L,) holds, else from ``old``."""
    return jax.tree.map(lambda a, b: a if a is b else jnp.where(mask, a, b), new, old)
