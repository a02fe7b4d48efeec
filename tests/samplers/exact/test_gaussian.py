"""Exact posteriors of normal observations, against dense linear algebra, adaptive quadrature and published numbers."""

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from scipy import integrate, stats
from scipy.special import ndtr

from simstudy.models.likelihoods import Normal, NormalKnownSE
from simstudy.models.structures import Complete, Independent, Partial
from simstudy.samplers.exact import exact_posterior
from tests.samplers.exact.models import eight_schools, lecture, model, normal_data

REFERENCE = Path(__file__).parents[2] / "data" / "eight_schools_reference.json"
EIGHT_SCHOOLS = model(Partial(), NormalKnownSE(), mu="Normal(0, 5)", tau="HalfCauchy(5)")
SIZES = (3, 1, 2)


def dense(data, *, tau, sigma, mu_mean=0.0, mu_sd=2.0):
    """Return log evidence, and mean and sd of (mu, theta) given the scales, from the joint normal of everything."""
    z = np.eye(data.n_groups)[data.group_of]
    prior = mu_sd**2 + np.zeros((data.n_groups + 1, data.n_groups + 1))
    prior[1:, 1:] += tau**2 * np.eye(data.n_groups)
    design = np.hstack([np.zeros((len(data.y), 1)), z])
    marginal = design @ prior @ design.T + sigma**2 * np.eye(len(data.y))
    gain = np.linalg.solve(marginal, design @ prior).T
    mean = mu_mean + gain @ (data.y - mu_mean)
    sd = np.sqrt(np.diag(prior - gain @ design @ prior))
    residual = np.linalg.solve(np.linalg.cholesky(marginal), data.y - mu_mean)
    log_evidence = -0.5 * (residual @ residual + np.linalg.slogdet(2 * np.pi * marginal)[1])
    return log_evidence, mean, sd


def arrays(fitted, *data):
    return fitted.arrays(list(data))


@pytest.mark.parametrize(("tau", "sigma"), [(0.7, 1.3), (5.0, 0.2), (1e-3, 1.0)])
def test_constant_scales_give_the_closed_form(tau, sigma):
    """With tau and sigma known the posterior is that of the joint normal of data, mu and theta, evidence included."""
    data = normal_data(1, SIZES)
    fitted = model(Partial(), Normal(), mu="Normal(0.5, 2)", tau=tau, sigma=sigma)
    found = exact_posterior(fitted, arrays(fitted, data))
    log_evidence, mean, sd = dense(data, tau=tau, sigma=sigma, mu_mean=0.5)
    np.testing.assert_allclose(found.log_evidence, log_evidence, rtol=1e-10)
    np.testing.assert_allclose([found.mean["mu"][0], *found.mean["theta"][0]], mean, rtol=1e-9)
    np.testing.assert_allclose([found.sd["mu"][0], *found.sd["theta"][0]], sd, rtol=1e-7)
    quantiles = found.quantiles([0.1, 0.9])["theta"][0]
    expected = stats.norm(mean[1:, None], sd[1:, None]).ppf([0.1, 0.9])
    np.testing.assert_allclose(quantiles, expected, rtol=1e-7)


HALF_NORMAL = lambda x: np.sqrt(2 / np.pi) / 5 * np.exp(-0.5 * (x / 5) ** 2)  # noqa: E731
HALF_CAUCHY = lambda x: 2 / (np.pi * (1 + x**2))  # noqa: E731
UNIFORM = lambda x: 1 / 3  # noqa: E731
EXPONENTIAL = lambda x: np.exp(-x)  # noqa: E731
GAMMA = lambda x: 4 * x**2 * np.exp(-2 * x)  # noqa: E731
LOG_NORMAL = lambda x: np.exp(-0.5 * np.log(x) ** 2) / (x * np.sqrt(2 * np.pi))  # noqa: E731


