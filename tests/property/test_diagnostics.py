"""What must hold of the diagnostics of any draws."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from simstudy.summaries.diagnostics import diagnose, ess_bulk, ess_tail, rhat

FLOAT32_SUMS = 2e-5  # autocovariances are summed in float32, in the order of the chains

no_deadline = settings(deadline=None)  # a loaded machine is no defect
shapes = array_shapes(min_dims=2, max_dims=2, min_side=4, max_side=12)
# Integers: ties are frequent, and the transforms below are exact.
tied = shapes.flatmap(lambda shape: arrays(np.float64, shape, elements=st.integers(-1000, 1000).map(float)))
# Normals: no sum of autocorrelations is exactly 0, where rounding alone would decide the end of Geyer's sequence.
untied = st.builds(lambda shape, seed: np.random.default_rng(seed).normal(size=shape), shapes, st.integers(0, 2**32))


@no_deadline
@given(tied)
def test_bulk_and_tail_ess_see_ranks_alone(x):
    """A strictly increasing transform, with integers to integers, leaves every rank and so every number."""
    for transformed in (x**3 + x, np.where(x > 0, 5 * x, x)):
        np.testing.assert_array_equal(ess_bulk(transformed), ess_bulk(x))
        np.testing.assert_array_equal(ess_tail(transformed), ess_tail(x))


@no_deadline
@given(tied, st.integers(-30, 30), st.integers(-(2**20), 2**20))
def test_diagnostics_do_not_depend_on_units(x, exponent, shift):
    """R-hat and the sizes that see ranks keep their value, to the last bit, under shift and scale."""
    scale = 2.0**exponent
    plain, moved = diagnose(x), diagnose(scale * (x + shift))
    np.testing.assert_array_equal(moved.rhat, plain.rhat)
    np.testing.assert_array_equal(moved.ess_bulk, plain.ess_bulk)
    np.testing.assert_array_equal(moved.ess_tail, plain.ess_tail)


@no_deadline
@given(untied, st.floats(1e-9, 1e9), st.floats(-10, 10))
def test_errors_have_the_unit_of_the_draws(x, scale, shift):
    """Monte Carlo errors scale with the draws and do not see a shift."""
    plain, moved = diagnose(x), diagnose(scale * (x + shift))
    np.testing.assert_allclose(moved.mcse_mean, scale * plain.mcse_mean, rtol=FLOAT32_SUMS)
    np.testing.assert_allclose(moved.mcse_sd, scale * plain.mcse_sd, rtol=FLOAT32_SUMS)


@no_deadline
@given(untied)
def test_rhat_and_bulk_ess_are_symmetric(x):
    """Draws turned upside down mix as well as before."""
    np.testing.assert_allclose(rhat(-x), rhat(x), rtol=1e-9)
    np.testing.assert_allclose(ess_bulk(-x), ess_bulk(x), rtol=FLOAT32_SUMS)


@no_deadline
@given(untied, st.randoms(use_true_random=False))
def test_the_order_of_chains_is_of_no_account(x, random):
    """Chains are exchangeable."""
    order = random.sample(range(len(x)), len(x))
    plain, permuted = diagnose(x), diagnose(x[order])
    np.testing.assert_allclose(permuted.rhat, plain.rhat, rtol=1e-9)
    for name in ("ess_bulk", "ess_tail", "mcse_mean"):
        np.testing.assert_allclose(getattr(permuted, name), getattr(plain, name), rtol=FLOAT32_SUMS)


@no_deadline
@given(tied)
def test_effective_sizes_are_within_their_bounds(x):
    """Positive, and at most n log10(n); R-hat never falls below its value for chains of equal means."""
    found = diagnose(x)
    n = x.shape[0] * 2 * (x.shape[1] // 2)
    for size in (found.ess_bulk, found.ess_tail):
        assert np.isnan(size) or 0 < size <= n * np.log10(n) * (1 + 1e-12)
    half = x.shape[1] // 2
    assert np.isnan(found.rhat) or found.rhat >= np.sqrt((half - 1) / half) * (1 - 1e-12)
