"""Every transition is the one that a plain implementation makes of the same random numbers."""

import numpy as np
import pytest

from simstudy.samplers.nuts import NUTSOptions, NUTSProgram
from simstudy.samplers.nuts.random import chain_key, decisions, normals
from simstudy.samplers.precision import use_precision
from tests.samplers.nuts.reference import Randomness, transition

N_DIMS, MAX_DEPTH, N_DRAWS, N_FITS = 2, 6, 25, 6
SCALE = np.array([[3.0], [30.0]])  # against a step of 1: trajectories of 3 to 63 steps


def log_density(q, data):
    return -0.5 * ((q / SCALE) ** 2).sum(0) - data["quartic"] * (q**4).sum(0)


def stream_of(key, stride):
    """Return a function from the macro-step at which a transition begins to its random numbers, step by step."""
    size, n_macro_steps = 2**stride, 2**MAX_DEPTH // 2**stride * (N_DRAWS + 1)
    with use_precision("float64"):
        steps = np.arange(n_macro_steps, dtype=np.uint32)
        keys = np.repeat(np.asarray(chain_key(key, np.uint32(0)))[:, None], n_macro_steps, 1)
        log_u, sign = (np.asarray(x) for x in decisions(keys, steps, size + stride))
        momentum = np.asarray(normals(keys, steps, range(N_DIMS)))
    doubling_log_u, next_sign = np.full((2, n_macro_steps, size), np.nan)
    for level in range(1, stride + 1):
        doubling_log_u[:, 2**level - 2], next_sign[:, 2**level - 2] = log_u[size + level - 1], sign[size + level - 1]

    def randomness(macro_step):
        return Randomness(
            momentum=momentum[:, macro_step],
            first_sign=sign[0, macro_step],
            log_u_leaf=log_u[:size, macro_step:].T.ravel(),
            log_u_doubling=doubling_log_u[macro_step:].ravel(),
            next_sign=next_sign[macro_step:].ravel(),
        )

    return randomness


@pytest.mark.parametrize("stride", [1, 2, 3, 4])
def test_transitions_are_those_of_a_plain_sampler_with_numpyros_checks(stride):
    """Draw, steps, acceptance, energy and divergence agree, so the U-turn checks are NumPyro's, whatever the stride.

    A fit with a steep quartic term adds divergent and maximum-depth ends. The step size is 1 (no warm-up).
    """
    options = NUTSOptions(
        chains=1, warmup=0, draws=N_DRAWS, max_treedepth=MAX_DEPTH, stride=stride, lanes=128, precision="float64"
    )
    quartic = np.array([0.0, 0.0, 1e-4, 0.02, 1.0, 5.0])
    keys = np.arange(2 * N_FITS, dtype=np.uint32).reshape(N_FITS, 2)
    start = np.linspace(-2, 2, N_DIMS * N_FITS).reshape(1, N_DIMS, N_FITS)
    fits = NUTSProgram(log_density, N_DIMS, options).sample({"quartic": quartic}, keys, start=start)
    for fit in range(N_FITS):
        randomness, position, macro_step = stream_of(keys[fit], stride), start[0, :, fit], 0
        for draw in range(N_DRAWS):
            outcome = transition(
                lambda q, fit=fit: float(-0.5 * ((q / SCALE[:, 0]) ** 2).sum() - quartic[fit] * (q**4).sum()),
                lambda q, fit=fit: -q / SCALE[:, 0] ** 2 - 4 * quartic[fit] * q**3,
                position,
                randomness(macro_step),
                step=1.0,
                max_depth=MAX_DEPTH,
            )
            assert fits.num_steps[fit, 0, draw] == outcome.num_steps
            assert fits.diverging[fit, 0, draw] == outcome.diverging
            np.testing.assert_allclose(fits.draws[fit, 0, draw], outcome.draw, rtol=1e-9, atol=1e-9)
            np.testing.assert_allclose(fits.accept_prob[fit, 0, draw], outcome.accept_prob, rtol=1e-8)
            np.testing.assert_allclose(fits.energy[fit, 0, draw], outcome.energy, rtol=1e-9)
            position, macro_step = fits.draws[fit, 0, draw], macro_step + -(-outcome.num_steps // 2**stride)
    assert fits.diverging.any()
    assert (fits.num_steps == 2**MAX_DEPTH - 1).any()
    assert len(np.unique(fits.num_steps)) > 10
