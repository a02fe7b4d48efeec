"""Likelihoods of counts against scipy, in limits, and in single precision at a million counts."""

import jax
import numpy as np
import pytest
from scipy import stats
from scipy.special import gammaln

from simstudy.models.likelihoods import Bernoulli, Binomial, NegativeBinomial, Poisson, StudentT
from simstudy.models.likelihoods.negative_binomial import counts_above
from simstudy.models.likelihoods.trials import MANY_TRIALS
from simstudy.types import GroupedData

SIZES = np.array([4, 1, 7])
THETA = np.array([0.7, -1.2, 0.1])
LARGEST_ENERGY_ERROR = 0.005


def grouped(y, exposure=None):
    group_of = np.repeat(np.arange(3), SIZES)
    mean = np.bincount(group_of, y) / SIZES
    ss = np.bincount(group_of, (y - mean[group_of]) ** 2)
    return GroupedData(n_obs=SIZES, y_mean=mean, y_ss=ss, y=y, exposure=exposure)


def log_lik(family, theta, scale, statistics):
    """Return the log likelihood at one point, as of a single lane."""
    lane = {name: np.asarray(value)[..., None] for name, value in statistics.items()}
    scales = {name: np.asarray(value)[None] for name, value in scale.items()}
    return float(family.log_likelihood(np.asarray(theta)[..., None], scales, lane, xp=np)[0])


COUNTS = np.array([0, 3, 1, 7, 0, 2, 2, 5, 0, 1, 9, 4], float)
EXPOSURE = np.array([8.0, 2.5, 3.5])  # 2, 2.5 and 0.5 an observation
EACH = np.array([2.0, 2.5, 0.5])


def test_poisson_is_the_probability_of_the_counts():
    """The whole log probability, with factorials and exposures, and where a group has no count."""
    data = grouped(COUNTS, EXPOSURE)
    rate = (EACH * np.exp(THETA))[data.group_of]
    found = log_lik(Poisson(), THETA, {}, Poisson().statistics(data))
    assert found == pytest.approx(stats.poisson(rate).logpmf(COUNTS).sum(), rel=1e-12)


@pytest.mark.parametrize("phi", [0.05, 1.0, 30.0, 1e4])
def test_negative_binomial_is_the_probability_of_the_counts(phi):
    """With scipy's parameters: phi failures, probability phi / (phi + mean)."""
    data = grouped(COUNTS, EXPOSURE)
    mean = (EACH * np.exp(THETA))[data.group_of]
    family = NegativeBinomial()
    found = log_lik(family, THETA, {"phi": np.array(phi)}, family.statistics(data))
    assert found == pytest.approx(stats.nbinom(phi, phi / (phi + mean)).logpmf(COUNTS).sum(), rel=1e-10)


def test_negative_binomial_becomes_poisson():
    """As its shape goes to infinity, in single precision too."""
    data = grouped(COUNTS, EXPOSURE)
    family = NegativeBinomial()
    found = log_lik(family, THETA, {"phi": np.array(1e12)}, family.statistics(data))
    expected = log_lik(Poisson(), THETA, {}, Poisson().statistics(data))
    assert found == pytest.approx(expected, rel=1e-9)
    single = {name: np.float32(value) for name, value in family.statistics(data).items()}
    near = log_lik(family, np.float32(THETA), {"phi": np.float32(1e8)}, single)
    assert near == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("largest", [30, 3_000, 1_000_000])
@pytest.mark.parametrize("phi", [0.01, 1.0, 50.0, 1e4])
def test_counts_above_have_a_fixed_length_and_lose_nothing(largest, phi):
    """The sum over observations of lgamma(y + phi) - lgamma(phi) - y log phi, from 20 numbers."""
    y = np.floor(np.random.default_rng(largest).exponential(largest / 5, 200)).clip(max=largest)
    at, above = counts_above(y)
    assert at.shape == above.shape == (20,)
    whole = np.arange(int(y.max()))
    expected = (np.array([(y > k).sum() for k in whole]) * np.log1p(whole / phi)).sum() if largest < 1e4 else None
    if expected is None:  # by log gammas, whose own rounding is larger there
        expected = (gammaln(y + phi) - gammaln(phi) - y * np.log(phi)).sum()
    assert (above * np.log1p(at / phi)).sum() == pytest.approx(expected, rel=2e-7)


def near_the_mode(center, sd, n=400):
    return center + 1.5 * sd * np.random.default_rng(0).standard_normal((n, len(center)))


def energy_error(family, data, theta, scale=None):
    """Return the largest error of single precision in differences of log likelihoods."""
    stats_ = family.statistics(data)
    scale = {} if scale is None else scale
    single = {name: np.float32(value) for name, value in stats_.items()}
    single_scale = {name: np.float32(value) for name, value in scale.items()}
    errors = []
    for at in theta:
        found = log_lik(family, np.float32(at), single_scale, single)
        errors.append(found - log_lik(family, np.float64(np.float32(at)), scale, stats_))
    return np.ptp(errors)


@pytest.mark.parametrize("n", [MANY_TRIALS, 1_000_000])
def test_single_precision_holds_a_million_trials(n):
    """Energy differences are right, also where no trial succeeds, and where all do."""
    k = np.array([0.3 * n, 0.0, n])
    data = GroupedData(n_obs=np.full(3, n), y_mean=k / n, y_ss=k * (1 - k / n))
    center = np.log((k + 0.5) / (n - k + 0.5))
    sd = np.sqrt(1 / (k + 0.5) + 1 / (n - k + 0.5))
    assert energy_error(Binomial(), data, near_the_mode(center, sd)) < LARGEST_ENERGY_ERROR
    theta = np.array([0.2, -14.0, 13.0])
    expected = stats.binom(n, 1 / (1 + np.exp(-theta))).logpmf(k).sum()
    assert log_lik(Binomial(), theta, {}, Binomial().statistics(data)) == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize("family", [Poisson(), NegativeBinomial()], ids=["poisson", "negative_binomial"])
