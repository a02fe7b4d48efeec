"""Simulated sums of terms: variance components, pairing, noise, truth, and cells without observations."""

import numpy as np
import pytest
from scipy import stats

from simstudy.mechanisms import Multilevel
from simstudy.mechanisms.cells import Crossed, cells_of
from simstudy.mechanisms.deviates import DEVIATES, NORMAL
from simstudy.mechanisms.multilevel import SimulatedTerm
from simstudy.models.estimands import SIGMA, TAU
from simstudy.models.likelihoods import Binomial, Normal
from simstudy.models.predictor import Term
from simstudy.models.priors import constant, parse_prior
from simstudy.models.terms import Exchangeable
from simstudy.streams import random_key

N = 1_000
SE = 4  # tolerances in Monte Carlo standard errors
NESTED = cells_of({"school": Crossed(n_levels=4), "class": Crossed(n_levels=3, within="school")}, {}).design


def keys(n=N):
    return np.stack([random_key(5, r) for r in range(n)])


def mechanism(*, design=NESTED, sizes=None, noise=NORMAL, effects="random", likelihood=None, tau=(2.0, 1.0), **more):
    assumed = [Term(factor=f.name, structure=Exchangeable(), within=f.within) for f in design.factors]
    terms = tuple(SimulatedTerm(term=term, noise=noise, effects=effects) for term in assumed)
    values = {"mu": constant(3.0), **{f"tau[{f}]": constant(t) for f, t in zip(design.names, tau, strict=True)}}
    if likelihood is None:
        values["sigma"] = constant(0.5)
    return Multilevel(
        likelihood=Normal() if likelihood is None else likelihood,
        design=design,
        sizes=(2,) * design.n_cells if sizes is None else sizes,
        terms=terms,
        values=tuple({**values, **more}.items()),
    )


def assert_mean(values, expected):
    """The mean over the first axis is what is expected, within Monte Carlo error."""
    error = np.std(values, axis=0, ddof=1) / np.sqrt(len(values))
    assert np.all(np.abs(np.mean(values, axis=0) - expected) < SE * error)


def test_mean_squares_are_those_of_the_analysis_of_variance():
    """Balanced nested data, 4 schools of 3 classes of 2: expected mean squares by Searle et al. (1992, section 3.6)."""
    replicates = mechanism().simulate(keys())
    y = np.stack([r.data.y.reshape(4, 3, 2) for r in replicates])
    within = ((y - y.mean(3, keepdims=True)) ** 2).sum((1, 2, 3)) / 12
    classes = 2 * ((y.mean(3) - y.mean((2, 3))[..., None]) ** 2).sum((1, 2)) / 8
    schools = 6 * ((y.mean((2, 3)) - y.mean((1, 2, 3))[:, None]) ** 2).sum(1) / 3
    assert_mean(within, 0.25)
    assert_mean(classes, 0.25 + 2 * 1.0)
    assert_mean(schools, 0.25 + 2 * 1.0 + 6 * 4.0)
    assert_mean(y.mean((1, 2, 3)), 3.0)


@pytest.mark.parametrize("kind", DEVIATES)
def test_noise_has_mean_0_and_sd_1(kind):
    """Whatever its form; of outlying levels all but the first."""
    options = {"student_t": {"df": 8.0}}.get(kind, {})
    replicates = mechanism(noise=DEVIATES[kind](**options)).simulate(keys())
    effects = np.stack([r.truth["effect[school]"] for r in replicates]) / 2.0
    if kind == "outlier":
        assert np.all(effects[:, 0] == DEVIATES[kind]().distance)
        effects = effects[:, 1:]
    assert_mean(effects.ravel(), 0.0)
    assert_mean(effects.ravel() ** 2, 1.0)
    if kind == "skewed":
        assert_mean(effects.ravel() ** 3, 2.0)  # of a shifted exponential


def test_replicates_depend_on_their_keys_alone():
    """Not on the others of a call, nor on values of parameters that scenarios differ in."""
    some = mechanism().simulate(keys(70))
    one = mechanism().simulate(keys(70)[66:67])[0]
    np.testing.assert_array_equal(some[66].data.y, one.data.y)
    larger = mechanism(tau=(4.0, 1.0)).simulate(keys(3))[2]
    np.testing.assert_allclose(larger.truth["effect[school]"], 2 * some[2].truth["effect[school]"])
    np.testing.assert_allclose(larger.truth["effect[class]"], some[2].truth["effect[class]"])


def test_fixed_effects_are_the_same_in_every_replicate():
    """And observations are not."""
    first, second = mechanism(effects="fixed").simulate(keys(2))
    np.testing.assert_array_equal(first.truth["effect[class]"], second.truth["effect[class]"])
    assert np.ptp(first.truth["effect[class]"]) > 0
    assert not np.any(first.data.y == second.data.y)
    new = [r.truth["new[school]"] for r in (first, second)]
    assert new[0] != new[1]


