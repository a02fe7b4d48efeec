"""Adaptation is NumPyro's: the same windows, and the same step sizes and variances from the same transitions."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpyro.infer.hmc_util import IntegratorState, build_adaptation_schedule, warmup_adapter

from simstudy.samplers.nuts.options import NUTSOptions
from simstudy.samplers.nuts.warmup import adapt_mass, adapt_step_size, initial_adaptation, variance_windows
from simstudy.samplers.precision import use_precision

N_DIMS = 3
TARGET_ACCEPT = 0.8


@pytest.mark.parametrize("warmup", [0, 1, 19, 20, 30, 99, 149, 150, 151, 175, 200, 300, 500, 731, 1000, 2000])
def test_windows_are_those_of_numpyros_schedule(warmup):
    """The middle windows of NumPyro's schedule, and nothing else, estimate variances."""
    middle = build_adaptation_schedule(warmup)[1:-1]
    windows = variance_windows(warmup)
    assert windows.ends == tuple(window.end for window in middle)
    if middle:
        assert windows.start == middle[0].start


def numpyro_history(warmup, accept_prob, position):
    """Return step sizes and inverse masses after each transition by NumPyro's adapter."""
    init, update = warmup_adapter(warmup, target_accept_prob=TARGET_ACCEPT)
    state = init(IntegratorState(z=position[0], r=None), jax.random.key(0), 1.0, mass_matrix_size=N_DIMS)

    def step(state, row):
        t, accept, z = row
        state = update(t, accept, IntegratorState(z=z), state)
        return state, (state.step_size, state.inverse_mass_matrix)

    return jax.jit(partial(jax.lax.scan, step))(state, (jnp.arange(warmup), accept_prob, position))[1]


def adapt(state, *, transition, ended, accept_prob, position, options):
    """Both adaptations, as a transition ends."""
    state = adapt_step_size(state, transition=transition, ended=ended, accept_prob=accept_prob, options=options)
    return adapt_mass(state, transition=transition, ended=ended, position=position, options=options)


def our_history(warmup, accept_prob, position, ended):
    """Return the same for lanes that each end a transition where ``ended`` holds; lanes last."""

    def step(carry, row):
        state, transition = carry
        accept, z, now = row
        state = adapt(
            state,
            transition=transition,
            ended=now,
            accept_prob=accept,
            position=z,
            options=NUTSOptions(warmup=warmup, target_accept=TARGET_ACCEPT),
        )
        return (state, transition + now), (state.step_size, state.inverse_mass)

    first = initial_adaptation(jnp.ones((N_DIMS, ended.shape[1]))), jnp.zeros(ended.shape[1], jnp.int32)
    return jax.jit(partial(jax.lax.scan, step))(first, (accept_prob, position, ended))[1]


@pytest.mark.parametrize("warmup", [10, 60, 170])
def test_step_sizes_and_variances_are_numpyros_for_lanes_at_different_paces(warmup):
    """After each transition both equal NumPyro's to 1e-9, in a lane without pauses and in one that pauses at random."""
    rng = np.random.default_rng(warmup)
    accept_prob, position = rng.uniform(0.3, 1, warmup), 0.1 * rng.normal(size=(warmup, N_DIMS))
    paused = np.sort(rng.choice(2 * warmup, warmup, replace=False))
    row = np.stack([np.minimum(np.arange(2 * warmup), warmup - 1), np.searchsorted(paused, np.arange(2 * warmup))])
    ended = np.stack([np.arange(2 * warmup) < warmup, np.isin(np.arange(2 * warmup), paused)], 1)
    row = np.minimum(row.T, warmup - 1)
    with use_precision("float64"):
        step_size, inverse_mass = numpyro_history(warmup, accept_prob, position)
        ours, our_mass = our_history(warmup, accept_prob[row], np.moveaxis(position[row], 2, 1), ended)
        for lane in range(2):
            at = np.flatnonzero(ended[:, lane])
            np.testing.assert_allclose(ours[at, lane], step_size, rtol=1e-9)
            np.testing.assert_allclose(our_mass[at, :, lane], inverse_mass, rtol=1e-9)


def test_a_padded_dimension_never_gets_a_mass_of_its_own():
    """Inverse mass 0 is 0 after every window; the other dimensions adapt as without it."""
    warmup, rng = 60, np.random.default_rng(0)
    accept_prob, position = rng.uniform(0.3, 1, (warmup, 1)), rng.normal(size=(warmup, N_DIMS, 1))
    state = initial_adaptation(jnp.array([[1.0], [1.0], [0.0]]))
    one_step = jax.jit(partial(adapt, options=NUTSOptions(warmup=warmup, target_accept=TARGET_ACCEPT)))
    for t in range(warmup):
        state = one_step(
            state, transition=jnp.array([t]), ended=jnp.array([True]), accept_prob=accept_prob[t], position=position[t]
        )
    assert state.inverse_mass[2, 0] == 0
    assert (state.inverse_mass[:2, 0] != 1).all()
