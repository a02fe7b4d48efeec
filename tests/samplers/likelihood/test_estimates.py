"""Closed forms, limits and invariances of maximum likelihood and REML."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import multivariate_normal, norm, t

from simstudy.models.design import CellData, Design, Factor
from simstudy.models.likelihoods import Normal, NormalKnownSE
from simstudy.models.linear import cell_matrix, effect_matrices
from simstudy.models.predictor import Term
from simstudy.models.structures import Complete, Independent, Partial
from simstudy.models.terms import BYM2, CAR, ICAR, Exchangeable, GaussianProcess, RandomWalk, Separate, Slopes
from simstudy.samplers.likelihood.criterion import Data
from simstudy.samplers.likelihood.frame import frame_of
from simstudy.samplers.likelihood.known import Confidence
from simstudy.samplers.likelihood.rows import read
from simstudy.samplers.likelihood.search import Search
from tests.models.additive_models import NESTED, X, data_of, model_with
from tests.samplers.exact.models import model, normal_data
from tests.samplers.likelihood.fits import balanced, estimated, grouped, lme4, moved, one_way, trials

MU = "Normal(0, 10)"
SIGMA = "Exponential(1)"


def partial(**priors):
    """Return partial pooling of groups."""
    return model(Partial(), Normal(), **{"mu": MU, "tau": "HalfNormal(5)", "sigma": SIGMA} | priors)


@pytest.mark.parametrize("kind", ["reml", "ml"])
def test_a_balanced_design_has_a_closed_form(kind):
    """REML is the analysis of variance where that is positive; ML has J in the place of J - 1 (Searle et al. 1992)."""
    y = balanced(among=4.0)
    groups, size = y.shape
    found = estimated(*one_way(y), kind)
    among = 4.0 if kind == "reml" else 4.0 * (groups - 1) / groups
    assert found.parameters["sigma"] == pytest.approx(1.0, rel=1e-7)
    assert found.parameters["tau"] == pytest.approx(np.sqrt((among - 1) / size), rel=1e-7)
    mu = found.linear["mu"]
    assert mu.mean[0] == pytest.approx(y.mean(), rel=1e-12)
    assert mu.sd[0] == pytest.approx(np.sqrt(among / y.size), rel=1e-7)
    assert mu.df[0] == pytest.approx(groups - 1 if kind == "reml" else groups, rel=1e-5)


def test_modes_of_a_balanced_design_are_shrunk_means():
    """E[theta_j] = mu + (1 - B) (ybar_j - mu) with B = 1/F; the error adds that of mu (Henderson 1975)."""
    y = balanced(among=4.0)
    _, size = y.shape
    theta = estimated(*one_way(y)).linear["theta"]
    kept = 1 - 1 / 4.0
    assert theta.mean == pytest.approx(y.mean() + kept * (y.mean(1) - y.mean()), rel=1e-7)
    assert theta.sd == pytest.approx(np.full(8, np.sqrt(kept / size + (1 - kept) ** 2 * 4.0 / y.size)), rel=1e-6)
    assert np.isinf(theta.df).all()


def test_a_known_mean_leaves_lme4s_conditional_variance():
    """With mu held, the error of an effect is that given mu: tau^2 sigma^2 / (sigma^2 + n tau^2)."""
    y = balanced(among=4.0)
    _, data = one_way(y)
    found = estimated(partial(mu=0.5, tau=1.5, sigma=0.7), grouped(data))
    assert found.parameters == {}
    assert found.linear.keys() == {"theta"}
    assert found.linear["theta"].sd == pytest.approx(np.sqrt(1.5**2 * 0.49 / (0.49 + 5 * 1.5**2)), rel=1e-9)


@pytest.mark.parametrize("among", [1 + 1e-4, 1.01, 1e4, 1e12])
def test_ratios_of_any_size(among):
    """From a tau that is hardly above 0 to one of half a million sigma, the closed form holds."""
    found = estimated(*one_way(balanced(among=among)))
    assert found.n_edges == 0
    assert found.parameters["tau"] == pytest.approx(np.sqrt((among - 1) / 5), rel=1e-5)
    assert found.linear["mu"].df[0] == pytest.approx(7, rel=1e-5)


def test_a_profile_has_no_step_at_an_edge():
    """Intervals of a tau hardly above 0 are nearly those of one that is 0, although its standard error is huge."""
    above, at = (estimated(*one_way(balanced(among=among))).profiles["tau"] for among in (1 + 1e-4, 1 - 1e-4))
    for p in (0.75, 0.9, 0.975):
        assert above.quantile(p) == pytest.approx(at.quantile(p), rel=0.01)


def nelder_mead(fit, data, kind, seed):
    """Return the least deviance that Nelder and Mead find from four random places."""
    fit = fit.bound(data)
    rows, observed = read(fit, {name: leaf[0] for name, leaf in fit.arrays([data]).items()})
    frame = frame_of(fit, rows)
    _, residual, beyond = frame.compress(observed)
    compressed = Data(residual=residual, beyond=beyond, n=observed.n, log_weights=observed.log_weights)
    form = "profiled" if "sigma" in dict(fit.priors) else "held"
    search = Search(frame=frame, data=compressed, restricted=kind == "reml", form=form, sigma=1.0)
    rng = np.random.default_rng(seed)
    options = {"xatol": 1e-6, "fatol": 1e-9}
    places = 10 ** rng.uniform(-1.5, 1.5, (4, len(frame.free)))
    return min(
        minimize(search.deviance, place, method="Nelder-Mead", bounds=search.bounds, options=options).fun
        for place in places
    )


@pytest.mark.parametrize("seed", range(6))
def test_no_search_from_elsewhere_finds_less(seed):
    """Unbalanced groups, estimates with unequal errors, nested terms: the least of four searches without gradients."""
    kind, rng = ("reml", "ml")[seed % 2], np.random.default_rng(seed)
    groups = normal_data(seed, tuple(rng.integers(1, 8, 6)), tau=(0.0, 0.5, 20.0)[seed % 3])
    estimates = one_way(rng.normal(size=7), rng.uniform(0.1, 3, 7))
    nested = model_with(tuple(Term(factor=f, structure=Exchangeable()) for f in ("school", "class")))
    for fit, data in ((partial(), groups), estimates, (nested, data_of(NESTED, seed=seed + 20))):
        found = estimated(fit, data, kind)
        assert not found.reason
        assert found.deviance <= nelder_mead(fit, data, kind, seed) + 1e-8


@pytest.mark.parametrize("kind", ["reml", "ml"])
def test_means_that_are_too_alike_put_tau_at_its_edge(kind):
    """tau = 0 exactly, flagged: intervals from 0 on; the other estimates are those of complete pooling."""
    y = balanced(among=0.5)
    found = estimated(*one_way(y), kind)
    assert (found.parameters["tau"], found.n_edges) == (0.0, 1)
    profile = found.profiles["tau"]
    assert profile.sd == profile.quantile(norm.cdf(1)) / 2
    assert [profile.quantile(p) for p in (0.025, 0.25, 0.5)] == [0.0, 0.0, 0.0]
    assert profile.quantile(0.975) > profile.quantile(0.75) > 0
    pooled = estimated(model(Complete(), Normal(), mu=MU, sigma=SIGMA), grouped(one_way(y)[1]), kind)
    assert found.parameters["sigma"] == pytest.approx(pooled.parameters["sigma"], rel=1e-7)
    for field in ("mean", "sd", "df"):
        assert getattr(found.linear["mu"], field) == pytest.approx(getattr(pooled.linear["mu"], field), rel=1e-6)
    assert found.linear["theta"].mean == pytest.approx(np.full(8, y.mean()), rel=1e-9)


def test_complete_pooling_is_the_t_test():
    """The mean, s / sqrt(N) and N - 1 degrees of freedom."""
    y = balanced(among=2.0)
    found = estimated(model(Complete(), Normal(), mu=MU, sigma=SIGMA), grouped(one_way(y)[1]))
    mu = found.linear["mu"]
    assert found.parameters["sigma"] == pytest.approx(y.std(ddof=1), rel=1e-9)
    assert (mu.mean[0], mu.sd[0]) == pytest.approx((y.mean(), y.std(ddof=1) / np.sqrt(y.size)), rel=1e-9)
    assert mu.df[0] == pytest.approx(y.size - 1, rel=1e-6)


def test_no_pooling_is_fixed_effects():
    """Means of groups, their standard errors from the pooled variance, and N - J degrees of freedom."""
    y = balanced(among=2.0)
    _, data = one_way(y)
    found = estimated(model(Independent(), Normal(), theta=MU, sigma=SIGMA), grouped(data)).linear["theta"]
    assert found.mean == pytest.approx(y.mean(1), rel=1e-9)
    assert found.sd == pytest.approx(np.full(8, 1 / np.sqrt(5)), rel=1e-9)
    assert found.df == pytest.approx(np.full(8, 32.0), rel=1e-6)
    term = Term(factor="group", structure=Separate(), alone=True)
    as_term = estimated(model_with((term,), priors={"spread": 10.0}), data).linear
    assert as_term["theta"].mean == pytest.approx(found.mean, rel=1e-9)
    assert as_term["theta"].sd == pytest.approx(found.sd, rel=1e-9)
    assert as_term["mu"].mean[0] == pytest.approx(y.mean(), rel=1e-9)
    assert as_term["effect[group]"].mean == pytest.approx(y.mean(1) - y.mean(), abs=1e-9)


def test_groups_and_terms_are_one_model():
    """Partial pooling of groups and a single exchangeable term have the same estimates."""
    as_term, data = one_way(balanced(among=3.0))
    first, second = estimated(as_term, data), estimated(partial(), grouped(data))
    assert first.parameters == pytest.approx(second.parameters, rel=1e-9)
    assert first.linear["theta"].sd == pytest.approx(second.linear["theta"].sd, rel=1e-9)


def test_priors_have_no_part():
    """Another prior, another centering: the same estimates, bit for bit."""
    data = grouped(one_way(balanced(among=3.0))[1])
    first, second = estimated(partial(), data), estimated(partial(mu="Normal(50, 0.1)", tau="HalfNormal(0.01)"), data)
    assert first.parameters == second.parameters
    assert np.array_equal(first.linear["theta"].mean, second.linear["theta"].mean)


@pytest.mark.parametrize("unit", [1e-6, 1e-3, 1e3, 1e6])
@pytest.mark.parametrize("origin", [0.0, 1e6])
def test_units_and_origins_move_estimates_alone(unit, origin):
    """Data in another unit from another origin, a million units off: everything moves with them."""
    fit, data = one_way(balanced(among=3.0))
    plain, other = estimated(fit, data), estimated(fit, moved(data, origin=origin * unit, unit=unit))
    for name, value in plain.parameters.items():
        assert other.parameters[name] == pytest.approx(unit * value, rel=1e-6)
        assert other.profiles[name].sd == pytest.approx(unit * plain.profiles[name].sd, rel=1e-5)
        assert other.profiles[name].quantile(0.9) == pytest.approx(unit * plain.profiles[name].quantile(0.9), rel=1e-5)
    for name, linear in plain.linear.items():
        shift = 0.0 if name.startswith("effect") else origin * unit
        assert other.linear[name].mean - shift == pytest.approx(unit * linear.mean, abs=1e-6 * unit)
        assert other.linear[name].sd == pytest.approx(unit * linear.sd, rel=1e-6)


def test_known_errors_have_units_too():
    """A meta-analysis in a millionth of its unit."""
    fit, data = one_way(*trials())
    plain, other = estimated(fit, data), estimated(fit, moved(data, unit=1e-6))
    assert other.parameters["tau"] == pytest.approx(1e-6 * plain.parameters["tau"], rel=1e-7)


def test_the_order_of_levels_has_no_part():
    """Groups in another order have the same estimates in that order."""
    y = balanced(among=3.0)
    order = np.random.default_rng(1).permutation(len(y))
    first, second = estimated(*one_way(y)), estimated(*one_way(y[order]))
    assert first.parameters == pytest.approx(second.parameters, rel=1e-8)
    assert first.linear["theta"].mean[order] == pytest.approx(second.linear["theta"].mean, rel=1e-8)


GRAPH = np.array([[0, 1], [1, 2], [2, 3], [3, 4], [4, 5], [5, 6], [6, 7]])
STRUCTURES = [
    Exchangeable(),
    RandomWalk(),
    ICAR(),
    CAR(),
    BYM2(),
    GaussianProcess(basis=0),
    GaussianProcess(basis=8),
    Slopes(covariates=("x",)),
]


def of_structure(structure, seed=3):
    """Return a model of a term on a path of levels, and data of it with two cells in each level."""
    rng = np.random.default_rng(seed)
    level = np.repeat(np.arange(8), 2)
    factor = Factor(name="s", level=level, n_levels=8, edges=GRAPH, points=np.linspace(0, 1, 8)[:, None])
    x = rng.normal(size=16)
    effects = np.array([1.5, 0.9, 0.4, -0.8, -1.4, -0.9, 0.1, 0.6])
    mean = 2.0 + effects[level] * (1 + 0.6 * x) + 0.5 * x + 0.25 * rng.normal(size=16)
    data = CellData(
        n_obs=np.full(16, 4),
        y_mean=mean,
        y_ss=rng.chisquare(3, 16),
        design=Design(n_cells=16, factors=(factor,)),
        covariates=(("x", x),),
    )
    return model_with((Term(factor="s", structure=structure, alone=True),), covariates=("x",)), data


def dense_deviance(term, factor, values, sigma, data, *, restricted):
    """Return the deviance of cells from their dense covariance alone, at given parameters."""
    matrices = effect_matrices(term, factor, values)
    z = cell_matrix(term, factor, matrices, dict(data.covariates))
    v = z @ z.T + np.diag(sigma**2 / data.n_obs)
    x = np.stack([np.ones(len(data.y_mean)), dict(data.covariates)["x"]], 1)
    weighted = np.linalg.solve(v, x)
    mean = x @ np.linalg.solve(x.T @ weighted, weighted.T @ data.y_mean)
    out = -2 * multivariate_normal(mean, v).logpdf(data.y_mean)
    n = data.n_obs.sum() - len(data.n_obs)
    out += n * np.log(2 * np.pi * sigma**2) + data.y_ss.sum() / sigma**2 + np.log(data.n_obs).sum()
    if restricted:
        out += np.linalg.slogdet(x.T @ weighted)[1] - 2 * np.log(2 * np.pi)
    return out


@pytest.mark.parametrize("kind", ["reml", "ml"])
@pytest.mark.parametrize("structure", STRUCTURES, ids=lambda s: f"{s.kind}{getattr(s, 'basis', '')}")
def test_every_structure_is_at_its_maximum(structure, kind):
    """The dense deviance is that of the estimate there, and no lower at 60 points around it."""
    fit, data = of_structure(structure)
    found = estimated(fit, data, kind)
    assert not found.reason
    term, factor = fit.terms[0], data.design.factor("s")
    values = {p.name: found.parameters[p.name] for p in structure.parameters}
    values |= {name: 0.5 for name, value in values.items() if np.isnan(value)}
    at = dense_deviance(term, factor, values, found.parameters["sigma"], data, restricted=kind == "reml")
    assert found.deviance == pytest.approx(at, abs=1e-6)
    rng = np.random.default_rng(0)
    for size in np.repeat([0.003, 0.03, 0.3], 20):
        other = {name: value * np.exp(size * rng.normal()) + 1e-3 * (value == 0) for name, value in values.items()}
        other |= {name: np.clip(other[name], -0.999, 0.999) for name in ("rho", "alpha", "share") if name in other}
        sigma = found.parameters["sigma"] * np.exp(size * rng.normal())
        assert dense_deviance(term, factor, other, sigma, data, restricted=kind == "reml") > at - 1e-6


def test_the_error_of_sigma_is_that_of_many_observations():
    """sigma / sqrt(2 (N - J)) of 4,000 degrees of freedom, within half a percent: their profile is nearly normal."""
    found = estimated(*one_way(balanced(among=4.0, size=501)))
    assert found.profiles["sigma"].sd == pytest.approx(1 / np.sqrt(2 * 4000), rel=0.005)


def test_a_quantile_of_a_profile_is_where_the_deviance_has_risen():
    """At the .975 quantile, with the other parameters at their best there, it is z^2 above its minimum."""
    y = balanced(among=4.0)
    fit, data = one_way(y)
    found = estimated(fit, data)
    for name in ("tau", "sigma"):
        for p in (0.05, 0.25, 0.75, 0.975):
            at = found.profiles[name].quantile(p)
            held = estimated(partial(**{name: float(at)}), grouped(data))
            assert held.deviance - found.deviance == pytest.approx(norm.ppf(p) ** 2, rel=0.01, abs=0.002)
            assert found.profiles[name].cdf(at) == pytest.approx(p, abs=1e-8)


def test_nested_terms_with_one_at_its_edge():
    """The outer sd is 0 where outer means vary less than the inner ones let them: that of a model without it."""
    rng = np.random.default_rng(5)
    data = data_of(NESTED, seed=1)
    outer = np.bincount(NESTED.factor("school").level, data.n_obs * data.y_mean) / np.bincount(
        NESTED.factor("school").level, data.n_obs
    )
    mean = data.y_mean - outer[NESTED.factor("school").level] + 1.5 * np.array([1, -1, 1, -1, 0.1])
    mean += 0.01 * rng.normal(size=5)
    data = replace(data, y_mean=mean, y=None)
    both = tuple(Term(factor=f, structure=Exchangeable()) for f in ("school", "class"))
    found = estimated(model_with(both), data)
    inner = estimated(model_with((Term(factor="class", structure=Exchangeable()),)), data)
    assert (found.parameters["tau[school]"], found.n_edges) == (0.0, 1)
    assert found.deviance == pytest.approx(inner.deviance, abs=1e-7)
    assert found.parameters["tau[class]"] == pytest.approx(inner.parameters["tau[class]"], rel=1e-5)
    assert (found.linear["effect[school]"].mean == 0).all()


def test_constants_stay_fixed():
    """A tau, a sigma or a mean that the priors hold is no parameter; the others are estimated given it."""
    _, data = one_way(balanced(among=4.0))
    found = estimated(partial(tau=2.0), grouped(data))
    assert found.parameters.keys() == {"sigma"}
    rates = np.linspace(0.8, 1.2, 401)
    held = [estimated(partial(tau=2.0, sigma=float(s)), grouped(data)).deviance for s in rates[::100]]
    assert found.deviance < min(held)
    assert estimated(partial(tau=2.0, sigma=found.parameters["sigma"]), grouped(data)).deviance == pytest.approx(
        found.deviance, abs=1e-9
    )


@pytest.mark.parametrize(
    ("y", "known_se", "reason"),
    [
        (
            np.arange(5.0)[:, None],
            None,
            "the design does not tell tau and sigma apart: it has no repeated",
        ),
        (np.ones((4, 3)), None, "the data do not vary around the fixed effects"),
        (np.repeat(np.arange(4.0)[:, None], 3, 1), None, "observations do not vary within their cells"),
        (np.array([[1.0]]), None, "no observation is left to estimate sigma from: 1 observations and 1 fixed effects"),
        (np.array([1.0, np.nan, 2.0]), np.ones(3), "the data are not finite"),
    ],
)
def test_data_without_a_maximum_have_a_reason(y, known_se, reason):
    """Singletons, constants and what is not finite are a reason in the fit, never an exception."""
    assert estimated(*one_way(y, known_se)).reason.startswith(reason)


def test_known_errors_against_a_dense_likelihood():
    """A meta-analysis by ML: the least of the dense deviances on a fine grid of tau."""
    y, se = trials()
    grid = np.linspace(0.3, 0.8, 5001)
    weights = 1 / (se**2 + grid[:, None] ** 2)
    mu = (weights * y).sum(1) / weights.sum(1)
    deviance = (np.log(2 * np.pi / weights) + weights * (y - mu[:, None]) ** 2).sum(1)
    found = estimated(model(Partial(), NormalKnownSE(), mu=MU, tau="HalfNormal(5)"), grouped(one_way(y, se)[1]), "ml")
    assert found.deviance == pytest.approx(deviance.min(), abs=1e-6)
    assert found.parameters["tau"] == pytest.approx(grid[deviance.argmin()], abs=1e-4)


def test_lines_through_cells_are_the_cells():
    """Data whose profiles stand for their cells have the estimates of all cells, each with a profile of its own."""
    fit, data = lme4("sleepstudy")
    found = estimated(fit, data, "ml")
    assert "theta" not in found.linear
    slope = found.linear["slope[subject]"]
    assert slope.mean.sum() == pytest.approx(0, abs=1e-6)
    assert slope.mean[0] == pytest.approx(9.0755, abs=1e-3)  # lme4's ranef of subject 308, ML


def test_wald_intervals_are_those_of_t():
    """Quantiles of a coefficient are mean + sd t_p."""
    one = estimated(*lme4("dyestuff"))
    known = Confidence([one], frozenset(["mu"]))
    mu = one.linear["mu"]
    expected = mu.mean[0] + mu.sd[0] * t.ppf([0.025, 0.975], 5)
    assert known.quantiles((0.025, 0.975))["mu"][0] == pytest.approx(expected, rel=1e-6)
    assert known.cdf({"mu": np.array([expected[1]])})["mu"] == pytest.approx([0.975], abs=1e-8)


def test_designs_with_covariates_are_told_by_them():
    """Data sets of one shape that differ in a covariate have frames of their own."""
    fit = model_with((Term(factor="school", structure=Exchangeable(), alone=True),), covariates=("x",))
    first, second = data_of(NESTED, seed=2, x=X), data_of(NESTED, seed=2, x=X**2)
    together = estimated(fit, [first, second])
    assert together[1].deviance == estimated(fit, second).deviance != together[0].deviance
