"""Exact posteriors of binomial counts, against nested adaptive quadrature and the baseball averages."""

import numpy as np
import pytest
from scipy import integrate, stats
from scipy.special import expit

from simstudy.likelihoods import Binomial
from simstudy.samplers.exact import exact_posterior
from simstudy.samplers.exact.effect import Effect
from simstudy.structures import Complete, Independent, Partial
from tests.samplers.exact.models import baseball, counts, model

PARTIAL = {"mu": "Normal(0, 2)", "tau": "HalfNormal(1)"}


def found_for(structure, data, **priors):
    fitted = model(structure, Binomial(), **priors)
    return exact_posterior(fitted, fitted.arrays([data]))


@pytest.mark.parametrize("k", [0, 3, 10])
@pytest.mark.parametrize("tau", [1e-8, 0.3, 2.0, 20.0])
def test_integral_and_moments_of_one_effect(k, tau):
    """The integral over theta, and the moments of theta and p, are those of adaptive quadrature."""
    effect = Effect.of(n=np.array(10.0), k=np.array(float(k)), mu=np.array(-0.7), tau=np.array(tau))

    def moment(of):
        def integrand(z):
            p = expit(-0.7 + tau * z)
            return p**k * (1 - p) ** (10 - k) * stats.norm.pdf(z) * of(-0.7 + tau * z)

        points = sorted({-0.7 / tau, *((x + 0.7) / tau for x in (-8, -3, 0, 3, 8))})
        points = [z for z in points if abs(z) < 9]
        return integrate.quad(integrand, -9, 9, points=points, epsabs=0, epsrel=1e-10, limit=200)[0]

    evidence = moment(lambda theta: 1.0)
    assert effect.log_integral == pytest.approx(np.log(evidence), abs=1e-7)
    for name, of in (("theta", lambda theta: theta), ("p", expit)):
        mean = moment(of) / evidence
        variance = moment(lambda theta, of=of, mean=mean: (of(theta) - mean) ** 2) / evidence
        np.testing.assert_allclose(np.stack(effect.moments()[name]), [mean, variance], rtol=1e-5)


def test_partial_pooling_agrees_with_nested_quadrature():
    """Evidence, means and the distribution of an effect, tau near 0 included, are those of nested quadrature."""
    data = counts(np.array([2.0, 7.0]), np.array([10, 12]))
    found = found_for(Partial(), data, **PARTIAL)
    cut = {name: value[0].ravel()[0] for name, value in found.quantiles([0.7]).items()}
    z, step = np.linspace(-9, 9, 721, retstep=True)

    def given(mu, tau):
        """Return the integral over both effects: of 1, of theta_1, of p_1 and of theta_1 < cut."""
        theta = mu + tau * z
        first, second = (stats.binom.pmf(k, n, expit(theta)) * stats.norm.pdf(z) * step for k, n in ((2, 10), (7, 12)))
        # A trapezoid rule over z cannot see a step: the part below the cut is integrated up to it.
        end = np.clip((cut["theta"] - mu) / tau, -9, 9)
        x = np.linspace(-9, end, 721)
        below = integrate.simpson(stats.binom.pmf(2, 10, expit(mu + tau * x)) * stats.norm.pdf(x), x=x)
        return np.array([first.sum(), first @ theta, first @ expit(theta), below]) * second.sum()

    def over_mu(tau):
        def integrand(mu):
            return given(mu, tau) * np.array([1, 1, 1, 1]) * stats.norm.pdf(mu, 0, 2) * stats.halfnorm.pdf(tau)

        return integrate.quad_vec(integrand, -6, 5, epsabs=1e-10, points=[cut["theta"]])[0]

    evidence, theta, p, below = integrate.quad_vec(over_mu, 1e-6, 6, epsabs=1e-8)[0]
    assert found.log_evidence[0] == pytest.approx(np.log(evidence), abs=1e-5)
    assert found.mean["theta"][0, 0] == pytest.approx(theta / evidence, abs=1e-5)
    assert found.mean["p"][0, 0] == pytest.approx(p / evidence, abs=1e-5)
    assert below / evidence == pytest.approx(0.7, abs=1e-4)


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
    """With mu held constant the distribution of an effect still has the right mean, by integrating its quantiles."""
    data = counts(np.array([2.0, 7.0]), np.array([10, 12]))
    found = found_for(Partial(), data, mu=-0.5, tau="HalfNormal(1)")
    p, weights = np.polynomial.legendre.leggauss(200)
    mean = (found.quantiles((p + 1) / 2)["theta"][0] @ weights) / 2
    np.testing.assert_allclose(mean, found.mean["theta"][0], atol=1e-3)


def test_baseball():
    """Partial pooling of the averages after 45 at bats predicts the rest of the season with the known error."""
    data, rest = baseball()
    p = found_for(Partial(), data, mu="Normal(0, 10)", tau="HalfNormal(1)").mean["p"][0]
    assert ((p - rest) ** 2).sum() == pytest.approx(0.0212, abs=5e-5)
    assert (p[0], p[-1]) == pytest.approx((0.2937, 0.2433), abs=5e-5)
