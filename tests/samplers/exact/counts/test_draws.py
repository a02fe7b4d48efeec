"""Exact draws of counts: distributed as the exact posterior, independent, the same in every block; refusals; rows."""

import numpy as np
import pytest
from scipy import stats

import simstudy
from simstudy.errors import StudyError
from simstudy.models.likelihoods import Bernoulli, NegativeBinomial, Poisson
from simstudy.samplers.exact import Exact
from tests.models.additive_models import CROSSED, exchangeable, model_with
from tests.samplers.exact.counts.models import model, simulated

LIKELIHOODS = [Poisson(), Bernoulli(), NegativeBinomial()]


def keys(n):
    return np.random.default_rng(11).integers(0, 2**32, (n, 2), dtype=np.uint32)


def fit(fitted, data, *, some_keys=None, **options):
    program = Exact(precision="float64", **options).compile(fitted.bound(data[0]), None)
    return program.sample(fitted.arrays(data), keys(len(data)) if some_keys is None else some_keys)


@pytest.mark.parametrize("likelihood", LIKELIHOODS, ids=lambda one: one.kind)
def test_draws_have_the_exact_distribution(likelihood):
    """Draws fall between exact quantiles as often as they should (chi-square), are independent of one another, and have
    the exact means within 4 Monte Carlo errors."""
    fitted, n_draws = model(likelihood), 2000
    data = [simulated(likelihood, 5, n_groups=3)[0]]
    draws = fit(fitted, data, chains=2, draws=n_draws // 2)
    assert draws.stats is None
    assert not draws.reasons
    estimands = fitted.estimands(draws.sites, data, keys(1))
    probabilities = np.linspace(0.02, 0.98, 49)
    quantiles = draws.known.quantiles(probabilities)
    for name, mean in draws.known.mean.items():
        values = estimands[name].reshape(n_draws, -1)
        if not np.isnan(mean).any():
            mcse = draws.known.sd[name].ravel() / np.sqrt(n_draws)
            assert (np.abs(values.mean(0) - mean.ravel()) < 4 * mcse).all(), name
        for group, edge in enumerate(quantiles[name].reshape(-1, 49)):
            counts = np.bincount(np.searchsorted(edge, values[:, group]), minlength=50)
            assert stats.chisquare(counts, n_draws * np.diff([0, *probabilities, 1])).pvalue > 1e-4, name
    one = draws.sites["tau"].ravel()
    assert abs(np.corrcoef(one[1:], one[:-1])[0, 1]) < 4 / np.sqrt(n_draws)


@pytest.mark.parametrize("parameterization", ["centered", "partial"])
def test_sites_are_those_of_the_parameterization(parameterization):
    """However a program moves effects, exact draws of its sites give the same effects."""
    data = [simulated(Poisson(), 3, n_groups=4)[0]]
    plain, moved = model(Poisson()), model(Poisson(), parameterization=parameterization)
    expected = plain.estimands(fit(plain, data, draws=50).sites, data, keys(1))["theta"]
    other = moved.estimands(fit(moved, data, draws=50).sites, data, keys(1))["theta"]
    np.testing.assert_allclose(other, expected, rtol=1e-9)


def test_draws_do_not_depend_on_the_block():
    """A fit's draws and moments are the same, to the last bit, alone, among others and in another order."""
    fitted = model(NegativeBinomial())
    data = [simulated(NegativeBinomial(), seed, n_groups=3)[0] for seed in range(3)]
    together = fit(fitted, data, chains=1, draws=20)
    order = [2, 0, 1]
    shuffled = fit(fitted, [data[i] for i in order], some_keys=keys(3)[order], chains=1, draws=20)
    alone = fit(fitted, data[1:2], some_keys=keys(3)[1:2], chains=1, draws=20)
    for name, value in together.sites.items():
        np.testing.assert_array_equal(shuffled.sites[name], value[order])
        np.testing.assert_array_equal(alone.sites[name][0], value[1])
    np.testing.assert_array_equal(alone.known.mean["theta"][0], together.known.mean["theta"][1])


def test_posterior_over_prior_draws_is_calibrated():
    """With truth and data from the model, the posterior probability below the truth is uniform (Cook et al. 2006)."""
    rng, n = np.random.default_rng(3), 100
    fitted = model(Poisson(), mu="Normal(0, 1)", tau="HalfNormal(1)")
    mu, tau = rng.normal(size=n), np.abs(rng.normal(size=n))
    data, theta = zip(
        *[simulated(Poisson(), i, n_groups=3, per_group=2, mu=mu[i], tau=tau[i]) for i in range(n)], strict=True
    )
    known = fit(fitted, list(data), chains=1, draws=4).known
    pit = known.cdf({"mu": mu, "tau": tau, "theta": np.array(theta)})
    for name in ("mu", "tau"):
        assert stats.kstest(pit[name], "uniform").pvalue > 1e-3
    assert stats.kstest(pit["theta"][:, 0], "uniform").pvalue > 1e-3


@pytest.mark.parametrize(
    ("fitted", "message"),
    [
        (model_with(exchangeable("row", "item"), likelihood=Poisson(), design=CROSSED), "2 terms; expected a sum"),
        (model_with((), likelihood=Poisson(), covariates=("x",)), r"covariates \(x\)"),
        (model_with(exchangeable("row"), likelihood=Bernoulli(), design=CROSSED), "several cells in a level"),
        (model(Poisson(), mu="StudentT(3, 0, 1)"), r"prior StudentT\(3, 0, 1\) of mu"),
        (model(Poisson(), mu=1.0), "prior 1 of mu"),
    ],
)
def test_models_out_of_scope_are_refused(fitted, message):
    """What has no exact posterior is refused with what is supported."""
    with pytest.raises(StudyError, match=message):
        Exact().compile(fitted, None)


def test_rows_of_a_run_have_the_exact_moments(tmp_path):
    """A study of counts with the exact sampler runs from its file to rows: means have no Monte Carlo error."""
    study = simstudy.Study.from_dict(
        {
            "study": {"name": "counts", "seed": 3, "replicates": 3},
            "mechanism": {
                "kind": "multilevel",
                "likelihood": "poisson",
                "mu": 0.5,
                "per_cell": 4,
                "terms": {"school": {"levels": 5, "tau": 0.5}},
            },
            "method": [{"name": "partial", "pooling": "partial"}, {"name": "complete", "pooling": "complete"}],
            "sampler": {"kind": "exact", "draws": 50},
        }
    )
    run = simstudy.run(study, out=tmp_path / "run", workers=0, quiet=True)
    assert (run.fits["status"] == "ok").all()
    rows = run.estimates.query("estimand in ('mu', 'tau', 'theta', 'rate')")
    assert rows["mcse_mean"].isna().all()
    assert rows["pit"].between(0, 1).all()
