"""Exact draws: distributed as the exact posterior, independent, the same in every block; refusals."""

import numpy as np
import pytest
from scipy import stats

import simstudy
from simstudy.errors import StudyError
from simstudy.models.likelihoods import Binomial, Normal, NormalKnownSE
from simstudy.models.structures import Complete, Independent, Partial
from simstudy.models.user import UserModel
from simstudy.samplers.exact import Exact, exact_posterior
from tests.samplers.exact.models import model, normal_data
from tests.user_models import grouped, model_of, name_of, random_data

SIZES = (3, 1, 2)
CASES = [
    (Partial(), Normal()),
    (Partial(parameterization="centered"), Normal()),
    (Complete(), Normal()),
    (Independent(), Normal()),
    (Independent(), Normal(sigma_by="group")),
    (Partial(), NormalKnownSE()),
    (Partial(), Binomial()),
    (Independent(), Binomial()),
]


def keys(n):
    return np.random.default_rng(11).integers(0, 2**32, (n, 2), dtype=np.uint32)


def fit(fitted, data, *, some_keys=None, **options):
    program = Exact(precision="float64", **options).compile(fitted, None)
    return program.sample(fitted.arrays(data), keys(len(data)) if some_keys is None else some_keys)


@pytest.mark.parametrize(("structure", "likelihood"), CASES, ids=name_of)
def test_draws_have_the_exact_distribution(structure, likelihood):
    """Draws fall between exact quantiles as often as they should (chi-square), are independent of one another, and have
    the exact means within 4 Monte Carlo errors."""
    fitted = model_of(structure, likelihood)
    data = [random_data(np.random.default_rng(5), likelihood, SIZES)]
    n_draws = 1000
    draws = fit(fitted, data, chains=2, draws=n_draws // 2)
    exact = exact_posterior(fitted, fitted.arrays(data))
    estimands = fitted.estimands(draws.sites, data, keys(1))
    assert draws.stats is None
    assert not draws.reasons
    for name, mean in exact.mean.items():
        if name == "theta_new":
            continue
        values = estimands[name].reshape(n_draws, -1)
        mcse = exact.sd[name].ravel() / np.sqrt(n_draws)
        assert (np.abs(values.mean(0) - mean.ravel()) < 4 * mcse).all()
        probabilities = np.linspace(0.02, 0.98, 49)
        edges = exact.quantiles(probabilities)[name].reshape(-1, 49)
        for group, edge in enumerate(edges):
            counts = np.bincount(np.searchsorted(edge, values[:, group]), minlength=50)
            assert stats.chisquare(counts, n_draws * np.diff([0, *probabilities, 1])).pvalue > 1e-4
    one = next(iter(draws.sites.values())).reshape(n_draws, -1)[:, 0]
    assert abs(np.corrcoef(one[1:], one[:-1])[0, 1]) < 4 / np.sqrt(n_draws)


def test_draws_do_not_depend_on_the_block():
    """A fit's draws are the same, to the last bit, alone, among others and in another order."""
    fitted = model_of(Partial(), Normal())
    data = [normal_data(seed, sizes) for seed, sizes in enumerate([SIZES, (9, 9, 9), (1, 1, 1)] * 12)]
    together = fit(fitted, data, chains=1, draws=20).sites
    order = np.random.default_rng(0).permutation(len(data))
    shuffled = fit(fitted, [data[i] for i in order], some_keys=keys(len(data))[order], chains=1, draws=20).sites
    for i in (0, 1, 2, 35):
        alone = fit(fitted, [data[i]], some_keys=keys(len(data))[i : i + 1], chains=1, draws=20).sites
        for name, value in together.items():
            np.testing.assert_array_equal(alone[name][0], value[i])
    for name, value in together.items():
        np.testing.assert_array_equal(shuffled[name], value[order])


def test_sites_are_the_models_latent_sites():
    """Draws have the sites of the NumPyro program, each in its shape, and none for constants."""
    data = [normal_data(1, SIZES)]
    full = fit(model_of(Partial(), Normal()), data, chains=2, draws=5).sites
    assert {name: value.shape for name, value in full.items()} == {
        "mu": (1, 2, 5), "tau": (1, 2, 5), "sigma": (1, 2, 5), "theta_decentered": (1, 2, 5, 3),
    }  # fmt: skip
    fixed = model(Partial(parameterization="centered"), Normal(), mu="Normal(0, 1)", tau=0.5, sigma=1.0)
    assert set(fit(fixed, data, draws=5).sites) == {"mu", "theta"}


def test_posterior_over_prior_draws_is_calibrated():
    """With truth and data from the model, the posterior probability below the truth is uniform (Cook et al. 2006)."""
    rng = np.random.default_rng(3)
    fitted = model(Partial(), Normal(), mu="Normal(0, 1)", tau="HalfNormal(1)", sigma="Exponential(1)")
    n = 300
    truth = {"mu": rng.normal(size=n), "tau": np.abs(rng.normal(size=n)), "sigma": rng.exponential(size=n)}
    truth["theta"] = truth["mu"][:, None] + truth["tau"][:, None] * rng.normal(size=(n, 3))
    data = [_observed(rng, theta, sigma) for theta, sigma in zip(truth["theta"], truth["sigma"], strict=True)]
    pit = exact_posterior(fitted, fitted.arrays(data)).cdf(truth)
    for name in ("mu", "tau", "sigma"):
        assert stats.kstest(pit[name], "uniform").pvalue > 1e-3
    assert stats.kstest(pit["theta"][:, 0], "uniform").pvalue > 1e-3


def _observed(rng, theta, sigma):
    return grouped(np.repeat(theta, SIZES) + sigma * rng.normal(size=sum(SIZES)), np.array(SIZES))


def test_impossible_data_are_a_reason():
    """A data set that has no density is a fit with a reason and draws of NaN; the others are as without it."""
    fitted = model_of(Partial(), Normal())
    data = [normal_data(1, SIZES), normal_data(2, SIZES)]
    arrays = fitted.arrays(data)
    arrays["y_mean"][0, 0] = np.nan
    draws = Exact(draws=10).compile(fitted, None).sample(arrays, keys(2))
    assert list(draws.reasons) == [0]
    assert "evidence" in draws.reasons[0]
    assert np.isnan(draws.sites["mu"][0]).all()
    assert np.isfinite(draws.sites["mu"][1]).all()


@pytest.mark.parametrize(
    ("fitted", "message"),
    [
        (model_of(Partial(), Normal(sigma_by="group")), "sigma_by = 'group'.*expected a built-in model"),
        (model_of(Complete(), Normal(sigma_by="hierarchical")), "sigma_by = 'hierarchical'"),
        (model(Complete(), Normal(), mu="StudentT(3, 0, 1)", sigma=1.0), r"StudentT\(3, 0, 1\) of mu"),
        (model(Complete(), Normal(), mu=1.0, sigma=1.0), "no latent parameter"),
        (UserModel(name="mine", program=lambda data: None, posterior_estimands=dict), "user's model"),
    ],
)
def test_models_out_of_scope_are_refused(fitted, message):
    """What has no exact posterior is refused with what is supported."""
    with pytest.raises(StudyError, match=message):
        Exact().compile(fitted, None)


@pytest.mark.statistical
@pytest.mark.parametrize("sizes", [(1,) * 8, (10,) * 8, (2, 2)])
def test_many_draws_have_the_exact_distribution(sizes):
    """50,000 draws of one posterior: uniform through the exact distribution function (Kolmogorov-Smirnov)."""
    fitted = model_of(Partial(), Normal())
    data = [normal_data(9, sizes, tau=0.2)]
    sites = fit(fitted, data, chains=1, draws=50_000).sites
    exact = exact_posterior(fitted, fitted.arrays(data))
    probabilities = np.linspace(0.01, 0.99, 99)
    for name in ("mu", "tau", "sigma"):
        edges = exact.quantiles(probabilities)[name][0]
        share = np.searchsorted(np.sort(sites[name][0, 0]), edges) / 50_000
        assert np.abs(share - probabilities).max() < stats.kstwobign.ppf(1 - 1e-4) / np.sqrt(50_000)


def test_rows_of_a_run_have_the_exact_moments(tmp_path):
    """No pooling with known standard errors: mean, sd and PIT are a normal's, and have no Monte Carlo error."""
    study = simstudy.Study.from_dict(
        {
            "study": {"name": "known", "seed": 3, "replicates": 3},
            "mechanism": {"kind": "exchangeable", "likelihood": "normal_known_se", "groups": 3, "standard_error": 2.0},
            "method": [{"name": "none", "structure": "none", "priors": {"theta": "Normal(1, 3)"}}],
            "sampler": {"kind": "exact", "draws": 50},
        }
    )
    run = simstudy.run(study, out=tmp_path / "run", workers=0, quiet=True)
    theta = run.estimates.query("estimand == 'theta'").sort_values(["replicate", "group"])
    y = run.groups.sort_values(["replicate", "group"])["y_mean"].to_numpy(float)
    posterior = stats.norm((y * 9 + 1 * 4) / 13, np.sqrt(9 * 4 / 13))
    np.testing.assert_allclose(theta["mean"], posterior.mean(), rtol=1e-8)
    np.testing.assert_allclose(theta["sd"], posterior.std(), rtol=1e-8)
    np.testing.assert_allclose(theta["pit"], posterior.cdf(theta["truth"]), atol=1e-9)
    assert theta["mcse_mean"].isna().all()
