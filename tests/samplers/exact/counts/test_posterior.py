"""Exact posteriors of counts of one grouping: product quadrature, limits, doubled nodes and published answers."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import integrate, stats
from scipy.special import expit, gammaln

from simstudy.models.likelihoods import Bernoulli, NegativeBinomial, Poisson
from simstudy.samplers.exact import Exact
from simstudy.samplers.exact.counts import lattice
from simstudy.samplers.exact.counts.lattice import lattice_of
from simstudy.samplers.exact.counts.quantities import CountQuantities
from simstudy.samplers.exact.counts.scope import supported
from tests.samplers.exact.counts.models import counts, model, simulated

KEYS = np.array([[3, 5]], np.uint32)
LIKELIHOODS = [Poisson(), Bernoulli(), NegativeBinomial()]


def found_for(fitted, data, **options):
    program = Exact(precision="float64", **{"chains": 1, "draws": 10, **options}).compile(fitted.bound(data), None)
    return program.sample(fitted.arrays([data]), KEYS)


def quantities(fitted, data):
    problem = supported(fitted.bound(data)).data(fitted.arrays([data]), 0)
    return CountQuantities(data=problem, lattice=lattice_of(problem))


def legendre(n, low, high):
    x, weight = np.polynomial.legendre.leggauss(n)
    return low + (high - low) * (x + 1) / 2, weight * (high - low) / 2


def log_likelihood(likelihood, y, exposure, theta, phi):
    """Return the log likelihood of one group, from scipy's mass functions written out."""
    y, theta = np.asarray(y, float), theta[..., None]
    log_mean = theta + np.log(exposure / len(y))
    if likelihood.kind == "bernoulli":
        return np.log(np.where(y > 0, expit(theta), expit(-theta))).sum(-1)
    if likelihood.kind == "poisson":
        return (y * log_mean - np.exp(log_mean) - gammaln(y + 1)).sum(-1)
    of_phi = gammaln(y + phi) - gammaln(phi) - gammaln(y + 1)
    mean = np.exp(log_mean)
    return (of_phi + phi * np.log(phi / (phi + mean)) + y * (log_mean - np.log(phi + mean))).sum(-1)


@pytest.mark.parametrize("likelihood", LIKELIHOODS, ids=lambda one: one.kind)
def test_agrees_with_product_quadrature(likelihood):
    """Means and sds of every quantity are those of a product rule over tau, phi, mu and standardized effects.

    Its nodes are Gauss and Legendre's in the parameters themselves, where the quadrature has other coordinates.
    """
    y = {"bernoulli": [[1, 1, 0], [0, 0]], "poisson": [[3, 0], [7]], "negative_binomial": [[3, 0], [9, 4]]}[
        likelihood.kind
    ]
    exposure = [1.0, 1.0] if likelihood.kind == "bernoulli" else [1.5, 0.5]
    prior_of_phi = {"phi": "Gamma(20, 4)"} if likelihood.kind == "negative_binomial" else {}
    data = counts(y, exposure)
    known = found_for(model(likelihood, **prior_of_phi), data).known
    tau, of_tau = legendre(48, 0.0, 6.5)
    mu, of_mu = legendre(60, -9.0, 9.0)
    phi, of_phi = legendre(24, 0.8, 14.0) if prior_of_phi else (np.ones(1), np.ones(1))
    z, step = np.linspace(-8, 8, 97, retstep=True)
    weight = (of_tau * stats.halfnorm.pdf(tau))[:, None] * of_mu * stats.norm.pdf(mu, 0, 1.5)
    theta = mu[:, None] + tau[:, None, None] * z
    sums = np.zeros((2, 3 + 2 * len(y)))
    for one, of_one in zip(phi, of_phi, strict=True):
        normal = stats.norm.pdf(z) * step
        each = [np.exp(log_likelihood(likelihood, k, e, theta, one)) * normal for k, e in zip(y, exposure, strict=True)]
        groups = [np.maximum(density.sum(-1), 1e-140) for density in each]
        joint = (
            weight * of_one * (stats.gamma.pdf(one, 20, scale=0.25) if prior_of_phi else 1.0) * np.prod(groups, axis=0)
        )
        mean = expit(theta) if likelihood.kind == "bernoulli" else np.exp(theta)
        values = [np.ones_like(joint), mu + 0 * joint, tau[:, None] + 0 * joint]
        for x in (theta, mean):
            values += [(d * x).sum(-1) / g for d, g in zip(each, groups, strict=True)]
        sums[0] += [(joint * value).sum() for value in values]
        squares = [one**2 + 0 * joint, mu**2 + 0 * joint, tau[:, None] ** 2 + 0 * joint]
        for x in (theta, mean):
            squares += [(d * x**2).sum(-1) / g for d, g in zip(each, groups, strict=True)]
        sums[1] += [(joint * value).sum() for value in squares]
    means, seconds = sums[0, 1:] / sums[0, 0], sums[1, 1:] / sums[0, 0]
    sds = np.sqrt(seconds - means**2)
    name = likelihood.mean.name
    got = [known.mean["mu"][0], known.mean["tau"][0], *known.mean["theta"][0], *known.mean[name][0]]
    spread = [known.sd["mu"][0], known.sd["tau"][0], *known.sd["theta"][0], *known.sd[name][0]]
    np.testing.assert_allclose((got - means) / sds, 0, atol=1e-4)
    np.testing.assert_allclose(spread / sds, 1, atol=1e-3)


