"""Maximum likelihood as samplers: what programs return, block by block, and what a study makes of it."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import integrate, stats

from simstudy.errors import StudyError
from simstudy.models.likelihoods import Normal, StudentT
from simstudy.models.predictor import Term
from simstudy.models.structures import Complete, Independent, Partial
from simstudy.models.terms import BYM2, Exchangeable, Separate, Slopes
from simstudy.samplers import ML, REML
from simstudy.samplers.likelihood.known import standard_crps
from tests.models.additive_models import NESTED, X, data_of, model_with
from tests.samplers.exact.models import model, normal_data
from tests.samplers.likelihood.fits import balanced, grouped, lme4, one_way

SIZES = (4, 3, 5, 2, 6)
MU, SIGMA = "Normal(0, 10)", "Exponential(1)"
KEYS = np.arange(8, dtype=np.uint32).reshape(4, 2)


def drawn(fit, data, sampler=None, keys=KEYS):
    """Return draws of some data sets, and their estimands."""
    fit = fit.bound(data[0])
    program = (sampler or REML(chains=2, draws=2000)).compile(fit, None)
    draws = program.sample(fit.arrays(data), keys[: len(data)])
    return draws, fit.estimands(draws.sites, data, keys[: len(data)])


def partial(parameterization):
    """Return partial pooling with one of its parameterizations."""
    return model(Partial(parameterization=parameterization), Normal(), mu=MU, tau="HalfNormal(5)", sigma=SIGMA)


CASES = {
    "centered": (partial("centered"), [normal_data(1, SIZES), normal_data(2, SIZES)]),
    "non-centered": (partial("noncentered"), [normal_data(1, SIZES)]),
    "centered at tau = 0": (partial("centered"), [grouped(one_way(balanced(among=0.5))[1])]),
    "non-centered at tau = 0": (partial("noncentered"), [grouped(one_way(balanced(among=0.5))[1])]),
    "none": (model(Independent(), Normal(), theta=MU, sigma=SIGMA), [normal_data(1, SIZES)]),
    "complete": (model(Complete(), Normal(), mu=MU, sigma=SIGMA), [normal_data(1, SIZES)]),
    **{
        f"terms {how}": (
            model_with(
                (
                    Term(factor="school", structure=Separate()),
                    Term(factor="class", structure=Exchangeable(), parameterization=how),
                ),
                covariates=("x",),
                priors={"spread[school]": 7.0},
            ),
            [data_of(NESTED, seed=4, x=X)],
        )
        for how in ("noncentered", "centered", "partial")
    },
}


@pytest.mark.parametrize("case", CASES)
def test_draws_have_the_moments_of_the_estimates(case):
    """Every linear estimand's draws have its estimate as mean and its error as sd, within 5 Monte Carlo errors.

    So sites, parameterizations and constants are those that the model itself reads.
    """
    draws, estimands = drawn(*CASES[case])
    names = [name for name in draws.known.mean if name not in ("tau", "sigma", "tau[class]")]
    assert {"theta"} <= set(names)
    for name in names:
        of_draws = estimands[name].reshape(len(estimands[name]), 4000, *estimands[name].shape[3:])
        mean, sd = draws.known.mean[name], draws.known.sd[name]
        assert np.all(np.abs(of_draws.mean(1) - mean) < 5 * sd / np.sqrt(4000) + 1e-12), name
        assert of_draws.std(1) == pytest.approx(sd, rel=5 / np.sqrt(2 * 4000), abs=1e-12), name


@pytest.mark.parametrize("case", ["centered", "none", "terms partial"])
def test_parameters_are_the_same_in_every_draw(case):
    """The plug-in draws are given the estimated parameters."""
    draws, estimands = drawn(*CASES[case])
    for name in {"tau", "sigma", "tau[class]"} & set(draws.known.mean):
        assert (
            pytest.approx(np.tile(draws.known.mean[name], (4000, 1)), rel=1e-12)
            == estimands[name].reshape(len(estimands[name]), -1).T
        )


def test_a_fit_is_the_same_beside_others():
    """Alone and in a block, in any order: the same bits, draws included."""
    data = [normal_data(seed, SIZES) for seed in range(4)]
    together, _ = drawn(partial("centered"), data)
    alone, _ = drawn(partial("centered"), data[2:3], keys=KEYS[2:])
    turned, _ = drawn(partial("centered"), data[::-1], keys=KEYS[::-1])
    for name, site in together.sites.items():
        assert np.array_equal(site[2], alone.sites[name][0])
        assert np.array_equal(site, turned.sites[name][::-1])
    for name, quantiles in together.known.quantiles((0.1, 0.9)).items():
        assert np.array_equal(quantiles[2], alone.known.quantiles((0.1, 0.9))[name][0])


@pytest.mark.parametrize("case", ["centered", "none", "complete", "terms centered"])
def test_a_fit_without_a_maximum_leaves_the_others_alone(case):
    """Its numbers are NaN and it has a reason; so has every fit of a block without any maximum."""
    fit, (data, *_) = CASES[case]
    broken = replace(data, y_mean=np.full_like(data.y_mean, np.nan), y=None)
    mixed, _ = drawn(fit, [broken, data], keys=KEYS[::-1])
    alone, _ = drawn(fit, [data], keys=KEYS[::-1][1:])
    assert mixed.reasons == {0: "the data are not finite"}
    assert mixed.n_boundary.mask.tolist() == [True, False]
    for name, site in alone.sites.items():
        assert np.array_equal(mixed.sites[name][1], site[0])
        assert np.isnan(mixed.sites[name][0]).all()
    for name, mean in mixed.known.mean.items():
        assert np.isnan(mean[0]).all()
        assert np.array_equal(mean[1], alone.known.mean[name][0])
    nothing, _ = drawn(fit, [broken])
    assert nothing.known is None
    assert {name: site.shape[1:] for name, site in nothing.sites.items()} == {
        name: site.shape[1:] for name, site in alone.sites.items()
    }


def test_what_follows_from_parameters_alone_is_left_out():
    """Shares of variance, shrinkage weights, and correlations of three columns: no draw could tell their error."""
    assert REML().left_out(partial("centered")) == {"shrinkage_weight"}
    assert REML().left_out(lme4("pastes")[0]) == {"share[batch]", "share[cask]"}
    three = model_with((Term(factor="g", structure=Slopes(covariates=("x", "w")), alone=True),))
    assert REML().left_out(three) >= {"rho_effect_x", "rho_effect_w", "rho_x_w"}
    share = model_with((Term(factor="g", structure=BYM2(), alone=True),))
    assert "share" not in REML().left_out(share)


@pytest.mark.parametrize("df", [1.5, 3.0, 30.0, np.inf])
def test_the_score_of_t_is_its_integral(df):
    """CRPS = integral of (F - 1{x >= z})^2, by quadrature."""
    z = 0.7
    of = stats.t(df)
    left = integrate.quad(lambda x: of.cdf(x) ** 2, -np.inf, z)[0]
    right = integrate.quad(lambda x: of.sf(x) ** 2, z, np.inf)[0]
    assert float(standard_crps(np.array(z), np.array(df))) == pytest.approx(left + right, abs=1e-7)


def test_every_part_of_what_is_known_has_every_estimand():
    """Mean, sd, quantiles, shortest interval, distribution function and score, shapes as of the mean; ends agree."""
    draws, _ = drawn(*CASES["centered"])
    known = draws.known
    quantiles, hdi = known.quantiles((0.05, 0.5, 0.95)), known.hdi(0.9)
    cdf, crps = (function({name: q[..., 2] for name, q in quantiles.items()}) for function in (known.cdf, known.crps))
    for name, mean in known.mean.items():
        assert known.sd[name].shape == mean.shape == cdf[name].shape == crps[name].shape
        assert quantiles[name].shape == (*mean.shape, 3)
        assert hdi[name].shape == (*mean.shape, 2)
        assert quantiles[name][..., 1] == pytest.approx(mean, rel=1e-9)
        assert cdf[name] == pytest.approx(np.full(mean.shape, 0.95), abs=1e-9)
        assert np.isnan(crps[name]).all() == (name in ("tau", "sigma"))


@pytest.mark.parametrize("family", [REML, ML])
def test_what_is_out_of_scope_is_refused(family):
    """Before anything runs, in words that say what is in scope."""
    robust = model(Partial(), StudentT(), mu=MU, tau="HalfNormal(5)", sigma=SIGMA)
    with pytest.raises(StudyError, match=f"sampler '{family.kind}': the likelihood 'student_t' is out of scope; expec"):
        family().check(robust)
    by_group = model(Independent(), Normal(sigma_by="group"), theta=MU, sigma=SIGMA)
    with pytest.raises(StudyError, match="'normal' with sigma_by = 'group' is out of scope"):
        family().check(by_group)
    raw = model(Complete(), Normal(), observations="raw", mu=MU, sigma=SIGMA)
    with pytest.raises(StudyError, match="observations = 'raw' is out of scope"):
        family().check(raw)
