"""The random stream is Threefry's, uniform and normal numbers are what they claim, and nothing depends on the lane."""

import numpy as np
import pytest
from jax.extend.random import threefry_2x32
from scipy import stats

from simstudy.samplers.nuts.random import chain_key, decisions, normals, threefry2x32, uniforms
from simstudy.samplers.precision import use_precision

N_STEPS = 20_000


def streams(n):
    """Return n lane keys and step counts that differ."""
    key = np.random.default_rng(1).integers(0, 2**32, (2, n), dtype=np.uint32)
    return key, np.arange(n, dtype=np.uint32)


def test_threefry_is_that_of_jax_random():
    """Both words equal those of jax's own cipher, for random keys and counters."""
    key = np.random.default_rng(2).integers(0, 2**32, (5, 2), dtype=np.uint32)
    count = np.random.default_rng(3).integers(0, 2**32, (5, 2, 8), dtype=np.uint32)
    for k, c in zip(key, count, strict=True):
        ours = threefry2x32(k[:, None], c)
        expected = np.asarray(threefry_2x32(k, c.ravel())).reshape(2, 8)
        np.testing.assert_array_equal(ours, expected)


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_normals_are_standard_normal_and_independent_over_index_and_step(precision):
    """Kolmogorov-Smirnov p above 1e-4 per index; mean, sd, excess kurtosis and correlations within 4.5 errors of 0."""
    with use_precision(precision):
        z = np.asarray(normals(*streams(N_STEPS), [0, 1, 7]))
    assert z.dtype == precision
    assert min(stats.kstest(row, "norm").pvalue for row in z.astype(float)) > 1e-4
    root = np.sqrt(N_STEPS)
    assert np.abs(z.mean(1)).max() < 4.5 / root
    assert np.abs(z.std(1) - 1).max() < 4.5 / (np.sqrt(2) * root)
    assert np.abs(stats.kurtosis(z, axis=1)).max() < 4.5 * np.sqrt(24) / root
    assert np.abs(np.corrcoef(z) - np.eye(3)).max() < 4.5 / root
    assert abs(np.corrcoef(z[0, 1:], z[0, :-1])[0, 1]) < 4.5 / root


def test_decisions_are_uniform_with_fair_independent_signs():
    """Uniform by Kolmogorov-Smirnov (p above 1e-4), signs fair and uncorrelated with the numbers (4.5 errors)."""
    log_u, sign = (np.asarray(x, float) for x in decisions(*streams(N_STEPS), 3))
    u = np.exp(log_u)
    assert min(stats.kstest(row, "uniform").pvalue for row in u) > 1e-4
    assert set(np.unique(sign)) == {-1.0, 1.0}
    assert np.abs(sign.mean(1)).max() < 4.5 / np.sqrt(N_STEPS)
    assert np.abs(np.corrcoef(np.concatenate([u, sign])) - np.eye(6)).max() < 4.5 / np.sqrt(N_STEPS)


def test_starts_are_uniform_and_never_zero():
    """Starting numbers lie in (0, 1] and are uniform by Kolmogorov-Smirnov (p above 1e-4)."""
    u = np.asarray(uniforms(*streams(N_STEPS), [0, 1]), float)
    assert u.min() > 0
    assert u.max() <= 1
    assert min(stats.kstest(row, "uniform").pvalue for row in u) > 1e-4


def test_a_number_depends_on_key_step_purpose_and_index_alone():
    """Neither the lane's place, nor its neighbors, nor the other indices asked for change a number."""
    key, step = streams(256)
    order = np.random.default_rng(4).permutation(256)
    all_indices = np.asarray(normals(key, step, [0, 1, 2, 3]))
    np.testing.assert_array_equal(all_indices[[3, 1]], normals(key, step, [3, 1]))
    np.testing.assert_array_equal(all_indices[:, order], normals(key[:, order], step[order], [0, 1, 2, 3]))


def test_chain_keys_differ_and_depend_on_fit_and_chain_alone():
    """No two keys are equal over fits and chains; the chain number's cipher under the fit's key is the key."""
    fit, chain = np.meshgrid(np.arange(50, dtype=np.uint32), np.arange(8, dtype=np.uint32), indexing="ij")
    fit_key = np.stack([np.full(400, 7, np.uint32), fit.ravel()])
    keys = np.asarray(chain_key(fit_key, chain.ravel()))
    assert len(np.unique(keys, axis=1).T) == 400
    np.testing.assert_array_equal(keys[:, 27], threefry_2x32(fit_key[:, 27], np.array([0, 3], np.uint32)))
