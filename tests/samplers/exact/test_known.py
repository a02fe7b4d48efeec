"""What is known exactly beside moments: scores, shortest intervals and curves, against closed forms and each other."""

import numpy as np
import pytest
from scipy import stats
from scipy.special import beta

from simstudy.models.likelihoods import Normal, NormalKnownSE
from simstudy.models.structures import Complete, Independent, Partial
from simstudy.samplers.compiled.search import places_above
from simstudy.samplers.exact import exact_posterior, gaussian_quantities, known
from simstudy.samplers.exact.known import KnownMarginals
from simstudy.samplers.exact.marginal import NormalMixture, PointMarginal, SincMixture, Transformed
from simstudy.samplers.exact.posterior import JoinedPosterior
from tests.samplers.exact.models import eight_schools, model, normal_data

LEVELS = (0.025, 0.25, 0.5, 0.9)
TWO = NormalMixture(weights=np.array([0.3, 0.7]), means=np.array([0.0, 1.5]), sds=np.array([1.0, 0.4]))
NARROW = NormalMixture(weights=np.array([0.9, 0.1]), means=np.array([0.0, 1.3]), sds=np.array([1.0, 1e-3]))
ONE = NormalMixture(weights=np.ones(1), means=np.array([2.0]), sds=np.array([3.0]))


def log_of_positive(x):
    """Return the logarithm, -inf of what is not positive."""
    with np.errstate(divide="ignore"):
        return np.log(np.maximum(x, 0.0))


def gamma_marginal(shape=4.0, n=96):
    """Return the gamma distribution, by nodes of the density of its logarithm."""
    u = np.linspace(-9.0, 4.0, n)
    density = stats.loggamma(shape).pdf(u)
    of = SincMixture(weights=density / density.sum(), locations=u, widths=np.full(n, u[1] - u[0]))
    return Transformed(of=of, forward=np.exp, backward=log_of_positive, bounds=(0.0, np.inf))


def mean_distance(mean, variance):
    """Return E|X| of a normal number."""
    sd = np.sqrt(variance)
    return 2 * sd * stats.norm.pdf(mean / sd) + mean * (2 * stats.norm.cdf(mean / sd) - 1)


def mixture_crps(mixture, y):
    """Return the score of a mixture of normals in closed form (Grimit et al. 2006, equation 5)."""
    w, m, v = mixture.weights, mixture.means, mixture.sds**2
    pairs = w[:, None] * w * mean_distance(m[:, None] - m, v[:, None] + v)
    return mean_distance(y - m, v) @ w - pairs.sum() / 2


def of_one(marginal):
    """Return what is known of one number, with curves where it has one."""
    marginals = np.empty(1, object)
    marginals[0] = marginal
    return KnownMarginals(mean={"x": np.zeros(1)}, sd={"x": np.ones(1)}, marginals={"x": marginals})


@pytest.mark.parametrize("mixture", [ONE, TWO], ids=["one", "two"])
@pytest.mark.parametrize("y", [-9.0, 0.3, 1.5, 4.0])
def test_scores_of_mixtures_are_the_closed_form(mixture, y):
    """Scores are those of the closed form to 1e-8, by the curve and by the marginal itself, near and far away."""
    expected = pytest.approx(mixture_crps(mixture, y), abs=1e-8)
    assert mixture.crps(np.array([y]))[0] == expected
    assert of_one(mixture).crps({"x": np.array([y])})["x"][0] == expected


@pytest.mark.parametrize("y", [-1.0, 0.5, 4.0, 30.0])
def test_scores_of_a_positive_number_are_integrals_over_the_number(y):
    """The score of a gamma distribution is the closed form of Scheuerer and Moeller (2015), also outside its range."""
    shape = 4.0
    cdf = stats.gamma(shape).cdf(y), stats.gamma(shape + 1).cdf(y)
    half_spread = 1 / beta(0.5, shape)
    expected = y * (2 * cdf[0] - 1) - shape * (2 * cdf[1] - 1) - half_spread
    marginal = gamma_marginal(shape)
    assert marginal.crps(np.array([y]))[0] == pytest.approx(expected, abs=1e-6)
    assert of_one(marginal).crps({"x": np.array([y])})["x"][0] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("marginal", "density"),
    [(ONE, stats.norm(2, 3)), (TWO, None), (gamma_marginal(), stats.gamma(4.0))],
    ids=["normal", "mixture", "gamma"],
)
def test_shortest_intervals_hold_their_probability_between_equal_densities(marginal, density):
    """The ends have one density, and 90 % between them; curve and marginal agree."""
    ends = marginal.hdi(0.9)
    assert np.diff(marginal.cdf(ends)) == pytest.approx(0.9, abs=1e-8)
    heights = density.pdf(ends) if density is not None else marginal._density(ends)
    assert heights[0] == pytest.approx(heights[1], rel=1e-4)
    np.testing.assert_allclose(of_one(marginal).hdi(0.9)["x"][0], ends, atol=1e-5)


def test_a_density_that_falls_from_its_bound_has_its_shortest_interval_there():
    """The shortest interval of an exponential number begins at 0 and ends at its quantile."""
    marginal = gamma_marginal(1.0, n=256)
    for ends in (marginal.hdi(0.9), of_one(marginal).hdi(0.9)["x"][0]):
        assert ends == pytest.approx([0.0, stats.expon.ppf(0.9)], abs=2e-3)


