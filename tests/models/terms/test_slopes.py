"""Intercepts and slopes have the covariance diag(tau) R diag(tau), however many there are and whatever is sampled."""

import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from simstudy.errors import StudyError
from simstudy.models.priors import parse_prior
from simstudy.models.terms import Slopes
from simstudy.testing.term import pushed
from tests.models.terms.factors import close, factor_with, few, scales

TWO, THREE, FOUR = (Slopes(covariates=tuple("xwv"[:k])) for k in (1, 2, 3))
N_LEVELS = 3


def joint(structure, p):
    """Return the covariance of all columns of a level, having checked that levels are independent of one another."""
    roots = np.stack(list(pushed(structure, factor_with(N_LEVELS), p).values()))
    v = np.einsum("aln,bmn->albm", roots, roots)
    for level in range(N_LEVELS):
        for other in range(N_LEVELS):
            close(v[:, level, :, other], v[:, 0, :, 0] if level == other else 0 * v[:, 0, :, 0] + 0.0)
    return v[:, 0, :, 0]


@few
@given(scales, scales, st.floats(-1.0, 1.0))
def test_two_columns_have_their_correlation(tau, tau_slope, rho):
    """Perfect ones included."""
    expected = [[tau**2, rho * tau * tau_slope], [rho * tau * tau_slope, tau_slope**2]]
    np.testing.assert_allclose(joint(TWO, {"tau": tau, "tau_slope": tau_slope, "rho": rho}), expected, rtol=1e-9)


@pytest.mark.parametrize("structure", [THREE, FOUR], ids=["three", "four"])
def test_partial_correlations_are_those_of_the_matrix(structure):
    """As inverses of submatrices have them: of columns i and k given those before i."""
    p = random_values(structure, 0)
    v = joint(structure, p)
    for parameter in structure.parameters[len(structure.columns) :]:
        names = ("effect", *structure.covariates)
        i, k = (names.index(name) for name in parameter.name.split("_")[1:])
        precision = np.linalg.inv(v[np.ix_([*range(i), i, k], [*range(i), i, k])])
        partial = -precision[-1, -2] / np.sqrt(precision[-1, -1] * precision[-2, -2])
        np.testing.assert_allclose(2 * p[parameter.name] - 1, partial, rtol=1e-9)
    np.testing.assert_allclose(np.sqrt(np.diag(v)), list(p.values())[: len(names)], rtol=1e-10)
    sds = np.sqrt(np.diag(v))
    derived = structure.derive(p, np)
    for name, rho in derived.items():
        i, k = (names.index(column) for column in name.split("_")[1:])
        np.testing.assert_allclose(rho, v[i, k] / sds[i] / sds[k], rtol=1e-9)
    assert len(derived) == len(names) * (len(names) - 1) / 2


@pytest.mark.parametrize("shape", [0.7, 1.0, 4.0])
@pytest.mark.parametrize("n_covariates", [2, 3])
def test_the_default_prior_is_lkj(n_covariates, shape):
    """The density of the partial correlations is NumPyro's of the matrix times the Jacobian, up to no constant."""
    structure = Slopes(covariates=tuple("xwv"[:n_covariates]), shape=shape)
    parameters = structure.parameters[n_covariates + 1 :]
    n = n_covariates + 1

    def matrix(values):
        p = dict(zip([one.name for one in structure.parameters], [*[1.0] * n, *values], strict=True))
        rows = structure._rows(p, jnp)
        full = jnp.stack([jnp.stack([*map(jnp.asarray, row), *[jnp.asarray(0.0)] * (n - len(row))]) for row in rows])
        return full @ full.T

    with jax.enable_x64(True):
        for seed in range(3):
            values = np.random.default_rng(seed).uniform(0.05, 0.95, len(parameters))
            below = jax.jacobian(lambda values: matrix(values)[np.tril_indices(n, -1)])(values)
            of_matrix = dist.LKJ(n, shape).log_prob(matrix(values)) + jnp.linalg.slogdet(below)[1]
            priors = [parse_prior(one.default, one).distribution() for one in parameters]
            of_parts = sum(prior.log_prob(value) for prior, value in zip(priors, values, strict=True))
            np.testing.assert_allclose(of_parts, of_matrix, rtol=1e-6)


