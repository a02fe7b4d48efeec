"""The macro-step: 2**A leapfrog steps of every lane, unrolled, at whatever point of its trajectory each lane is.

A lane starts a trajectory only at the beginning of a macro-step. After s steps a trajectory is in doubling
d = floor(log2(s + 1)), so the step at position p of any macro-step is leaf number p + 1 (mod 2**k) of that doubling,
counted from 0, for every k <= min(d, A). Which runs of leaves end there is therefore known when the program is traced,
the same for all lanes: no gather, no scatter, no stack per lane. In particular

- the runs of 2**k leaves, k <= A, that end at position p are those with p + 2 divisible by 2**k;
- a doubling opens at p = 2**d - 1 and is complete at p = 2**(d + 1) - 2 while the trajectory is in its first
  macro-step; later ones open at p = 2**A - 1 and are complete at p = 2**A - 2.

A lane whose trajectory ends inside a macro-step idles with step zero until the macro-step is over, then takes its
draw, adapts, and starts anew.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from simstudy.samplers.nuts.checkpoints import Frame, check_long_runs
from simstudy.samplers.nuts.fusion import once_per_lane, stored
from simstudy.samplers.nuts.leapfrog import kinetic_energy, leapfrog, value_and_gradient
from simstudy.samplers.nuts.options import NUTSOptions
from simstudy.samplers.nuts.random import decisions, normals
from simstudy.samplers.nuts.state import Lane, Subtree, Trajectory, Transition
from simstudy.samplers.nuts.tree import add_leaf, choose_direction, is_turning, merge
from simstudy.samplers.nuts.warmup import adapt_mass, adapt_step_size

where = jnp.where


@dataclass(frozen=True, kw_only=True)
class Target:
    """What is sampled, and how: the static part of a program.

    Args:
        log_density: (position (D, L), data) -> (L,), pure jax.
        options: options of the sampler.
        word_index: random counter of each of the D dimensions.
    """

    log_density: Callable[..., Any]
    options: NUTSOptions
    word_index: tuple[int, ...]

    @property
    def levels(self) -> int:
        """A, log2 of the steps in a macro-step; no more than the deepest trees of both phases have use for."""
        return min(self.options.stride, *self.treedepths)

    @property
    def treedepths(self) -> tuple[int, int]:
        """Most doublings of the warm-up's trajectories, and of the others."""
        options = self.options
        return options.max_treedepth_warmup or options.max_treedepth, options.max_treedepth

    @property
    def n_transitions(self) -> int:
        """Transitions of a chain, warm-up included."""
        return self.options.n_transitions

    @property
    def uses_gradients(self) -> bool:
        """Whether the mass matrix is made from gradients too."""
        return self.options.mass_matrix == "fisher"


def macro_step(target: Target, lane: Lane, data) -> tuple[Lane, Transition]:
    """Advance every lane by up to 2**A leapfrog steps of its current trajectory; report the transitions that end."""
    size = 2**target.levels
    log_uniform, sign = decisions(lane.key, lane.macro_step, size + target.levels)
    active = lane.n_transitions < target.n_transitions
    lane, walk = _start(target, lane, data, live=active, sign=sign[0])
    for p in range(size):
        walk = _step(target, lane, data, walk, p=p, log_uniform=log_uniform[p])
        top = (p + 2).bit_length() - 1
        if p + 2 == 2**top:
            close = _close_doubling if top == target.levels else _close_first_doublings
            walk = close(target, lane, walk, log_uniform=log_uniform[size + top - 1], sign=sign[size + top - 1])
    return _finish(target, lane, walk, ended=active & ~walk.live)


@dataclass(frozen=True, kw_only=True)
class _Walk:
    """Where the lanes are inside a macro-step.

    Args:
        tree: trajectory; its front is where the next step starts.
        subtree: doubling in progress.
        gradient: (D, L) at the front.
        frame: leaves of this macro-step's frame so far.
        starting: (L,) bool, lanes whose trajectory began with this macro-step.
        opening: (L,) bool, lanes whose next leaf is the first of a doubling, wherever one can open.
        live: (L,) bool, lanes whose trajectory goes on.
        diverging: (L,) bool, lanes whose trajectory ended by divergence.
    """

    tree: Trajectory
    subtree: Subtree
    gradient: jnp.ndarray
    frame: Frame
    starting: jnp.ndarray
    opening: jnp.ndarray
    live: jnp.ndarray
    diverging: jnp.ndarray


