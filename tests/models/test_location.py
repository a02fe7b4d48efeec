"""The location: priors and estimands in the user's units, whatever unit a sampler moves in."""

import numpy as np
from scipy import stats

from simstudy.models.density import density_of
from simstudy.samplers.precision import use_precision
from tests.models.additive_models import CROSSED, X, data_of, model_with
from tests.models.test_additive import at_random, by_site, differences


def values_at(density, q, model, data):
    """Return mu and beta in the user's units at unconstrained points, (lane,) each."""
    sites = density.constrain(q.T[None, None], model.arrays([data]))
    restored = model.location.restore(sites, dict(model.priors), model.arrays([data]), (1, 1, q.shape[1]))
    return restored["mu"][0, 0], restored["beta[x]"][0, 0]


def test_priors_are_those_of_the_users_units():
    """The density at points is the product of the priors of mu and beta and the likelihood, up to a constant."""
    data = data_of(CROSSED, x=X)
    model = model_with((), covariates=("x",), priors={"mu": "Normal(1, 3)", "beta[x]": "Normal(0, 0.5)", "sigma": 1.3})
    density, q, found, _ = at_random(model, data)
    mu, beta = values_at(density, q, model, data)
    expected = stats.norm(1, 3).logpdf(mu) + stats.norm(0, 0.5).logpdf(beta)
    for lane in range(len(mu)):
        expected[lane] += stats.norm(mu[lane] + beta[lane] * X[data.group_of], 1.3).logpdf(data.y).sum()
    np.testing.assert_allclose(differences(found), differences(expected), rtol=1e-9, atol=1e-8)


def test_a_prior_on_some_numbers_keeps_to_them():
    """A coefficient with a positive prior is sampled as it is."""
    data = data_of(CROSSED, x=X)
    model = model_with((), covariates=("x",), priors={"beta[x]": "HalfNormal(2)", "mu": 0.0, "sigma": 1.0})
    density, q, found, _ = at_random(model, data)
    beta = np.exp(by_site(density, q)["beta[x]"])
    expected = stats.halfnorm(0, 2).logpdf(beta) + np.log(beta)
    for lane in range(len(beta)):
        expected[lane] += stats.norm(beta[lane] * X[data.group_of], 1.0).logpdf(data.y).sum()
    np.testing.assert_allclose(differences(found), differences(expected), rtol=1e-9, atol=1e-8)


def test_another_unit_of_a_covariate_moves_its_coefficient_alone():
    """x in thousandths, from another origin: the same predictor at the same point, with beta a thousandth."""
    data = data_of(CROSSED, x=X)
    moved = data_of(CROSSED, x=1000 * X + 500)
    flat = {"mu": "Normal(0, 1e6)", "beta[x]": "Normal(0, 1e6)", "sigma": 1.0}
    model = model_with((), covariates=("x",), priors=flat)
    density, q, found, _ = at_random(model, data)
    other, _, again, _ = at_random(model, moved)
    np.testing.assert_allclose(differences(found), differences(again), rtol=1e-6, atol=1e-6)
    mu, beta = values_at(density, q, model, data)
    mu_moved, beta_moved = values_at(other, q, model, moved)
    np.testing.assert_allclose(beta_moved, beta / 1000)
    np.testing.assert_allclose(mu_moved, mu - 500 * beta_moved)


def test_a_covariate_may_lie_far_from_zero():
    """Single precision gives the same density for a covariate of a million as for one around 0."""
    values = []
    for origin in (0.0, 1e6):
        data = data_of(CROSSED, x=origin + X)
        model = model_with((), covariates=("x",), priors={"mu": "Normal(0, 1e9)", "sigma": 1.0}).bound(data)
        with use_precision("float32"):
            lanes = {name: np.float32(leaf[0])[..., None] for name, leaf in model.arrays([data]).items()}
            density = density_of(model, {name: leaf[..., 0] for name, leaf in lanes.items()})
            points = np.float32([[0.3], [-1.2]]), np.float32([[0.9], [0.4]])
            first, second = (np.asarray(density.log_density(q, lanes), float) for q in points)
        values.append(first - second)
    np.testing.assert_allclose(values[0], values[1], atol=1e-4)
