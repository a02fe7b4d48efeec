"""Exact posteriors of binomial counts, against nested adaptive quadrature and the baseball averages."""

import numpy as np
import pytest
from scipy import integrate, stats
from scipy.special import expit

from simstudy.models.likelihoods import Binomial
from simstudy.models.structures import Complete, Independent, Partial
from simstudy.samplers.exact import exact_posterior
from simstudy.samplers.exact.effect import Effect
from tests.samplers.exact.models import baseball, counts, model

PARTIAL = {"mu": "Normal(0, 2)", "tau": "HalfNormal(1)"}


def found_for(structure, data, **priors):
    fitted = model(structure, Binomial(), **priors)
    return exact_posterior(fitted, fitted.arrays([data]))


@pytest.mark.parametrize("k", [0, 3, 10])
@pytest.mark.parametrize("tau", [1e-3, 0.3, 2.0, 20.0])
def test_integral_and_moments_of_one_effect(k, tau):
    """The integral over theta, and the moments of theta and p, are those of adaptive quadrature."""
    effect = Effect.of(n=np.array(10.0), k=np.array(float(k)), mu=np.array(-0.7), tau=np.array(tau))

    def moment(of):
        def integrand(z):
            p = expit(-0.7 + tau * z)
            return p**k * (1 - p) ** (10 - k) * stats.norm.pdf(z) * of(-0.7 + tau * z)

        points = sorted({-0.7 / tau, *((x + 0.7) / tau for x in (-8, -3, 0, 3, 8))})
        points = [z for z in points if abs(z) < 9]
        return integrate.quad(integrand, -9, 9, points=points, epsabs=0, epsrel=1e-8, limit=200)[0]

    evidence = moment(lambda theta: 1.0)
    assert effect.log_integral == pytest.approx(np.log(evidence), abs=1e-7)
    for name, of in (("theta", lambda theta: theta), ("p", expit)):
        mean = moment(of) / evidence
        variance = moment(lambda theta, of=of, mean=mean: (of(theta) - mean) ** 2) / evidence
        np.testing.assert_allclose(np.stack(effect.moments()[name]), [mean, variance], rtol=1e-5)


def test_partial_pooling_agrees_with_product_quadrature():
    """Evidence, means and the distribution of an effect are those of a four-dimensional product rule.

    It runs over tau, the first effect, and both groups' standard normal distances from mu: an order in which nothing
    is narrow where tau is near 0, unlike the grid over (mu, tau).
    """
    data = counts(np.array([2.0, 7.0]), np.array([10, 12]))
    found = found_for(Partial(), data, **PARTIAL)
    cut = found.quantiles([0.7])["theta"][0, 0, 0]
    z, step = np.linspace(-8, 8, 49, retstep=True)
    normal = stats.norm.pdf(z) * step

    def over_rest(theta, tau):
        """Return the density of the first effect, (theta,), the second group integrated out, given tau."""
        mu = theta[:, None] - tau * z
        second = stats.binom.pmf(7, 12, expit(mu[..., None] + tau * z)) @ normal
        return stats.binom.pmf(2, 10, expit(theta)) * ((second * stats.norm.pdf(mu, 0, 2)) @ normal)

    totals = np.zeros((2, 3))
    for part, (low, high) in enumerate(((-12.0, cut), (cut, 8.0))):
        theta, weight = _gauss_legendre(60, low, high)
        for tau, tau_weight in zip(*_gauss_legendre(30, 0.0, 6.0), strict=True):
            density = weight * over_rest(theta, tau) * stats.halfnorm.pdf(tau) * tau_weight
            totals[part] += [density.sum(), density @ theta, density @ expit(theta)]
    evidence, theta_mean, p_mean = totals.sum(0)
    assert found.log_evidence[0] == pytest.approx(np.log(evidence), abs=1e-6)
    assert found.mean["theta"][0, 0] == pytest.approx(theta_mean / evidence, abs=1e-6)
    assert found.mean["p"][0, 0] == pytest.approx(p_mean / evidence, abs=1e-6)
    assert totals[0, 0] / evidence == pytest.approx(0.7, abs=2e-5)


def _gauss_legendre(n, low, high):
    x, weight = np.polynomial.legendre.leggauss(n)
    return low + (high - low) * (x + 1) / 2, weight * (high - low) / 2