def _start(target: Target, lane: Lane, data, *, live, sign) -> tuple[Lane, _Walk]:
    """Give the lanes that start a trajectory a momentum and a direction, and all lanes the gradient at their front.

    Momentum is normal with the mass matrix as its variance; without mass (a padded dimension) there is none. Where a
    trajectory starts, the front is the last draw: a mass matrix made from gradients too is adapted here, to it.
    """
    tree = lane.trajectory
    starting = once_per_lane(tree.n_steps == 0)
    value, gradient = value_and_gradient(target.log_density, tree.position, data)
    if target.uses_gradients:
        adaptation = adapt_mass(
            lane.adaptation,
            transition=lane.n_transitions - 1,
            ended=starting & live,
            position=tree.position,
            gradient=gradient,
            options=target.options,
        )
        lane = replace(lane, adaptation=adaptation)
    inverse_mass = lane.adaptation.inverse_mass
    noise = normals(lane.key, lane.macro_step, target.word_index)
    fresh = where(inverse_mass > 0, noise * jax.lax.rsqrt(inverse_mass), 0)
    momentum = where(starting, fresh, tree.momentum)
    tree = replace(
        tree,
        momentum=momentum,
        back_position=where(starting, tree.position, tree.back_position),
        back_momentum=where(starting, momentum, tree.back_momentum),
        back_gradient=where(starting, gradient, tree.back_gradient),
        direction=where(starting, sign, tree.direction),
        energy=where(starting, kinetic_energy(inverse_mass, momentum) - value, tree.energy),
    )
    return lane, _Walk(
        tree=tree,
        subtree=lane.subtree,
        gradient=gradient,
        frame=Frame(target.levels, momentum),
        starting=starting,
        opening=starting,
        live=live,
        diverging=jnp.zeros_like(live),
    )


def _step(target: Target, lane: Lane, data, walk: _Walk, *, p: int, log_uniform) -> _Walk:
    """Make the leapfrog step at position p, add its leaf, and check the runs that end with it inside a doubling."""
    tree, inverse_mass, size = walk.tree, lane.adaptation.inverse_mass, 2**target.levels
    position, momentum, value, gradient = leapfrog(
        target.log_density,
        data,
        position=tree.position,
        momentum=tree.momentum,
        gradient=walk.gradient,
        step=where(walk.live, lane.adaptation.step_size * tree.direction, 0),
        inverse_mass=inverse_mass,
    )
    error = kinetic_energy(inverse_mass, momentum) - value - tree.energy
    error = stored(where(jnp.isnan(error), jnp.inf, error), tree.direction)
    diverges = walk.live & (error > target.options.max_delta_energy)
    accept = where(walk.live, jnp.exp(-jnp.maximum(error, 0)), 0)
    opening = walk.opening if (p + 1) & p == 0 else None
    live = walk.live & ~diverges
    if p + 1 < size:
        walk.frame.add(momentum)
        for level in walk.frame.levels_ended():
            if 2**level < p + 2:
                live &= ~walk.frame.is_turning(inverse_mass, level)
    return replace(
        walk,
        tree=replace(
            tree,
            position=position,
            momentum=momentum,
            n_steps=tree.n_steps + walk.live,
            accept_sum=tree.accept_sum + accept,
        ),
        subtree=add_leaf(walk.subtree, position, error, log_uniform=log_uniform, opens=opening),
        gradient=gradient,
        live=once_per_lane(live),
        diverging=walk.diverging | diverges,
    )


def _close_first_doublings(target: Target, lane: Lane, walk: _Walk, *, log_uniform, sign) -> _Walk:
    """Complete the doubling of the lanes in their first macro-step, where it ends before the macro-step does.

    Of a starting lane, the run that ends here is the whole tree; of any other, a run inside the doubling. One check
    serves both, from the tree's other end or from the run's first leaf.
    """
    top = walk.frame.levels_ended()[-1]
    other_end = where(walk.starting, walk.tree.back_momentum, walk.frame.momenta[0])
    turns = walk.frame.is_turning(lane.adaptation.inverse_mass, top, first=other_end)
    complete = walk.live & walk.starting
    tree = merge(walk.tree, walk.subtree, complete, log_uniform=log_uniform)
    return _grow(walk, tree, complete & ~turns, live=walk.live & ~turns, sign=sign)