@pytest.mark.parametrize("mixture", [ONE, TWO, NARROW], ids=["one", "two", "narrow"])
def test_curves_agree_with_the_sums_they_stand_for(mixture):
    """Quantiles and probabilities are those of the sum over components to 1e-8, a component of 1e-3 among them."""
    curves, at = of_one(mixture), np.array([1.2997])
    np.testing.assert_allclose(curves.quantiles(LEVELS)["x"][0], mixture.quantiles(np.array(LEVELS)), atol=3e-8)
    np.testing.assert_allclose(curves.cdf({"x": at})["x"], mixture.cdf(at), atol=1e-8)


def test_a_constant_and_what_is_unknown():
    """A constant has itself for all quantiles, and the distance for a score; what is not known has NaN alone."""
    constant = of_one(PointMarginal(value=2.0))
    np.testing.assert_array_equal(constant.quantiles(LEVELS)["x"], [[2.0] * 4])
    np.testing.assert_array_equal(constant.hdi(0.9)["x"], [[2.0, 2.0]])
    assert constant.crps({"x": np.array([5.0])})["x"] == 3.0
    unknown = of_one(PointMarginal(value=np.nan))
    answers = (
        unknown.quantiles(LEVELS),
        unknown.hdi(0.9),
        *(f({"x": np.zeros(1)}) for f in (unknown.cdf, unknown.crps)),
    )
    assert all(np.isnan(answer["x"]).all() for answer in answers)


CASES = {
    "partial": (model(Partial(), Normal(), mu="Normal(0, 10)", tau="HalfNormal(5)", sigma="Exponential(1)"), (9, 3, 5)),
    "heavy": (model(Partial(), Normal(), mu="Normal(0, 10)", tau="HalfCauchy(1)", sigma="HalfCauchy(1)"), (2, 2)),
    "fixed": (model(Partial(), Normal(), mu="Normal(0, 1)", tau=0.5, sigma="Exponential(1)"), (4, 4)),
    "complete": (model(Complete(), Normal(), mu="Normal(0, 10)", sigma="Exponential(1)"), (4, 4)),
    "none": (model(Independent(), Normal(sigma_by="group"), theta="Normal(0, 10)", sigma="Exponential(1)"), (3, 1)),
    "se": (model(Partial(), NormalKnownSE(), mu="Normal(0, 5)", tau="HalfCauchy(5)"), None),
}


@pytest.mark.parametrize("case", CASES)
def test_compiled_answers_agree_with_numpy(case, monkeypatch):
    """All that is known agrees to 2e-7 in probability and 5e-5 sd with what NumPy says where Numba is missing."""
    fitted, sizes = CASES[case]
    data = [eight_schools()] if sizes is None else [normal_data(2, sizes, tau=0.5)]
    arrays = fitted.arrays(data)
    compiled = exact_posterior(fitted, arrays)
    answers = [compiled.quantiles(LEVELS), compiled.hdi(0.8), compiled.cdf(compiled.mean), compiled.crps(compiled.mean)]
    for module in (known, gaussian_quantities):
        monkeypatch.setattr(module, "find_spec", lambda _: None)
    plain = exact_posterior(fitted, arrays)
    expected = [plain.quantiles(LEVELS), plain.hdi(0.8), plain.cdf(compiled.mean), plain.crps(compiled.mean)]
    for name, sd in plain.sd.items():
        spread = np.maximum(np.nan_to_num(sd, nan=1.0), 1e-9)
        np.testing.assert_allclose(compiled.mean[name], plain.mean[name], rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(compiled.sd[name], sd, rtol=1e-9)
        for answer, value in zip(answers[:2], expected[:2], strict=True):
            np.testing.assert_allclose((answer[name] - value[name]) / spread[..., None], 0, atol=5e-5)
        np.testing.assert_allclose(answers[2][name], expected[2][name], atol=2e-7)
        np.testing.assert_allclose(answers[3][name] / spread, expected[3][name] / spread, atol=1e-6)


def test_what_is_known_does_not_depend_on_the_block():
    """All that is known of a data set has the same bits alone, among others, and in another part of a block."""
    fitted, _ = CASES["partial"]
    data = [normal_data(seed, sizes) for seed, sizes in enumerate([(3, 1, 2), (9, 9, 9)] * 3)]
    arrays = fitted.arrays(data)
    together = exact_posterior(fitted, arrays)
    parts = [exact_posterior(fitted, {k: v[i : i + 2] for k, v in arrays.items()}) for i in (0, 2, 4)]
    joined = JoinedPosterior(parts)
    for one, other in zip(everything(together), everything(joined), strict=True):
        for name, value in one.items():
            np.testing.assert_array_equal(other[name], value)


def everything(of):
    return of.mean, of.sd, of.quantiles(LEVELS), of.hdi(0.9), of.cdf(of.mean), of.crps(of.mean)


@pytest.mark.parametrize("n", [1, 2, 500])
def test_searches_are_those_of_numpy(n):
    """Places are those of searchsorted for targets between values and equal to them, where values repeat as well."""
    rng = np.random.default_rng(n)
    cumulative = np.cumsum(np.where(rng.random(n) < 0.3, 0.0, rng.gamma(0.1, size=n)) + (np.arange(n) == n - 1))
    targets = np.concatenate([[0.0], cumulative, rng.random(1000) * cumulative[-1]])
    np.testing.assert_array_equal(places_above(cumulative, targets), np.searchsorted(cumulative, targets, side="right"))
