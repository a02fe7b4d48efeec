"""Simulated data: moments, truth, pairing, and the same numbers in every order."""

import jax
import numpy as np
import pytest
from scipy import stats

from simstudy.errors import StudyError
from simstudy.mechanisms import Exchangeable, StudentT, TwoComponent
from simstudy.models.estimands import MU, SIGMA, TAU
from simstudy.models.likelihoods import Binomial, Normal, NormalKnownSE
from simstudy.models.priors import parse_prior
from simstudy.streams import random_key

N = 2_000
SE = 4  # tolerances in Monte Carlo standard errors


def keys(n=N):
    return np.stack([random_key(5, r) for r in range(n)])


def truths(mechanism, name, n=N):
    return np.array([r.truth[name] for r in mechanism.simulate(keys(n))])


MECHANISMS = [
    Exchangeable(sizes=(1, 4), tau=parse_prior(0.7, TAU), mu=parse_prior(2.0, MU)),
    StudentT(sizes=(1, 4), df=10.0, tau=parse_prior(0.7, TAU), mu=parse_prior(2.0, MU)),
    TwoComponent(sizes=(1, 4), weight=0.2, separation=3.0, tau=parse_prior(0.7, TAU), mu=parse_prior(2.0, MU)),
]


@pytest.mark.parametrize("mechanism", MECHANISMS, ids=lambda m: m.kind)
def test_mu_and_tau_are_mean_and_sd_of_the_effects(mechanism):
    """Under every mechanism the effects have mean mu and variance tau^2."""
    theta = truths(mechanism, "theta").ravel()
    assert abs(theta.mean() - 2.0) < SE * theta.std() / np.sqrt(theta.size)
    squares = (theta - 2.0) ** 2
    assert abs(squares.mean() - 0.7**2) < SE * squares.std() / np.sqrt(theta.size)


@pytest.mark.parametrize("mechanism", MECHANISMS, ids=lambda m: m.kind)
def test_fixed_scores_follow_the_effects_distribution(mechanism):
    """The scores of many groups are distributed as the drawn effects."""
    drawn = (truths(mechanism, "theta").ravel() - 2.0) / 0.7
    assert stats.ks_2samp(mechanism.effect_scores(2_000), drawn).pvalue > 1e-3


def test_observations_scatter_around_their_effects():
    """Means and within sums of squares have the moments of the normal model, group by group."""
    mechanism = Exchangeable(sizes=(1, 4, 9), scale=(("sigma", parse_prior(2.0, SIGMA)),))
    replicates = mechanism.simulate(keys())
    z = np.array([(r.data.y_mean - r.truth["theta"]) * np.sqrt(r.data.n_obs) / 2.0 for r in replicates])
    assert np.all(np.abs(z.mean(0)) < SE / np.sqrt(N))
    assert np.all(np.abs((z**2).mean(0) - 1) < SE * np.sqrt(2 / N))
    ss = np.array([r.data.y_ss for r in replicates]) / 4.0
    assert np.all(ss[:, 0] == 0)
    for j, df in ((1, 3), (2, 8)):
        assert abs(ss[:, j].mean() - df) < SE * np.sqrt(2 * df / N)


def test_summaries_are_those_of_the_raw_observations():
    """Mean and sum of squares agree with NumPy on each group's own observations."""
    data = Exchangeable(sizes=(3, 1, 5)).simulate(keys(1))[0].data
    for j, y in enumerate(np.split(data.y, [3, 4])):
        assert data.y_mean[j] == pytest.approx(y.mean(), rel=1e-13)
        assert data.y_ss[j] == pytest.approx(y.var() * y.size, rel=1e-9, abs=1e-12)


def test_binomial_counts_have_the_right_mean():
    """Shares of successes are unbiased for p."""
    replicates = Exchangeable(sizes=(7, 30), likelihood=Binomial()).simulate(keys())
    e = np.array([r.data.y_mean - r.truth["p"] for r in replicates])
    assert np.all(np.abs(e.mean(0)) < SE * e.std(0) / np.sqrt(N))


def test_a_replicate_depends_on_its_key_alone():
    """The same key gives the same bits alone, in another order and beside others; another tau moves no noise."""
    mechanism = Exchangeable(sizes=(2, 3))
    together = mechanism.simulate(keys(70))
    alone = mechanism.simulate(keys(70)[66:67])[0]
    assert np.array_equal(alone.data.y, together[66].data.y)
    backwards = mechanism.simulate(keys(70)[::-1])
    assert np.array_equal(backwards[3].data.y, together[66].data.y)


