"""Priors that have a density and no way to draw from them are fitted by every sampler that moves through densities."""

import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
import pytest
from numpyro.distributions import constraints

from simstudy.models.user import UserModel
from simstudy.samplers import NUTS, NumPyro
from simstudy.streams import random_key
from simstudy.summaries.diagnostics import ess_mean, mcse_mean, mcse_sd

N_OBSERVATIONS, N_FITS = 30, 8
BOUND = 4.0  # standard errors
MIN_ESS = 100.0
SAMPLERS = [family(chains=2, warmup=150, draws=250) for family in (NUTS, NumPyro)]


class Rate(dist.Distribution):
    """p(rate) = 1 / rate: a density and a support, and nothing to draw with."""

    support = constraints.positive

    def log_prob(self, value):
        return -jnp.log(value)


def flat(data):
    mean = numpyro.sample("mean", dist.ImproperUniform(constraints.real, (), ()))
    cuts = numpyro.sample("cuts", dist.ImproperUniform(constraints.ordered_vector, (), (3,)))
    rate = numpyro.sample("rate", Rate())
    numpyro.sample("y", dist.Normal(mean, 1), obs=data["y"])
    numpyro.sample("c", dist.Normal(cuts, 0.1), obs=data["c"])
    numpyro.sample("t", dist.Exponential(rate), obs=data["t"])


@pytest.mark.parametrize("sampler", SAMPLERS, ids=lambda sampler: sampler.kind)
def test_flat_priors_give_the_posterior_in_closed_form(sampler):
    """A flat mean of n normals is Normal(mean y, 1 / sqrt(n)); a rate with p = 1 / rate of n waits is Gamma(n, sum t).

    Three flat ordered numbers, seen with small errors far apart, are each normal around what was seen.
    """
    rng = np.random.default_rng(11)
    n = N_OBSERVATIONS
    arrays = {
        "y": rng.normal(1.0, 1.0, (N_FITS, n)),
        "c": np.array([-1.0, 0.0, 2.0]) + 0.1 * rng.normal(size=(N_FITS, 3)),
        "t": rng.exponential(0.5, (N_FITS, n)),
    }
    model = UserModel(name="flat", program=flat, posterior_estimands=dict)
    program = sampler.compile(model, {name: leaf[0] for name, leaf in arrays.items()})
    draws = program.sample(arrays, np.stack([random_key("flat", i) for i in range(N_FITS)]))
    assert not draws.reasons
    assert np.all(np.diff(draws.sites["cuts"], axis=-1) > 0)
    check(draws.sites["mean"], arrays["y"].mean(1), n**-0.5)
    check(draws.sites["rate"], n / arrays["t"].sum(1), n**0.5 / arrays["t"].sum(1))
    for k in range(3):
        check(draws.sites["cuts"][..., k], arrays["c"][:, k], 0.1)


def check(draws, mean, sd):
    """Check means and standard deviations of draws (fit, chain, draw)."""
    draws = draws.astype(float)
    assert ess_mean(draws).min() > MIN_ESS
    assert np.abs((draws.mean((1, 2)) - mean) / mcse_mean(draws)).max() < BOUND
    assert np.abs((draws.std((1, 2)) - sd) / mcse_sd(draws)).max() < BOUND
