"""Priors as text: what is accepted, what is refused and with which words."""

import jax
import numpy as np
import pytest
from scipy import stats

from simstudy.errors import StudyError
from simstudy.models.estimands import MU, estimand_of
from simstudy.models.prior_units import in_unit
from simstudy.models.priors import Prior, parse_prior
from simstudy.models.unit import Unit


@pytest.mark.parametrize(
    ("parameter", "text"),
    [
        ("mu", "Normal(0, 10)"),
        ("mu", "StudentT(3, 0, 2.5)"),
        ("tau", "HalfCauchy(5)"),
        ("tau", "HalfStudentT(4, 0.5)"),
        ("tau", "TruncatedNormal(0, 5, low=0)"),
        ("tau", "Gamma(2, 0.1)"),
        ("sigma", "Exponential(1)"),
    ],
)
def test_text_goes_round(parameter, text):
    """A prior's text is read, and written back as it stood."""
    assert parse_prior(text, estimand_of(parameter)).text == text


def test_half_t_is_the_size_of_a_t_number():
    """Its density is twice that of Student's t above 0; half-Cauchy at one degree of freedom; also in another unit."""
    tau = estimand_of("tau")
    x = np.array([0.01, 0.4, 3.0])
    prior = parse_prior("HalfStudentT(4, 0.5)", tau)
    with jax.enable_x64(True):
        density = np.exp(prior.distribution().log_prob(x))
        draws = np.asarray(prior.distribution().sample(jax.random.key(0), (4000,)))
        cauchy = parse_prior("HalfStudentT(1, 2)", tau).distribution().log_prob(x)
        expected = parse_prior("HalfCauchy(2)", tau).distribution().log_prob(x)
    np.testing.assert_allclose(density, 2 * stats.t(4, scale=0.5).pdf(x), rtol=1e-12)
    np.testing.assert_allclose(cauchy, expected, rtol=1e-12)
    assert stats.kstest(draws, lambda q: 2 * stats.t(4, scale=0.5).cdf(q) - 1).pvalue > 0.001
    assert prior.order_at_zero == 0
    assert in_unit(prior, "difference", Unit(center=5.0, spread=10.0)).text == "HalfStudentT(4, 0.05)"


def test_a_number_is_a_constant():
    """A number fixes the parameter, and stays a number with all its digits."""
    assert parse_prior(0.1, MU) == Prior(name="Constant", args=(0.1,))
    assert parse_prior(1234567.25, MU).text == "1234567.25"


@pytest.mark.parametrize(
    ("parameter", "value", "words"),
    [
        ("mu", "Normall(0, 1)", "did you mean 'Normal'"),
        ("mu", "Normal(0, -1)", "NumPyro refuses 'Normal(0, -1)'"),
        ("mu", "Normal(0, 1,5)", "Normal takes 2 numbers (loc, scale), got 3 in 'Normal(0, 1,5)'; a number has a dec"),
        ("tau", "HalfNormal(1,5)", "HalfNormal takes 1 number (scale), got 2 in 'HalfNormal(1,5)'"),
        ("mu", "Normal", "expected a prior such as"),
        ("mu", "Normal(0, x)", "the arguments must be finite numbers"),
        ("mu", "__import__('os').system('true')", "expected a prior such as"),
        ("mu", "(lambda: 1)()", "expected a prior such as"),
        ("mu", "Normal(0, " + "(" * 500, "expected a prior such as"),
        ("mu", "Poisson(3)", "no continuous distribution of one number"),
        ("mu", "Dirichlet(1)", "NumPyro refuses"),
        ("mu", "Delta(1)", "names no distribution"),
        ("mu", True, "expected a prior"),
        ("mu", float("nan"), "out of range"),
        ("tau", "Normal(0, 1)", "reaches below 0"),
        ("tau", "StudentT(4, 0, 0.5)", "such as HalfStudentT(df, scale)"),
        ("tau", "HalfStudentT(4, -0.5)", "NumPyro refuses"),
        ("tau", -1.0, "out of range"),
        ("sigma", 0.0, "a number > 0"),
    ],
)
def test_what_is_no_prior_is_refused(parameter, value, words):
    """The message names the parameter, what came and what is allowed; nothing is evaluated."""
    with pytest.raises(StudyError, match=parameter) as error:
        parse_prior(value, estimand_of(parameter))
    assert words in str(error.value)
