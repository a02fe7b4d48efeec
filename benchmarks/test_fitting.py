"""The fit side, piece by piece: simulate, gradient, advance, a whole block. All warm, all blocking on their results."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from simstudy.fitting.fitting import fit_block
from simstudy.models.density import density_of
from simstudy.samplers.nuts import NUTSOptions, NUTSProgram
from simstudy.samplers.nuts.leapfrog import value_and_gradient
from simstudy.samplers.precision import as_leaves

LANES = 256
OPTIONS = NUTSOptions(warmup=100, draws=100, lanes=LANES)


@pytest.fixture(scope="module")
def arrays(study, replicates):
    """Sufficient statistics, (fit, ...)."""
    return study.methods[0].model.arrays([r.data for r in replicates])


@pytest.fixture(scope="module")
def density(study, arrays):
    """Log density of the study's model."""
    return density_of(study.methods[0].model, as_leaves(jax.tree.map(lambda leaf: leaf[0], arrays), "float32"))


@pytest.fixture(scope="module")
def program(density, arrays):
    """The sampler, compiled."""
    program = NUTSProgram(density.log_density, density.n_dims, OPTIONS)
    program.compile(jax.tree.map(lambda leaf: leaf[0], arrays))
    return program


def test_simulate(benchmark, study, keys):
    """64 data sets of 8 groups of 10: the same bits as before, and their truth."""
    mechanism = study.scenarios[0].mechanism
    first = mechanism.simulate(keys)
    again = benchmark.pedantic(mechanism.simulate, args=(keys,), rounds=20, warmup_rounds=1)
    assert len(again) == len(keys)
    np.testing.assert_array_equal([r.data.y for r in again], [r.data.y for r in first])
    benchmark.extra_info["fits"] = len(keys)


def test_gradient(benchmark, density, arrays):
    """Log density and gradient of 256 lanes: the gradient is a difference quotient's to 1e-3, in float64 to 1e-6."""
    data = jax.tree.map(lambda leaf: np.moveaxis(leaf, 0, -1)[..., np.arange(LANES) % leaf.shape[0]], arrays)
    q = np.random.default_rng(2).uniform(-1, 1, (density.n_dims, LANES))
    direction = np.random.default_rng(3).normal(size=q.shape)
    evaluate = jax.jit(partial(value_and_gradient, density.log_density))
    half = 1e-5
    with jax.enable_x64(True):
        up, down = (np.asarray(density.log_density(jnp.asarray(q + s * half * direction), data)) for s in (1, -1))
        slope = (up - down) / (2 * half)
        exact = np.asarray(evaluate(jnp.asarray(q), data)[1])
    np.testing.assert_allclose((exact * direction).sum(0), slope, rtol=1e-6, atol=1e-6)
    single = as_leaves((q, data), "float32")
    _, gradient = benchmark.pedantic(
        lambda: jax.block_until_ready(evaluate(*single)), rounds=50, iterations=5, warmup_rounds=3
    )
    np.testing.assert_allclose(gradient, exact, rtol=1e-3, atol=1e-3 * np.abs(exact).max())
    benchmark.extra_info["gradients"] = LANES


def test_advance(benchmark, program, arrays):
    """Whole fits through the lanes: every draw finite, the leapfrogs counted, no more than there was room for."""
    data = jax.tree.map(lambda leaf: np.moveaxis(leaf, 0, -1), arrays)
    keys = np.arange(2 * len(arrays["n"]), dtype=np.uint32).reshape(-1, 2)
    fits = benchmark.pedantic(program.sample, args=(data, keys), rounds=3, warmup_rounds=1)
    assert np.isfinite(fits.draws).all()
    assert fits.work.n_leapfrog == fits.num_steps.sum() + fits.n_leapfrog_warmup.sum() <= fits.work.n_slots
    benchmark.extra_info["leapfrogs"] = fits.work.n_leapfrog
    benchmark.extra_info["macro_steps"] = fits.work.n_slots // (LANES * 2**OPTIONS.stride)


def test_fit_block(benchmark, block, rows):
    """A block from simulation to rows gives the rows that it gave before; with its effective draws and leapfrogs."""
    again = benchmark.pedantic(fit_block, args=(block,), rounds=2)
    for name, values in again.estimates.items():
        np.testing.assert_array_equal(values, rows.estimates[name], err_msg=name)
    mu = again.estimates["estimand"] == "mu"
    benchmark.extra_info["ess"] = float(again.estimates["ess_bulk"][mu].sum())
    benchmark.extra_info["leapfrogs"] = int(again.timings["n_leapfrog"])
