"""The two compiled functions of a program: put new chains on lanes, and advance all lanes."""

from dataclasses import replace

import jax
import jax.numpy as jnp

from simstudy.samplers.nuts.leapfrog import value_and_gradient
from simstudy.samplers.nuts.macrostep import Target, macro_step
from simstudy.samplers.nuts.random import chain_key, uniforms
from simstudy.samplers.nuts.state import STATISTICS, Array, Arrivals, Lane, Subtree, Trajectory, choose
from simstudy.samplers.nuts.warmup import initial_adaptation

START_TRIES = 100
"""Starting points tried until the log density and its gradient are finite, as in NumPyro."""


def idle_lanes(target: Target, n_lanes: int, dtype) -> Lane:
    """Return lanes that have nothing to do."""
    position = jnp.zeros((len(target.word_index), n_lanes), dtype)
    lane = _new_lanes(target, position, jnp.zeros((2, n_lanes), jnp.uint32), inverse_mass=position)
    return _retire(target, lane, jnp.ones(n_lanes, bool))


def admit(target: Target, lane: Lane, data, arrivals: Arrivals) -> tuple[Lane, Array]:
    """Put new chains on the admitted lanes; return the lanes and whether each could start, (L,) bool.

    A chain starts where its start is given, else at the first of 100 random points at which the log density and its
    gradient are finite. One that finds none is retired at once, and holds up no other.

    Args:
        target: what is sampled.
        lane: lanes before.
        data: pytree with lanes last, the new fits' data on the admitted lanes.
        arrivals: the new chains.
    """
    key, inverse_mass = chain_key(arrivals.fit_key, arrivals.chain), arrivals.inverse_mass

    def attempt(carry):
        number, position, usable = carry
        step = jnp.full(key.shape[1:], number, jnp.uint32)
        random = target.options.init_radius * (2 * uniforms(key, step, target.word_index) - 1)
        fresh = jnp.where(inverse_mass > 0, jnp.where(arrivals.is_given, arrivals.start, random), 0)
        position = jnp.where(usable, position, fresh)
        value, gradient = value_and_gradient(target.log_density, position, data)
        return number + 1, position, usable | jnp.isfinite(value) & jnp.isfinite(gradient).all(0)

    def goes_on(carry):
        number, _, usable = carry
        return (number < START_TRIES) & ~usable.all()

    first = jnp.zeros((), jnp.uint32), jnp.zeros_like(inverse_mass), ~arrivals.admitted
    _, position, usable = jax.lax.while_loop(goes_on, attempt, first)
    lane = choose(arrivals.admitted, _new_lanes(target, position, key, inverse_mass=inverse_mass), lane)
    return _retire(target, lane, ~usable), usable


def advance(target: Target, lane: Lane, data, *, n_macro_steps: int) -> tuple[Lane, jax.Array]:
    """Advance all lanes by so many macro-steps; return them and one row per lane and macro-step.

    Rows are (L, macro-step, D + 4): the draw, then ``STATISTICS``, of the transition that ended there and is kept;
    where there is none, ``num_steps`` is 0.
    """

    def body(i, carry):
        lane, record = carry
        lane, transition = macro_step(target, lane, data)
        return lane, jax.tree.map(lambda all_, one: all_.at[i].set(one), record, transition)

    shapes = jax.eval_shape(lambda lane: macro_step(target, lane, data)[1], lane)
    record = jax.tree.map(lambda x: jnp.zeros((n_macro_steps, *x.shape), x.dtype), shapes)
    lane, record = jax.lax.fori_loop(0, n_macro_steps, body, (lane, record))
    columns = [getattr(record, name).astype(record.draw.dtype)[:, None] for name in STATISTICS]
    return lane, jnp.concatenate([record.draw, *columns], axis=1).transpose(2, 0, 1)


def _new_lanes(target: Target, position, key, *, inverse_mass) -> Lane:
    """Return lanes at the start of a chain; their first macro-step draws momentum, direction and energy."""
    zero, none = jnp.zeros_like(position), jnp.zeros_like(position[0])
    count = none.astype(jnp.int32)
    n_long = max(max(target.treedepths) - 1 - target.levels, 0)
    return Lane(
        key=key,
        macro_step=count.astype(jnp.uint32),
        n_transitions=count,
        n_leapfrog_warmup=count,
        trajectory=Trajectory(
            position=position,
            momentum=zero,
            back_position=zero,
            back_momentum=zero,
            back_gradient=zero,
            direction=none + 1,
            energy=none,
            depth=count,
            n_steps=count,
            accept_sum=none,
            log_weight=none,
            momentum_sum=zero,
            draw=position,
            draw_error=none,
        ),
        subtree=Subtree(
            log_weight=none,
            candidate=zero,
            candidate_error=none,
            momentum_sum=zero,
            first_momentum=(zero,) * n_long,
            sum_before=(zero,) * n_long,
        ),
        adaptation=initial_adaptation(
            inverse_mass, step_size=target.options.step_size, with_gradients=target.uses_gradients
        ),
    )


def _retire(target: Target, lane: Lane, retired) -> Lane:
    """Return the lanes, the retired ones as if their chain were complete."""
    return replace(lane, n_transitions=jnp.where(retired, target.n_transitions, lane.n_transitions))