@pytest.mark.parametrize(
    ("sizes", "tau", "sigma"),
    [
        (SIZES, ("HalfNormal(5)", HALF_NORMAL), ("Exponential(1)", EXPONENTIAL)),
        ((1, 1), ("HalfCauchy(1)", HALF_CAUCHY), ("Gamma(3, 2)", GAMMA)),
        ((4, 4), ("Uniform(0, 3)", UNIFORM), ("LogNormal(0, 1)", LOG_NORMAL)),
    ],
)
def test_two_scales_agree_with_adaptive_quadrature(sizes, tau, sigma):
    """Evidence, means and distribution functions are those of scipy's nested adaptive quadrature of the dense form."""
    data = normal_data(2, sizes)
    fitted = model(Partial(), Normal(), mu="Normal(0, 2)", tau=tau[0], sigma=sigma[0])
    found = exact_posterior(fitted, arrays(fitted, data))
    cut = {name: value[0].ravel()[0] for name, value in found.quantiles([0.3]).items()}

    def integrand(log_tau, log_sigma):
        tau_, sigma_ = np.exp(log_tau), np.exp(log_sigma)
        log_evidence, mean, sd = dense(data, tau=tau_, sigma=sigma_)
        below = ndtr((np.array([cut["mu"], cut["theta"]]) - mean[:2]) / np.maximum(sd[:2], 1e-12))
        prior = tau[1](tau_) * tau_ * sigma[1](sigma_) * sigma_
        values = np.array([1.0, tau_, sigma_, mean[0], mean[1], *below, tau_ < cut["tau"]])
        return prior * np.exp(log_evidence - found.log_evidence[0]) * values

    def over_sigma(log_tau):
        return integrate.quad_vec(lambda s: integrand(log_tau, s), -9, 4, epsabs=1e-6, points=[-0.5])[0]

    highest = np.log(3.0) if sizes == (4, 4) else 9.0
    edges = (-12.0, np.log(cut["tau"]), highest)
    parts = [integrate.quad_vec(over_sigma, *ends, epsabs=1e-5)[0] for ends in pairwise(edges)]
    one, tau_mean, sigma_mean, mu_mean, theta_mean, *below = sum(parts)
    # What lies outside the limits of integration, exp(-12) in tau and exp(-9) in sigma, is below 1e-4 and 1e-5.
    assert one == pytest.approx(1, abs=2e-5)
    means = [found.mean[name][0].ravel()[0] for name in ("tau", "sigma", "mu", "theta")]
    np.testing.assert_allclose([tau_mean, sigma_mean, mu_mean, theta_mean], means, rtol=3e-5, atol=1e-5)
    np.testing.assert_allclose(below, 0.3, atol=2e-5)


def test_complete_pooling_is_the_limit_of_small_tau():
    """With tau held at nearly 0 the posterior is that of complete pooling."""
    data = normal_data(3, SIZES)
    one = model(Complete(), Normal(), mu="Normal(0, 10)", sigma="HalfNormal(2)")
    limit = model(Partial(), Normal(), mu="Normal(0, 10)", tau=1e-7, sigma="HalfNormal(2)")
    found, expected = (exact_posterior(m, arrays(m, data)) for m in (limit, one))
    for name in ("mu", "theta", "sigma"):
        np.testing.assert_allclose(found.mean[name], expected.mean[name], rtol=1e-8)
        np.testing.assert_allclose(found.sd[name], expected.sd[name], rtol=1e-6)
    np.testing.assert_allclose(found.log_evidence, expected.log_evidence, rtol=1e-8)


def test_no_pooling_is_the_limit_of_large_tau():
    """With a very large tau effects are as with a flat prior: the groups' means, with se sigma / sqrt(n)."""
    data = normal_data(4, SIZES)
    limit = model(Partial(), Normal(), mu="Normal(0, 10)", tau=1e6, sigma=1.5)
    flat = model(Independent(), Normal(), theta="Normal(0, 1e6)", sigma=1.5)
    for fitted in (limit, flat):
        found = exact_posterior(fitted, arrays(fitted, data))
        np.testing.assert_allclose(found.mean["theta"][0], data.y_mean, rtol=1e-6)
        np.testing.assert_allclose(found.sd["theta"][0], 1.5 / np.sqrt(data.n_obs), rtol=1e-6)