def test_single_precision_holds_a_million_counts(family):
    """Energy differences are right at a total of a million in a group."""
    total = np.array([1e6, 2e6, 5e5])
    rng = np.random.default_rng(1)
    spread = rng.gamma(40.0, 1 / 40.0, 150) if family.parameters else 1.0
    y = rng.poisson(np.repeat(total / 50, 50) * spread).astype(float)
    n = np.full(3, 50)
    mean = y.reshape(3, 50).mean(1)
    data = GroupedData(n_obs=n, y_mean=mean, y_ss=np.zeros(3), y=y)
    scale = {"phi": np.array(40.0)} if family.parameters else {}
    sd = 1 / np.sqrt(50 * 40.0) if family.parameters else 1 / np.sqrt(total)
    error = energy_error(family, data, near_the_mode(np.log(mean), np.broadcast_to(sd, 3)), scale)
    assert error < LARGEST_ENERGY_ERROR


def test_single_precision_holds_an_exposure_of_a_million_without_a_count():
    """A group that saw nothing says much of its rate."""
    data = GroupedData(n_obs=np.full(3, 10), y_mean=np.zeros(3), y_ss=np.zeros(3), exposure=np.full(3, 1e6))
    assert energy_error(Poisson(), data, near_the_mode(np.full(3, -14.0), np.ones(3))) < LARGEST_ENERGY_ERROR


@pytest.mark.parametrize("nu", [1.5, 4.0, 60.0, 1e4])
def test_single_precision_holds_ten_thousand_student_t_observations(nu):
    """Also where nu moves, by less than a standard deviation of its posterior."""
    rng = np.random.default_rng(2)
    y = rng.standard_t(nu, 9_999)
    n = np.full(3, 3_333)
    data = GroupedData(n_obs=n, y_mean=y.reshape(3, -1).mean(1), y_ss=np.zeros(3), y=y)
    family, errors = StudentT(), []
    statistics = family.statistics(data)
    single = {name: np.float32(value) for name, value in statistics.items()}
    for theta, step in zip(near_the_mode(np.zeros(3), 0.02, n=50), rng.normal(0, 0.05, 50), strict=True):
        scale = {"sigma": np.float32(1.0), "nu": np.float32(nu * np.exp(step))}
        at = np.float32(theta)
        exact = log_lik(family, np.float64(at), {k: np.float64(v) for k, v in scale.items()}, statistics)
        errors.append(log_lik(family, at, scale, single) - exact)
    assert np.ptp(errors) < 0.05  # of log likelihoods of -15,000


@pytest.mark.parametrize("log_mean", [2.0, 10.0, 13.0, 40.0])
def test_counts_have_the_moments_of_their_mean(log_mean):
    """However large it is."""
    with jax.enable_x64(True):
        drawn = np.asarray(Poisson().draw(jax.random.key(1), np.full(20_000, log_mean), {}, None))
    mean = np.exp(log_mean)
    assert abs(drawn.mean() - mean) < 4 * np.sqrt(mean / len(drawn))
    assert abs(drawn.var() / mean - 1) < 4 * np.sqrt(2 / len(drawn) + 1 / (mean * len(drawn)))


def test_few_trials_have_the_form_that_they_had():
    """Programs and bits of studies with moderate sizes stay."""
    data = grouped((COUNTS > 1).astype(float))
    assert set(Binomial().statistics(data)) == {"n", "k", "constant"}
    assert Binomial().known_shape(SIZES) == ()
    assert Binomial().known_shape([10, MANY_TRIALS]) != ()


def test_far_from_the_data_nothing_overflows():
    """Values stay finite, with the slope of their tails."""
    n = np.full(3, 1_000_000)
    data = GroupedData(n_obs=n, y_mean=np.array([0.0, 0.5, 1e-6]), y_ss=np.zeros(3))
    single = {name: np.float32(value) for name, value in Binomial().statistics(data).items()}
    for theta in (-90.0, 90.0):
        at = np.full(3, theta)
        found = log_lik(Binomial(), np.float32(at), {}, single)
        expected = stats.binom(n, 1 / (1 + np.exp(-at))).logpmf(n * data.y_mean).sum()
        assert np.isfinite(found)
        if theta < 0:
            assert found == pytest.approx(expected, rel=1e-5)


def test_bernoulli_is_binomial_with_single_trials():
    """The same probability."""
    data = grouped((COUNTS > 1).astype(float))
    found = log_lik(Bernoulli(), THETA, {}, Bernoulli().statistics(data))
    p = 1 / (1 + np.exp(-THETA))
    binomial = stats.binom(SIZES, p).logpmf(np.rint(data.y_mean * SIZES)).sum()
    assert found == pytest.approx(binomial, rel=1e-12)


def test_student_t_is_the_density_of_the_observations():
    """And becomes normal as its degrees of freedom grow."""
    y = np.random.default_rng(3).normal(0, 2, 12)
    data, family = grouped(y), StudentT()
    statistics = family.statistics(data)
    for nu, expected in ((3.0, stats.t(3.0, THETA[data.group_of], 1.7)), (1e7, stats.norm(THETA[data.group_of], 1.7))):
        scale = {"sigma": np.array(1.7), "nu": np.array(nu)}
        found = log_lik(family, THETA, scale, statistics)
        assert found == pytest.approx(expected.logpdf(y).sum(), rel=1e-6)
    assert family.known_shape(SIZES) == (7,)