def _close_doubling(target: Target, lane: Lane, walk: _Walk, *, log_uniform, sign) -> _Walk:
    """Complete the frame, and the doubling of the lanes where it ends with the frame."""
    tree, frame, inverse_mass = walk.tree, walk.frame, lane.adaptation.inverse_mass
    live = walk.live & (walk.starting | ~frame.is_turning(inverse_mass, target.levels))
    n_leaves = tree.n_steps + 1 - (1 << tree.depth)
    inside = where(live & ~walk.starting, tree.depth, 0)
    subtree, turns = check_long_runs(walk.subtree, frame, inverse_mass=inverse_mass, depth=inside, n_leaves=n_leaves)
    complete = live & ~turns & (n_leaves == 1 << tree.depth)
    doubled = where(walk.starting, frame.sums[-1][0], tree.momentum_sum + subtree.momentum_sum)
    tree = merge(tree, subtree, complete, log_uniform=log_uniform)
    complete = once_per_lane(complete)
    tree = replace(tree, momentum_sum=where(complete, doubled, tree.momentum_sum))
    subtree = replace(subtree, momentum_sum=where(complete, 0, subtree.momentum_sum))
    tree_turns = is_turning(inverse_mass, doubled, tree.back_momentum, tree.momentum)
    ends = turns | complete & (tree_turns | (tree.depth == _deepest(target, lane)))
    return _grow(replace(walk, subtree=subtree), tree, complete & ~ends, live=live & ~ends, sign=sign)


def _deepest(target: Target, lane: Lane):
    """Return the most doublings of each lane's trajectory."""
    in_warmup, later = target.treedepths
    return later if in_warmup == later else where(lane.n_transitions < target.options.warmup, in_warmup, later)


def _grow(walk: _Walk, tree: Trajectory, grows, *, live, sign) -> _Walk:
    """Begin another doubling in a random direction where the tree grows."""
    tree, gradient = choose_direction(tree, walk.gradient, grows, sign=sign)
    return replace(walk, tree=tree, gradient=gradient, opening=grows, live=once_per_lane(live))


def _finish(target: Target, lane: Lane, walk: _Walk, *, ended) -> tuple[Lane, Transition]:
    """Let the lanes whose trajectory ended take their draw and adapt; report the draws that are kept."""
    ended, tree, warmup = once_per_lane(ended), walk.tree, target.options.warmup
    accept_prob = tree.accept_sum / jnp.maximum(tree.n_steps, 1).astype(tree.energy.dtype)
    in_warmup = lane.n_transitions < warmup
    transition = Transition(
        draw=tree.draw,
        num_steps=where(ended & ~in_warmup, tree.n_steps, 0),
        accept_prob=accept_prob,
        energy=tree.energy + tree.draw_error,
        diverging=walk.diverging,
    )
    adaptation = adapt_step_size(
        lane.adaptation,
        transition=lane.n_transitions,
        ended=ended,
        accept_prob=accept_prob,
        options=target.options,
    )
    if not target.uses_gradients:
        adaptation = adapt_mass(
            adaptation, transition=lane.n_transitions, ended=ended, position=tree.draw, options=target.options
        )
    rested = replace(
        tree,
        position=where(ended, tree.draw, tree.position),
        depth=where(ended, 0, tree.depth),
        n_steps=where(ended, 0, tree.n_steps),
        accept_sum=where(ended, 0, tree.accept_sum),
        log_weight=where(ended, 0, tree.log_weight),
        draw_error=where(ended, 0, tree.draw_error),
    )
    lane = replace(
        lane,
        macro_step=lane.macro_step + np.uint32(1),
        n_transitions=lane.n_transitions + ended,
        n_leapfrog_warmup=lane.n_leapfrog_warmup + where(ended & in_warmup, tree.n_steps, 0),
        trajectory=rested,
        subtree=walk.subtree,
        adaptation=adaptation,
    )
    return lane, transition