def test_complete_pooling_with_a_nearly_flat_mean_is_students_t():
    """With mu ~ flat and sigma ~ InverseGamma-like LogUniform, mu is Student-t around the mean (Gelman et al. 2013)."""
    data = normal_data(5, (6, 7))
    fitted = model(Complete(), Normal(), mu="Normal(0, 1e5)", sigma="LogUniform(1e-4, 1e4)")
    found = exact_posterior(fitted, arrays(fitted, data))
    n, y = len(data.y), data.y
    expected = stats.t(n - 1, y.mean(), y.std(ddof=1) / np.sqrt(n))
    p = [0.025, 0.3, 0.975]
    np.testing.assert_allclose(found.quantiles(p)["mu"][0], expected.ppf(p), rtol=1e-6)
    np.testing.assert_allclose(found.sd["mu"][0], expected.std(), rtol=1e-6)
    variance = stats.invgamma((n - 1) / 2, scale=(n - 1) / 2 * y.var(ddof=1))
    np.testing.assert_allclose(found.quantiles(p)["sigma"][0] ** 2, variance.ppf(p), rtol=1e-6)


def test_eight_schools():
    """Means and sds are those of an independent quadrature, to all its digits."""
    found = exact_posterior(EIGHT_SCHOOLS, arrays(EIGHT_SCHOOLS, eight_schools()))
    expected = {"mu": (4.3968, 3.3177), "tau": (3.5977, 3.2200)}
    for name, (mean, sd) in expected.items():
        assert (found.mean[name][0], found.sd[name][0]) == pytest.approx((mean, sd), abs=6e-5)
    np.testing.assert_allclose(found.mean["theta"][0, [0, 7]], [6.2119, 4.8543], atol=6e-5)
    np.testing.assert_allclose(found.sd["theta"][0, [0, 7]], [5.5931, 5.2908], atol=6e-5)


def test_eight_schools_agrees_with_the_published_reference():
    """The 10,000 published reference draws lie within 3 Monte Carlo errors in their means and quantiles."""
    published = json.loads(REFERENCE.read_text())
    found = exact_posterior(EIGHT_SCHOOLS, arrays(EIGHT_SCHOOLS, eight_schools()))
    for key, reference in published.items():
        name, _, group = key.rstrip("]").partition("[")
        place = (0, int(group) - 1) if group else (0,)
        mcse = found.sd[name][place] / np.sqrt(reference["n"])
        assert abs(reference["mean"] - found.mean[name][place]) < 3 * mcse
        for p in (0.05, 0.25, 0.5, 0.75, 0.95):
            values = np.broadcast_to(reference[f"q{100 * p:g}"], found.mean[name].shape)
            share = found.cdf({name: values})[name][place]
            assert abs(share - p) < 3 * np.sqrt(p * (1 - p) / reference["n"])


def test_lecture_complete_pooling():
    """mu and sigma of the lecture's complete pooling are the known ones."""
    fitted = model(Complete(), Normal(), mu="Normal(0, 10)", sigma="Exponential(1)")
    found = exact_posterior(fitted, arrays(fitted, lecture()))
    assert (found.mean["mu"][0], found.sd["mu"][0]) == pytest.approx((9.937, 0.795), abs=6e-4)
    assert (found.mean["sigma"][0], found.sd["sigma"][0]) == pytest.approx((1.686, 0.583), abs=6e-4)