def test_data_know_nothing_of_the_process():
    """Another default generator or precision of JAX, as a device's process may have, gives the same bits."""
    mechanism = Exchangeable(sizes=(2, 3))
    usual = mechanism.simulate(keys(1))[0]
    with jax.default_prng_impl("rbg"), jax.enable_x64(True):
        unusual = mechanism.simulate(keys(1))[0]
    assert np.array_equal(usual.data.y, unusual.data.y)
    assert usual.data.y.dtype == np.float64


def test_hyperparameters_can_be_priors():
    """A prior as text is drawn anew in each replicate, and the truth says what was drawn."""
    mechanism = Exchangeable(sizes=(2, 2), mu=parse_prior("Normal(1, 2)", MU), tau=parse_prior("HalfNormal(3)", TAU))
    assert stats.kstest(truths(mechanism, "mu"), stats.norm(1, 2).cdf).pvalue > 1e-3
    assert stats.kstest(truths(mechanism, "tau"), stats.halfnorm(0, 3).cdf).pvalue > 1e-3


def test_hyperparameters_and_noise_are_independent():
    """What is drawn from priors has no correlation with the noise of effects and observations, ranks included."""
    mechanism = Exchangeable(
        sizes=(2, 2),
        mu=parse_prior("Normal(1, 2)", MU),
        tau=parse_prior("HalfNormal(3)", TAU),
        scale=(("sigma", parse_prior("Exponential(1)", SIGMA)),),
    )
    replicates = mechanism.simulate(keys())
    drawn = {
        name: np.array([r.truth[name] for r in replicates]) for name in ("mu", "tau", "sigma", "theta_new", "y_new")
    }
    theta = np.array([r.truth["theta"] for r in replicates])
    noise = {
        "effect": (theta[:, 0] - drawn["mu"]) / drawn["tau"],
        "new effect": (drawn["theta_new"] - drawn["mu"]) / drawn["tau"],
        "observation": (np.array([r.data.y[0] for r in replicates]) - theta[:, 0]) / drawn["sigma"],
        "new observation": (drawn["y_new"] - drawn["theta_new"]) / drawn["sigma"],
    }
    for name, value in noise.items():
        assert stats.kstest(value, "norm").pvalue > 1e-3, name
        for parameter in ("mu", "tau", "sigma"):
            assert abs(stats.spearmanr(drawn[parameter], value).statistic) < SE / np.sqrt(N), (parameter, name)


@pytest.mark.parametrize(
    ("sigma_by", "shape"), [("shared", ()), ("group", (3,)), ("hierarchical", (3,))], ids=lambda v: str(v)
)
def test_sigma_has_the_shape_of_its_option(sigma_by, shape):
    """One sigma, or one for each group."""
    mechanism = Exchangeable(
        sizes=(2, 2, 2), likelihood=Normal(sigma_by=sigma_by), scale=(("sigma", parse_prior("Exponential(1)", SIGMA)),)
    )
    assert truths(mechanism, "sigma", 3).shape == (3, *shape)


def test_known_standard_errors_are_in_the_data():
    """Each estimate has its own known standard error, and scatters by it."""
    se = (0.5, 3.0)
    replicates = Exchangeable(sizes=(1, 1), likelihood=NormalKnownSE(), standard_errors=se).simulate(keys())
    z = np.array([(r.data.y_mean - r.truth["theta"]) / r.data.known_se for r in replicates])
    assert np.all(np.abs((z**2).mean(0) - 1) < SE * np.sqrt(2 / N))


def test_oracle_weights_are_the_closed_form():
    """The true shrinkage weight of a group is the share of its mean's variance that is noise."""
    sigma = (("sigma", parse_prior(2.0, SIGMA)),)
    r = Exchangeable(sizes=(1, 8), tau=parse_prior(2.0, TAU), scale=sigma).simulate(keys(1))[0]
    np.testing.assert_allclose(r.truth["shrinkage_weight"], [4 / (4 + 4), 0.5 / (0.5 + 4)], rtol=1e-12)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: StudentT(sizes=(1,), df=2.0), "above 2"),
        (lambda: TwoComponent(sizes=(1,), weight=1.0), "between 0 and 1"),
        (lambda: TwoComponent(sizes=(1,), separation=-1.0), ">= 0"),
    ],
)
def test_effects_without_a_variance_are_refused(make, words):
    """Parameters out of range are misuse."""
    with pytest.raises(StudyError, match=words):
        make()
