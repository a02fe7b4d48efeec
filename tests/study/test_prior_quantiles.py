"""Quantiles of common priors against NumPyro's own distribution functions."""

import numpy as np
import pytest

from simstudy.models.estimands import MU, TAU
from simstudy.models.priors import parse_prior
from simstudy.samplers.precision import use_precision
from simstudy.study.prior_quantiles import KNOWN, quantiles_of

TEXTS = {
    "Cauchy": "Cauchy(1, 2)",
    "Exponential": "Exponential(3)",
    "Gamma": "Gamma(2.5, rate=4)",
    "HalfCauchy": "HalfCauchy(2)",
    "HalfNormal": "HalfNormal(scale=5)",
    "InverseGamma": "InverseGamma(3, 2)",
    "LogNormal": "LogNormal(1, 0.5)",
    "Normal": "Normal(3, scale=2)",
    "StudentT": "StudentT(4, 1, 2)",
    "Uniform": "Uniform(1, 4)",
}


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_the_distribution_function_gives_the_probabilities_back(name):
    """F(q(u)) = u at 101 probabilities, by NumPyro's F."""
    prior = parse_prior(TEXTS[name], MU if name in ("Cauchy", "Normal", "StudentT") else TAU)
    with use_precision("float64"):
        back = np.asarray(prior.distribution().cdf(quantiles_of(prior, 101)))
    np.testing.assert_allclose(back, (np.arange(101) + 0.5) / 101, atol=1e-6)


def test_another_distribution_has_none():
    """What is not listed is drawn from."""
    assert quantiles_of(parse_prior("Weibull(1, 2)", TAU), 5) is None