def test_lecture_no_pooling():
    """One observation and its own sigma in each group: the known means, and scipy's two-dimensional quadrature."""
    fitted = model(Independent(), Normal(sigma_by="group"), theta="Normal(0, 10)", sigma="Exponential(1)")
    found = exact_posterior(fitted, arrays(fitted, lecture()))
    np.testing.assert_allclose(found.mean["theta"][0], [9.820, 11.780, 8.839, 10.800, 7.858], atol=6e-4)
    np.testing.assert_allclose(found.mean["sigma"][0], [0.998, 1.006, 0.995, 1.002, 0.993], atol=6e-4)

    # The density is infinite at (y, 0); theta = y + sigma t is smooth there.
    def moment(of):
        def integrand(t, sigma):
            theta = 10 + sigma * t
            density = stats.norm.pdf(t) * stats.norm.pdf(theta, 0, 10) * np.exp(-sigma)
            return density * of(theta, sigma)

        return integrate.dblquad(integrand, 0, 40, -9, 9, epsabs=1e-10, epsrel=1e-5)[0]

    evidence = moment(lambda theta, sigma: 1.0)
    assert moment(lambda theta, sigma: theta) / evidence == pytest.approx(found.mean["theta"][0, 0], rel=1e-5)
    assert moment(lambda theta, sigma: sigma) / evidence == pytest.approx(found.mean["sigma"][0, 0], rel=1e-5)


def test_raw_observations_have_the_same_posterior():
    """Raw observations and sufficient statistics give the same numbers, evidence included."""
    data = normal_data(6, SIZES)
    priors = {"mu": "Normal(0, 10)", "tau": "HalfNormal(5)", "sigma": "Exponential(1)"}
    sufficient, raw = (model(Partial(), Normal(), observations=form, **priors) for form in ("sufficient", "raw"))
    found, expected = (exact_posterior(m, arrays(m, data)) for m in (raw, sufficient))
    np.testing.assert_allclose(found.log_evidence, expected.log_evidence, rtol=1e-12)
    np.testing.assert_allclose(found.mean["theta"], expected.mean["theta"], rtol=1e-10)


def test_moments_that_do_not_exist_are_nan():
    """One group under HalfCauchy: tau falls as tau^-3, so that it has a mean and no variance; theta has both."""
    data = normal_data(7, (4,))
    fitted = model(Partial(), Normal(), mu=0.0, tau="HalfCauchy(1)", sigma=1.0)
    found = exact_posterior(fitted, arrays(fitted, data))
    y, se = data.y_mean[0], 0.5
    density = lambda tau: stats.halfcauchy.pdf(tau) * stats.norm.pdf(y, 0, np.hypot(tau, se))  # noqa: E731
    ends = ((0, 9), (9, np.inf))
    evidence = sum(integrate.quad(density, *end, epsabs=0, epsrel=1e-9)[0] for end in ends)
    mean = sum(integrate.quad(lambda tau: tau * density(tau), *end, epsabs=0, epsrel=1e-9)[0] for end in ends)
    assert found.mean["tau"][0] == pytest.approx(mean / evidence, rel=1e-5)
    assert np.isnan(found.sd["tau"][0])
    assert np.isnan(found.sd["theta_new"][0])
    assert np.isfinite(found.sd["theta"][0, 0])


@pytest.mark.parametrize("sizes", [(1,) * 8, (1,) * 32, (1, 2, 40), (1000,) * 3, (1,)])
def test_the_quadrature_does_not_depend_on_its_nodes(sizes):
    """Ridges, singletons and sharp peaks converge: every second node gives the same evidence to 1e-5, no reason."""
    data = normal_data(8, sizes, tau=0.3)
    fitted = model(Partial(), Normal(), mu="Normal(0, 10)", tau="HalfNormal(5)", sigma="Exponential(1)")
    found = exact_posterior(fitted, arrays(fitted, data))
    weights = found.grids[0][0].weights
    assert not found.reasons
    for half in (weights[::2], weights[1::2], weights[:, ::2], weights[:, 1::2]):
        assert 2 * half.sum() == pytest.approx(1, abs=1.1e-5)