@pytest.mark.parametrize("likelihood", LIKELIHOODS, ids=lambda one: one.kind)
@pytest.mark.parametrize("seed", [0, 1])
def test_doubled_nodes_change_nothing(likelihood, seed, monkeypatch):
    """With twice the nodes along tau and phi, moments move by less than 1e-4 sds, and by less than the stated error."""
    data, _ = simulated(likelihood, seed, n_groups=5)
    fitted = model(likelihood)
    once = quantities(fitted, data)
    lengths = [len(t) for t in once.lattice.coordinates]
    monkeypatch.setattr(lattice, "FIRST_NODES", {free: [2 * n - 1 for n in lengths] for free in (1, 2)})
    twice = quantities(fitted, data)
    assert len(twice.lattice.tau) > 1.8 * len(once.lattice.tau)
    for a, b in zip(
        [once.mu, once.of_axis(0), *once.effects[0]], [twice.mu, twice.of_axis(0), *twice.effects[0]], strict=True
    ):
        assert abs(a.mean - b.mean) < 1e-4 * b.sd
        assert abs(a.sd / b.sd - 1) < 1e-4
        assert abs(a.mean - b.mean) / b.sd <= once.error


def test_small_tau_is_complete_pooling():
    """With tau held at nearly 0 the posterior is that of one rate, and that is a one-dimensional integral."""
    data = counts([[3, 0], [7], [2, 2, 1]], [2.0, 1.5, 3.0])
    limit = found_for(model(Poisson(), tau=1e-7), data).known
    one = found_for(model(Poisson(), pooled=True), data).known
    density = lambda m: np.exp(15 * m - 6.5 * np.exp(m)) * stats.norm.pdf(m, 0, 1.5)  # noqa: E731
    total, mean = (integrate.quad(lambda m, p=p: m**p * density(m), -4, 4, epsabs=0, epsrel=1e-11)[0] for p in (0, 1))
    assert one.mean["mu"][0] == pytest.approx(mean / total, rel=1e-8)
    for name in ("mu", "theta", "rate"):
        np.testing.assert_allclose(limit.mean[name], one.mean[name], rtol=1e-6)
        np.testing.assert_allclose(limit.sd[name], one.sd[name], rtol=1e-5)
    np.testing.assert_allclose(limit.quantiles([0.1, 0.9])["rate"], one.quantiles([0.1, 0.9])["rate"], rtol=1e-4)


def test_large_phi_is_poisson():
    """With the shape held at a million, negative binomial counts are Poisson ones."""
    data, _ = simulated(Poisson(), 4, n_groups=5)
    limit = found_for(model(NegativeBinomial(), phi=1e6), data).known
    poisson = found_for(model(Poisson()), data).known
    for name in ("mu", "tau", "theta", "rate"):
        np.testing.assert_allclose(limit.mean[name], poisson.mean[name], rtol=1e-4)