def test_no_pooling_agrees_with_quadrature():
    """Every group of no pooling is a one-dimensional posterior; so is complete pooling of a single group."""
    data = counts(np.array([0.0, 5.0]), np.array([6, 9]))
    found = found_for(Independent(), data, theta="Normal(0, 3)")
    for j, (k, n) in enumerate(((0, 6), (5, 9))):
        density = lambda t, k=k, n=n: stats.binom.pmf(k, n, expit(t)) * stats.norm.pdf(t, 0, 3)  # noqa: E731
        evidence, mean = (
            integrate.quad(lambda t, m=m, f=density: t**m * f(t), -25, 15, points=[0], epsabs=1e-12)[0] for m in (0, 1)
        )
        assert found.mean["theta"][0, j] == pytest.approx(mean / evidence, rel=1e-7)
        one = found_for(Complete(), counts(np.array([float(k)]), np.array([n])), mu="Normal(0, 3)")
        assert one.mean["p"][0, 0] == pytest.approx(found.mean["p"][0, j], rel=1e-8)
        assert one.log_evidence[0] == pytest.approx(np.log(evidence), abs=1e-8)


def test_small_tau_is_complete_pooling():
    """With tau held at nearly 0, partial pooling is complete pooling."""
    data = counts(np.array([2.0, 7.0, 1.0]), np.array([10, 12, 3]))
    limit = found_for(Partial(), data, mu="Normal(0, 2)", tau=1e-6)
    one = found_for(Complete(), data, mu="Normal(0, 2)")
    np.testing.assert_allclose(limit.mean["theta"], one.mean["theta"], rtol=1e-7)
    np.testing.assert_allclose(limit.sd["p"], one.sd["p"], rtol=1e-6)
    np.testing.assert_allclose(limit.quantiles([0.1, 0.9])["theta"], one.quantiles([0.1, 0.9])["theta"], rtol=1e-4)


def test_distribution_of_effects_around_a_fixed_mean():
    """With mu constant the distribution of an effect, whose density is infinite there, is that of quadrature."""
    data = counts(np.array([2.0, 7.0]), np.array([10, 12]))
    found = found_for(Partial(), data, mu=-0.5, tau="HalfNormal(1)")
    z, step = np.linspace(-8, 8, 161, retstep=True)

    def below(cut, tau):
        x = np.linspace(-8, np.clip((cut + 0.5) / tau, -8, 8), 401)
        first = integrate.simpson(stats.binom.pmf(2, 10, expit(-0.5 + tau * x)) * stats.norm.pdf(x), x=x)
        second = stats.binom.pmf(7, 12, expit(-0.5 + tau * z)) @ stats.norm.pdf(z) * step
        return first * second * stats.halfnorm.pdf(tau)

    taus = list(zip(*_gauss_legendre(80, 0.0, 6.0), strict=True))
    total = sum(weight * below(np.inf, tau) for tau, weight in taus)
    for cut in (-1.2, -0.52, -0.3):
        share = found.cdf({"theta": np.array([[cut, 0.0]])})["theta"][0, 0]
        assert share == pytest.approx(sum(weight * below(cut, tau) for tau, weight in taus) / total, abs=2e-5)
    assert found.log_evidence[0] == pytest.approx(np.log(total), abs=1e-6)


def test_baseball():
    """Partial pooling of the averages after 45 at bats predicts the rest of the season with the known error."""
    data, rest = baseball()
    p = found_for(Partial(), data, mu="Normal(0, 10)", tau="HalfNormal(1)").mean["p"][0]
    assert ((p - rest) ** 2).sum() == pytest.approx(0.0212, abs=5e-5)
    assert (p[0], p[-1]) == pytest.approx((0.2937, 0.2433), abs=5e-5)


def test_quantiles_have_the_moments_that_are_stated():
    """Of every hitter, quantiles at even probabilities have mean and sd of the quadrature, within .01 sd and 2 %."""
    data, _ = baseball()
    posterior = found_for(Partial(), data, mu="Normal(0, 10)", tau="HalfNormal(1)")
    q = posterior.quantiles(((np.arange(400) + 0.5) / 400).tolist())
    for name in ("theta", "p"):
        mean, sd = posterior.mean[name], posterior.sd[name]
        assert np.abs(q[name].mean(-1) - mean).max() < 0.01 * sd.min()
        assert q[name].std(-1) == pytest.approx(sd, rel=0.02)
