"""Raw observations and sufficient statistics say the same, up to a constant, whatever the data and the parameters."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from simstudy.models.likelihoods import Binomial, Normal, NormalKnownSE
from tests.user_models import LIKELIHOODS, grouped, name_of

SIZES = (1, 4, 2)
finite = st.floats(-20, 20, allow_subnormal=False)
positive = st.floats(0.05, 20, allow_subnormal=False)


def difference(likelihood, data, theta, sigma):
    """Return the log likelihood on raw observations less the one on sufficient statistics."""
    scale = {"sigma": jnp.asarray(sigma)}
    raw = likelihood.raw_log_likelihood(jnp.asarray(theta), scale, likelihood.raw(data))
    return float(raw - likelihood.log_likelihood(jnp.asarray(theta), scale, likelihood.statistics(data)))


@pytest.mark.parametrize("likelihood", LIKELIHOODS, ids=name_of)
@settings(max_examples=25, deadline=None)
@given(
    y=arrays(float, sum(SIZES), elements=finite),
    se=arrays(float, sum(SIZES), elements=positive),
    theta=arrays(float, (2, 3), elements=finite),
    sigma=arrays(float, (2, 3), elements=positive),
)
def test_two_forms_differ_by_a_constant(likelihood, y, se, theta, sigma):
    """The difference between the forms does not depend on the parameters."""
    n = np.array(SIZES)
    if isinstance(likelihood, NormalKnownSE):
        data = grouped(y[:3], np.ones(3, int), known_se=se[:3])
    else:
        data = grouped((y > 0).astype(float) if isinstance(likelihood, Binomial) else y, n)
    shared = isinstance(likelihood, Normal) and likelihood.sigma_by == "shared"
    with jax.enable_x64(True):
        first, second = (difference(likelihood, data, theta[i], sigma[i, 0] if shared else sigma[i]) for i in range(2))
    assert first == pytest.approx(second, rel=1e-9, abs=1e-6)


def test_float32_keeps_energy_differences_at_a_million_observations():
    """At 10^6 observations the float32 log likelihood is wrong by less than 0.01 near its maximum."""
    rng = np.random.default_rng(0)
    n = np.full(10, 100_000)
    theta = rng.normal(0, 2, 10)
    data = grouped(np.repeat(theta, n) + rng.normal(size=n.sum()), n)
    likelihood = Normal()
    stats = likelihood.statistics(data)
    sigma = 1 + np.array([-2e-3, -1e-3, 0.0, 1e-3, 2e-3])
    lanes = np.repeat(data.y_mean[:, None], len(sigma), 1) + rng.normal(0, 1e-3, (10, len(sigma)))

    def differences(dtype):
        cast = {k: np.asarray(v, dtype)[..., None] for k, v in stats.items() if k != "constant"} | {
            "constant": dtype(0)
        }
        value = likelihood.log_likelihood(lanes.astype(dtype), {"sigma": sigma.astype(dtype)}, cast, xp=np)
        return value - value[2]

    np.testing.assert_allclose(differences(np.float32), differences(np.float64), atol=0.01)