def test_bernoulli_trials_are_binomial_ones():
    """Sums of a Bernoulli model have the posterior that the binomial of the one-grouping model has."""
    from simstudy.models.likelihoods import Binomial
    from simstudy.models.structures import Partial
    from simstudy.samplers.exact import exact_posterior
    from tests.samplers.exact.models import model as one_grouping

    data = counts([[1, 0, 0, 0], [1, 1, 1], [0, 0], [1, 0, 1, 1, 0]])
    grouped = one_grouping(Partial(), Binomial(), mu="Normal(0, 1.5)", tau="HalfNormal(1)")
    other = exact_posterior(grouped, grouped.arrays([data]))
    known = found_for(model(Bernoulli()), data).known
    for name in ("mu", "tau", "theta", "p"):
        np.testing.assert_allclose(known.mean[name], other.mean[name], atol=2e-6)
        np.testing.assert_allclose(known.sd[name], other.sd[name], rtol=1e-5)
        quantiles = known.quantiles([0.05, 0.5, 0.95])[name]
        np.testing.assert_allclose(quantiles, other.quantiles([0.05, 0.5, 0.95])[name], atol=1e-4)


def test_order_and_exposure_of_groups():
    """Groups in another order have their posteriors in that order; twice the exposure lowers log rates by log 2."""
    y, exposure = [[3, 0], [7], [2, 2, 1], [0]], np.array([2.0, 1.5, 3.0, 0.3])
    order = [2, 0, 3, 1]
    known = found_for(model(Poisson()), counts(y, exposure)).known
    moved = found_for(model(Poisson()), counts([y[j] for j in order], exposure[order])).known
    np.testing.assert_allclose(moved.mean["theta"][0], known.mean["theta"][0][order], rtol=1e-9)
    twice = found_for(model(Poisson(), mu=f"Normal({-np.log(2)}, 1.5)"), counts(y, 2 * exposure)).known
    np.testing.assert_allclose(twice.mean["theta"], known.mean["theta"] - np.log(2), atol=1e-6)
    np.testing.assert_allclose(twice.sd["rate"], known.sd["rate"] / 2, rtol=1e-5)


def test_surgical():
    """Mortality of hospitals A, H and L is that published (BUGS examples, volume 1), within its Monte Carlo error."""
    deaths = np.array([0, 18, 8, 46, 8, 13, 9, 31, 14, 8, 29, 24])
    n = np.array([47, 148, 119, 810, 211, 196, 148, 215, 207, 97, 256, 360])
    data = counts([np.arange(size) < k for size, k in zip(n, deaths, strict=True)])
    fitted = model(Bernoulli(), mu="Normal(0, 1000)", tau="HalfNormal(5)")
    found = quantities(fitted, data)
    tau = found.lattice.tau
    # The example's prior of the precision of the effects is Gamma(.001, .001).
    of_example = stats.gamma.logpdf(tau**-2.0, 0.001, scale=1000) - 3 * np.log(tau) - stats.halfnorm.logpdf(tau, 0, 5)
    other = replace(found.lattice, outer=found.lattice.outer + of_example)
    _, p = CountQuantities(data=found.data, lattice=other).effects
    means = np.array([one.mean for one in p])[found.data.class_of]
    np.testing.assert_allclose(means[[0, 7, 11]], [0.0530, 0.1231, 0.0684], atol=4e-4)


def test_what_cannot_be_trusted_has_a_reason(monkeypatch):
    """A quadrature that may not refine is refused, with the reason, and its draws are NaN; others stay."""
    data, _ = simulated(Poisson(), 1)
    monkeypatch.setattr(lattice, "FIRST_NODES", {1: (5, 5)})
    monkeypatch.setattr(lattice, "MOST_NODES", {1: 5})
    draws = found_for(model(Poisson()), data)
    assert "quadrature over tau has not converged" in draws.reasons[0]
    assert np.isnan(draws.sites["mu"]).all()
    assert np.isnan(draws.known.quantiles([0.5])["theta"]).all()


def test_a_large_error_is_refused(monkeypatch):
    """Where a moment moves by more than .01 sds with every second node, the fit has that as its reason."""
    data, _ = simulated(Poisson(), 1)
    monkeypatch.setattr("simstudy.samplers.exact.counts.program.MOST_ERROR", 1e-12)
    assert "a moment moves by" in found_for(model(Poisson()), data).reasons[0]


def test_impossible_data_are_a_reason():
    """A data set that has no density is a fit with a reason."""
    fitted = model(Poisson())
    data, _ = simulated(Poisson(), 1)
    arrays = fitted.arrays([data, data])
    arrays["total"][0, 0] = np.nan
    program = Exact(draws=10).compile(fitted.bound(data), None)
    draws = program.sample(arrays, np.repeat(KEYS, 2, axis=0))
    assert list(draws.reasons) == [0]
    assert "evidence" in draws.reasons[0]
    assert np.isfinite(draws.sites["mu"][1]).all()
