"""Exact posteriors of sums of terms: against brute force, limits, invariances and their own draws."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from simstudy.errors import StudyError
from simstudy.models.design import Design, Factor
from simstudy.models.likelihoods import Binomial, NormalKnownSE
from simstudy.models.predictor import Term
from simstudy.models.terms import BYM2, CAR, ICAR, GaussianProcess, RandomWalk, Separate, Slopes
from simstudy.samplers.exact.terms.marginal_density import by_numpy, log_marginals
from simstudy.samplers.exact.terms.outer import integrate
from simstudy.samplers.exact.terms.posterior import data_of as terms_data
from simstudy.samplers.exact.terms.posterior import terms_posterior
from simstudy.samplers.exact.terms.scope import hyperparameters
from simstudy.samplers.exact.terms.spectral import spectral_problem
from tests.models.additive_models import CROSSED, NESTED, X, data_of, exchangeable, model_with
from tests.samplers.exact.brute import brute

PATH = np.array([[0, 1], [1, 2], [2, 3], [3, 4]])
TIME = Factor(
    name="time", level=np.arange(5), n_levels=5, edges=PATH, points=np.array([[0.0], [1.0], [2.5], [3.0], [5.0]])
)
ALONG = Design(n_cells=5, factors=(TIME,))
SHARP = {"mu": "Normal(1, 3)", "sigma": "HalfNormal(3)"}


def _scale(sd):
    return np.exp, lambda u: stats.halfnorm(scale=sd).logpdf(np.exp(u)) + u


def _logistic(lower, upper):
    span = upper - lower
    return (lambda u: lower + span / (1 + np.exp(-u))), (lambda u: stats.logistic.logpdf(u))


LOG = np.arange(-9.0, 4.0, 0.3)
WIDE = np.arange(-14.0, 14.01, 0.5)


def _term(structure, factor="time"):
    return (Term(factor=factor, structure=structure, alone=True),)


CASES = {
    "one": (exchangeable("school"), NESTED, None, {"tau": "HalfNormal(2)"}, {"tau": (LOG, _scale(2))}),
    "nested": (
        exchangeable("school", "class"),
        NESTED,
        None,
        {"tau[school]": "HalfNormal(2)", "tau[class]": "HalfNormal(1)"},
        {"tau[school]": (LOG, _scale(2)), "tau[class]": (LOG, _scale(1))},
    ),
    "crossed": (
        exchangeable("row", "item"),
        CROSSED,
        X,
        {"tau[row]": "HalfNormal(2)", "tau[item]": "HalfNormal(1)", "beta[x]": "Normal(0, 1)"},
        {"tau[row]": (LOG, _scale(2)), "tau[item]": (LOG, _scale(1))},
    ),
    "slopes": (
        _term(Slopes(covariates=("x",)), "school"),
        NESTED,
        X,
        {"tau": "HalfNormal(2)", "tau_slope": "HalfNormal(1)", "rho": "Uniform(-1, 1)", "beta[x]": "Normal(0, 1)"},
        {"tau": (LOG[::2], _scale(2)), "tau_slope": (LOG[::2], _scale(1)), "rho": (WIDE[::2], _logistic(-1, 1))},
    ),
    "random_walk": (_term(RandomWalk()), ALONG, None, {"tau": "HalfNormal(2)"}, {"tau": (LOG, _scale(2))}),
    "icar": (_term(ICAR()), ALONG, None, {"tau": "HalfNormal(2)"}, {"tau": (LOG, _scale(2))}),
    "bym2": (
        _term(BYM2()),
        ALONG,
        None,
        {"tau": "HalfNormal(2)", "share": "Uniform(0, 1)"},
        {"tau": (LOG, _scale(2)), "share": (WIDE, _logistic(0, 1))},
    ),
    "car": (
        _term(CAR()),
        ALONG,
        None,
        {"tau": "HalfNormal(2)", "alpha": "Uniform(0, 1)"},
        {"tau": (LOG, _scale(2)), "alpha": (WIDE, _logistic(0, 1))},
    ),
    "gaussian_process": (
        _term(GaussianProcess(basis=12)),
        ALONG,
        None,
        {"eta": "HalfNormal(2)", "length": "HalfNormal(2)"},
        {"eta": (LOG, _scale(2)), "length": (LOG, _scale(2))},
    ),
    "separate": (
        (Term(factor="row", structure=Separate()), *exchangeable("item")),
        CROSSED,
        None,
        {"spread[row]": 2.0, "tau": "HalfNormal(1)"},
        {"tau": (LOG, _scale(1))},
    ),
}


def _posterior(model, *data):
    return terms_posterior(model, hyperparameters(model), model.cell_arrays(list(data)))


@pytest.mark.parametrize("name", CASES)
def test_moments_and_evidence_are_those_of_brute_force(name):
    """Evidence, effects, scales and correlations are those of dense covariances on a full grid, to .001 sd (.01: 3)."""
    terms, design, x, priors, axes = CASES[name]
    covariates = () if x is None else ("x",)
    model = model_with(terms, covariates=covariates, priors=SHARP | priors, design=design)
    data = data_of(design, x=x, seed=3)
    grids = {parameter: grid for parameter, (grid, _) in axes.items()} | {"sigma": np.arange(-12.0, 3.0, 0.15)}
    expected = brute(model, data, grids, {p: of for p, (_, of) in axes.items()} | {"sigma": _scale(3)})
    found = _posterior(model, data)
    assert not found.reasons
    assert found.error[0] < 0.01
    allowed = 0.01 if len(axes) > 2 else 0.001
    assert found.log_evidence[0] == pytest.approx(expected.log_evidence, abs=allowed)
    for parameter, mean in expected.mean.items():
        assert np.abs(found.mean[parameter][0] - mean).max() < allowed * np.max(expected.sd[parameter]), parameter
        assert found.sd[parameter][0] == pytest.approx(expected.sd[parameter], rel=allowed), parameter


def test_known_standard_errors_have_no_sigma():
    """With known standard errors the posterior is that of brute force, and an observation of a new cell is its mean."""
    model = model_with(
        exchangeable("school", "class"),
        likelihood=NormalKnownSE(),
        priors={"mu": "Normal(0, 3)", "tau[school]": "HalfNormal(2)", "tau[class]": "HalfNormal(1)"},
        design=NESTED,
    )
    data = replace(data_of(NESTED, seed=1), known_se=np.array([0.4, 1.0, 0.3, 2.0, 0.7]), y=None)
    scales = {"tau[school]": _scale(2), "tau[class]": _scale(1)}
    expected = brute(model, data, dict.fromkeys(scales, LOG), scales)
    found = _posterior(model, data)
    assert "sigma" not in found.mean
    assert found.log_evidence[0] == pytest.approx(expected.log_evidence, abs=1e-3)
    assert found.mean["theta"][0] == pytest.approx(expected.mean["theta"], abs=1e-3)


def test_marginals_agree_with_moments_and_draws():
    """Distribution functions have the moments that are stated, and draws of the program have these distributions."""
    from simstudy.samplers.exact.terms.program import TermsProgram

    model = model_with(exchangeable("school", "class"), priors=SHARP, design=NESTED)
    data = data_of(NESTED, seed=2)
    arrays = model.cell_arrays([data])
    program = TermsProgram(model, n_chains=2, n_draws=1000, precision="float64")
    drawn = program.sample(arrays, np.array([[1, 2]], np.uint32))
    estimands = model.estimands(drawn.sites, [data], np.array([[1, 2]], np.uint32))
    probabilities = (np.arange(4000) + 0.5) / 4000
    quantiles = drawn.known.quantiles(probabilities)
    for name, mean in drawn.known.mean.items():
        sd, q = drawn.known.sd[name], quantiles[name]
        assert q.mean(-1) == pytest.approx(mean, abs=0.01 * sd.max()), name
        draws = np.moveaxis(estimands[name].reshape(1, 2000, *mean.shape[1:]), 1, -1)
        pit = np.stack([drawn.known.cdf({name: draws[..., i]})[name] for i in range(0, 2000, 10)])
        assert stats.kstest(pit.reshape(200, -1)[:, 0], "uniform").pvalue > 1e-4, name


def test_a_fit_does_not_depend_on_those_beside_it():
    """Alone or in a block, in any place, a data set has the same posterior and draws to the last bit."""
    from simstudy.samplers.exact.terms.program import TermsProgram

    model = model_with(exchangeable("row", "item"), priors=SHARP, design=CROSSED)
    data = [data_of(CROSSED, seed=0)]
    rng = np.random.default_rng(5)
    for _ in range(2):
        data.append(replace(data[0], y_mean=data[0].y_mean + rng.normal(size=5), y=None))
    keys = np.arange(6, dtype=np.uint32).reshape(3, 2)
    program = TermsProgram(model, n_chains=1, n_draws=50, precision="float64")
    together = program.sample(model.cell_arrays(data), keys)
    alone = program.sample(model.cell_arrays(data[2:]), keys[2:])
    for name, value in alone.known.mean.items():
        assert np.array_equal(value[0], together.known.mean[name][2]), name
    for name, value in alone.sites.items():
        assert np.array_equal(value[0], together.sites[name][2]), name


def test_a_scale_held_at_zero_is_a_model_without_its_term():
    """A term whose scale is the constant 0 adds nothing: evidence and effects are those of the other terms alone."""
    data = data_of(CROSSED, seed=4)
    with_zero = model_with(exchangeable("row", "item"), priors=SHARP | {"tau[row]": 0.0}, design=CROSSED)
    without = model_with(exchangeable("item"), priors=SHARP, design=CROSSED)
    first, second = _posterior(with_zero, data), _posterior(without, data)
    assert first.log_evidence == pytest.approx(second.log_evidence, abs=1e-6)
    assert first.mean["theta"] == pytest.approx(second.mean["theta"], abs=1e-6)


@pytest.mark.parametrize("unit", [1e-6, 1e6])
@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_moved_data_have_moved_posteriors(unit, offset):
    """In another unit, and far from 0, the posterior is the same one moved."""
    spread = 3.0 * unit
    priors = {"mu": f"Normal({(1 + offset) * unit}, {spread})", "sigma": f"HalfNormal({spread})"}
    priors |= {f"tau[{f}]": f"HalfNormal({spread})" for f in ("school", "class")}
    data = data_of(NESTED, seed=6)
    moved = replace(data, y_mean=(data.y_mean + offset) * unit, y_ss=data.y_ss * unit**2, y=None)
    plain = {
        "mu": "Normal(1, 3)",
        "sigma": "HalfNormal(3)",
        "tau[school]": "HalfNormal(3)",
        "tau[class]": "HalfNormal(3)",
    }
    terms = exchangeable("school", "class")
    expected = _posterior(model_with(terms, priors=plain, design=NESTED), data)
    found = _posterior(model_with(terms, priors=priors, design=NESTED), moved)
    sd = expected.sd["theta"].max()
    assert (found.mean["theta"] / unit - offset) == pytest.approx(expected.mean["theta"], abs=1e-3 * sd)
    assert found.mean["tau[class]"] / unit == pytest.approx(expected.mean["tau[class]"], rel=1e-3)


def test_data_without_spread_between_levels_have_a_posterior():
    """Equal means of all cells, tau = 0 as it were, are fitted, and tau is small but not 0."""
    data = data_of(NESTED, seed=6)
    flat = replace(data, y_mean=np.full(5, 2.0), y=None)
    found = _posterior(model_with(exchangeable("school", "class"), priors=SHARP, design=NESTED), flat)
    assert not found.reasons
    assert found.mean["theta"] == pytest.approx(np.full((1, 5), 2.0), abs=0.2)


def test_compiled_densities_are_those_of_numpy():
    """The compiled loop over modes gives what NumPy gives."""
    model = model_with(exchangeable("row", "item"), covariates=("x",), priors=SHARP, design=CROSSED)
    arrays = model.cell_arrays([data_of(CROSSED, x=X, seed=8)])
    one = terms_data(model, hyperparameters(model), {name: leaf[0] for name, leaf in arrays.items()})
    problem = spectral_problem([(one, (0.5,)), (one, (-2.0,))])
    total, sigma = np.exp(np.linspace(-9, 5, 9))[None, :, None], np.exp(np.linspace(-3, 4, 7))[None, None, :]
    first = np.broadcast_to(total, (2, 9, 1))
    assert log_marginals(problem, first, sigma) == pytest.approx(by_numpy(problem, first, sigma), rel=1e-10)


def test_what_has_no_exact_posterior_is_refused():
    """Counts, priors of mu that are not normal, and more hyperparameters than the rule takes are refused by name."""
    with pytest.raises(StudyError, match="binomial"):
        hyperparameters(model_with(exchangeable("school"), likelihood=Binomial(), design=NESTED))
    with pytest.raises(StudyError, match=r"Cauchy\(0, 1\) of mu"):
        hyperparameters(model_with(exchangeable("school"), priors={"mu": "Cauchy(0, 1)"}, design=NESTED))
    terms = (*exchangeable("school", "class"), Term(factor="time", structure=BYM2()))
    with pytest.raises(StudyError, match="are 4 hyperparameters"):
        hyperparameters(model_with(terms))


def test_a_rule_that_has_not_converged_is_a_reason(monkeypatch):
    """Where half of the nodes move a moment by more than is allowed, the fit is refused with the figure."""
    monkeypatch.setattr("simstudy.samplers.exact.terms.outer.LARGEST_ERROR", 1e-12)
    model = model_with(exchangeable("school", "class"), priors=SHARP, design=NESTED)
    arrays = model.cell_arrays([data_of(NESTED, seed=2)])
    one = terms_data(model, hyperparameters(model), {name: leaf[0] for name, leaf in arrays.items()})
    (found,) = integrate([one])
    assert found.reason is not None
    assert "half of its nodes" in found.reason