def test_truth_is_that_of_the_predictor():
    """theta is mu and the effects of the cell's levels; share and sd by their definitions."""
    (one,) = mechanism().simulate(keys(1))
    school, klass = NESTED.factors
    expected = 3.0 + one.truth["effect[school]"][school.level] + one.truth["effect[class]"][klass.level]
    np.testing.assert_allclose(one.truth["theta"], expected)
    assert one.truth["tau[school]"] == 2.0
    np.testing.assert_allclose(one.truth["sd[school]"], np.std(one.truth["effect[school]"], ddof=1))
    np.testing.assert_allclose(one.truth["share[school]"], 4.0 / (4.0 + 1.0 + 0.25))
    log_lik = stats.norm(one.truth["theta"][one.data.group_of], 0.5).logpdf(one.data.y).sum()
    np.testing.assert_allclose(one.truth["log_lik"], log_lik)


def test_a_new_level_in_a_known_one_is_the_known_one_where_levels_within_are_alike():
    """Three levels deep, the innermost without spread: a new one in each known ward has the predictor of its cells.

    Without spread of wards a new ward in a known hospital has it too; with spread of wards its variance around the
    hospital's own is theirs, and that of a cell whose levels are all new is the sum of both.
    """
    factors = {"hospital": Crossed(n_levels=3), "ward": Crossed(n_levels=2, within="hospital")}
    design = cells_of({**factors, "bed": Crossed(n_levels=2, within="ward")}, {}).design
    for tau, alike in (((1.0, 2.0, 0.0), ("ward",)), ((1.0, 0.0, 0.0), ("ward", "hospital"))):
        for replicate in mechanism(design=design, tau=tau).simulate(keys(20)):
            for name in alike:
                of_cells = replicate.truth[f"theta_new[{name}]"][design.factor(name).level]
                np.testing.assert_allclose(of_cells, replicate.truth["theta"], rtol=1e-12)
    truth = [r.truth for r in mechanism(design=design, tau=(1.0, 2.0, 0.0)).simulate(keys())]
    around = np.array([t["theta_new[hospital]"] - t["mu"] - t["effect[hospital]"] for t in truth])
    assert_mean(around[:, 0] ** 2, 4.0)
    assert_mean(np.array([(t["theta_new"] - t["mu"]) ** 2 for t in truth]), 5.0)


def test_cells_may_be_empty():
    """They have a predictor and no observation; the statistics of the others are those of the raw data."""
    sizes = (0, 3, 1) * 4
    (one,) = mechanism(sizes=sizes).simulate(keys(1))
    assert len(one.data.y) == sum(sizes)
    assert one.data.n_obs.tolist() == list(sizes)
    assert np.all(one.data.y_mean[::3] == 0)
    assert np.all(one.data.y_ss[::3] == 0)
    np.testing.assert_allclose(one.data.y_mean[1], one.data.y[:3].mean())
    assert np.isfinite(one.truth["theta"]).all()


def test_successes_have_the_probability_of_their_cell():
    """Binomial data: the mean of (y - p) is 0 in every cell."""
    replicates = mechanism(likelihood=Binomial(), tau=(0.5, 0.5), mu=constant(0.4)).simulate(keys())
    assert_mean(np.stack([r.data.y_mean - r.truth["p"] for r in replicates]), 0.0)


def test_hyperparameters_may_be_drawn():
    """A prior in the place of a value: the truth is drawn from it, anew in each replicate."""
    priors = {"tau[school]": parse_prior("HalfNormal(2)", TAU), "sigma": parse_prior("Exponential(1)", SIGMA)}
    drawn = mechanism(**priors)
    replicates = drawn.simulate(keys())
    for name, prior in (("tau[school]", stats.halfnorm(0, 2)), ("sigma", stats.expon())):
        assert stats.kstest([r.truth[name] for r in replicates], prior.cdf).pvalue > 1e-3


def test_a_covariate_moves_the_predictor_of_its_cells():
    """Values that belong to no factor are crossed with the cells."""
    cells = cells_of({"school": Crossed(n_levels=3)}, {"day": {"values": (0.0, 2.0), "of": None}})
    values = {"mu": 1.0, "beta[day]": 10.0, "tau": 0.1, "sigma": 1.0}
    made = Multilevel(
        likelihood=Normal(),
        design=cells.design,
        sizes=(1,) * 6,
        terms=(SimulatedTerm(term=Term(factor="school", structure=Exchangeable(), alone=True)),),
        values=tuple((name, constant(value)) for name, value in values.items()),
        covariates=tuple((name, tuple(x)) for name, x in cells.covariates.items()),
    )
    (one,) = made.simulate(keys(1))
    theta = one.truth["theta"].reshape(3, 2)
    np.testing.assert_allclose(theta[:, 1] - theta[:, 0], 20.0)
    assert one.truth["beta[day]"] == 10.0
