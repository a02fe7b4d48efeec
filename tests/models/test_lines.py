"""Statistics of lines: the density of cells on lines is that of their raw observations, whatever is sampled."""

import jax
import numpy as np
import pytest
from scipy import stats

from simstudy.models.design import Design, Factor
from simstudy.models.lines import profiles_of
from simstudy.samplers.precision import use_precision
from tests.models.additive_models import data_of, exchangeable, model_with
from tests.models.test_additive import at_random, by_site, differences

DAYS = np.array([0.0, 1.0, 2.0, 0.0, 1.0, 2.0, 1.0, 1.0])
SUBJECT = Factor(name="subject", level=np.array([0, 0, 0, 1, 1, 1, 2, 2]), n_levels=3)
ARM = Factor(name="arm", level=np.array([0, 0, 0, 1, 1, 1, 0, 1]), n_levels=2)
DESIGN = Design(n_cells=8, factors=(SUBJECT, ARM))


def test_profiles_have_the_levels_of_their_cells():
    """One for each combination of levels that is there; a single day in one of them."""
    profile, design = profiles_of(DESIGN)
    assert design.n_cells == 4
    for factor, of_profiles in zip(DESIGN.factors, design.factors, strict=True):
        np.testing.assert_array_equal(of_profiles.level[profile], factor.level)


@pytest.mark.parametrize("location", [("x",), ()], ids=["covariate", "no coefficient"])
def test_the_density_along_lines_is_that_of_the_observations(location):
    """Terms of intercepts, one profile without a slope of its own: scipy on every raw observation."""
    data = data_of(DESIGN, x=DAYS)
    model = model_with(
        exchangeable(*DESIGN.names),
        covariates=location,
        priors={"mu": 0.4} | dict.fromkeys([f"beta[{x}]" for x in location], "Normal(0, 2)"),
    )
    assert model.has_lines(DESIGN) == bool(location)
    density, q, found, _ = at_random(model, data)
    with use_precision("float64"):
        sites = density.constrain(q.T[None, None], model.arrays([data]))
    drawn = model.estimands(sites, [data], np.zeros((1, 2), np.uint32))
    expected = drawn["log_lik"][0, 0] + np.log(drawn["sigma"][0, 0]) + stats.expon.logpdf(drawn["sigma"][0, 0])
    for factor in DESIGN.names:
        tau = drawn[f"tau[{factor}]"][0, 0]
        expected = expected + stats.halfnorm(0, 5).logpdf(tau) + np.log(tau)
        expected = expected + stats.norm.logpdf(by_site(density, q)[f"z[{factor}]"]).sum(0)
    if location:
        expected = expected + stats.norm(0, 2).logpdf(drawn["beta[x]"][0, 0])
    np.testing.assert_allclose(differences(found), differences(expected), rtol=1e-9, atol=1e-8)
    raw = stats.norm(drawn["theta"][0, 0][:, data.group_of], drawn["sigma"][0, 0][:, None]).logpdf(data.y).sum(1)
    np.testing.assert_allclose(drawn["log_lik"][0, 0], raw, rtol=1e-9)


def test_the_gradient_is_that_of_finite_differences():
    """The sum of squares gives its own."""
    data = data_of(DESIGN, x=DAYS)
    model = model_with(exchangeable(*DESIGN.names), covariates=("x",))
    density, q, _, lanes = at_random(model, data)
    with use_precision("float64"):
        gradient = np.asarray(jax.grad(lambda p: density.log_density(p, lanes).sum())(q))
        for dim in range(density.n_dims):
            step = np.zeros_like(q)
            step[dim] = 1e-5
            slope = (density.log_density(q + step, lanes) - density.log_density(q - step, lanes)) / 2e-5
            np.testing.assert_allclose(gradient[dim], slope, rtol=1e-5, atol=1e-6)