def test_correlations_of_the_default_prior_are_beta():
    """Each of them, last and first alike: (rho + 1) / 2 ~ Beta(b, b), b = shape + (columns - 2) / 2."""
    structure = Slopes(covariates=("x", "w", "v"), shape=2.0)
    rng = np.random.default_rng(0)
    p = {one.name: np.ones(1) for one in structure.parameters[:4]}
    for one in structure.parameters[4:]:
        b = parse_prior(one.default, one).args
        p[one.name] = rng.beta(*b, 20_000)
    for name, rho in structure.derive(p, np).items():
        assert stats.kstest((rho + 1) / 2, stats.beta(3, 3).cdf).pvalue > 1e-4, name


@pytest.mark.parametrize("structure", [TWO, THREE, FOUR], ids=["two", "three", "four"])
def test_what_is_sampled_centered_are_the_levels_own_coefficients(structure):
    """The density of noise over its scales is that of the coefficients, multivariate normal."""
    p = random_values(structure, 1)
    names = list(structure.parts(factor_with(N_LEVELS)))
    z = dict(zip(names, np.random.default_rng(2).standard_normal((len(names), N_LEVELS)), strict=True))
    scale = structure.scale(p, {}, np)
    effects = structure.effects(p, z, {}, np)
    v = joint(structure, p)
    density = np.zeros(N_LEVELS)
    for part, effect in zip(names, effects.values(), strict=True):
        mean = structure.conditional_mean(part, p, z, np)
        np.testing.assert_allclose((0.0 if mean is None else mean) + scale[part] * z[part], effect, rtol=1e-10)
        density += stats.norm.logpdf(z[part]) - np.log(scale[part])
    coefficients = np.stack(list(effects.values()), 1)
    np.testing.assert_allclose(density, stats.multivariate_normal(cov=v).logpdf(coefficients), rtol=1e-9)


def test_without_correlation_columns_are_independent():
    """No correlation among the parameters either."""
    structure = Slopes(covariates=("x", "w"), correlated=False)
    p = {"tau": 2.0, "tau_x": 0.5, "tau_w": 3.0}
    assert [one.name for one in structure.parameters] == list(p)
    np.testing.assert_array_equal(joint(structure, p), np.diag([4.0, 0.25, 9.0]))
    assert structure.derived == ()


def test_ends_of_the_parameters_have_effects():
    """No slopes that differ, perfect correlation, and nothing at all."""
    ones = {"z0": np.ones((2, 1)), "z1": np.full((2, 1), 0.5)}
    for tau, tau_slope, rho in [(1.0, 0.0, 0.5), (0.0, 1.0, 0.5), (2.0, 3.0, -1.0), (0.0, 0.0, 1.0)]:
        p = {name: np.array([value]) for name, value in [("tau", tau), ("tau_slope", tau_slope), ("rho", rho)]}
        effects = TWO.effects(p, ones, {}, np)
        np.testing.assert_array_equal(effects["effect"], tau)
        np.testing.assert_allclose(effects["slope"], tau_slope * (rho + 0.5 * np.sqrt(1 - rho**2)), rtol=1e-12)


def test_single_precision_holds_correlations_near_1():
    """The sd of the slope given the intercept: 1 - rho^2 as such would lose digits as rho nears 1."""
    rho = (1 - np.logspace(-6, -1, 50)).astype(np.float32)
    p = {"tau": np.ones(50, np.float32), "tau_slope": np.ones(50, np.float32), "rho": rho}
    found = TWO.scale(p, {}, np)["z1"]
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, np.sqrt(1 - rho.astype(float) ** 2), rtol=4 * np.finfo(np.float32).eps)


@pytest.mark.parametrize(
    ("covariates", "message"),
    [((), "slopes need a covariate; give one"), (("x", "w", "x"), "covariates: 'x' stands twice; give every")],
)
def test_covariates_that_make_no_slopes_are_refused(covariates, message):
    """None, or one twice."""
    with pytest.raises(StudyError, match=message):
        Slopes(covariates=covariates).check(factor_with(3))


def random_values(structure, seed):
    """Return scales and correlations inside their ranges."""
    rng = np.random.default_rng(seed)
    return {one.name: rng.uniform(0.1, 0.9) for one in structure.parameters}
