"""Measures of designs against closed forms for known scales, and against published sample sizes."""

import math

import pytest
from scipy.stats import f, norm

from simstudy.planning.goal import read_goal
from simstudy.planning.limits import limit
from simstudy.planning.plan import plan
from tests.planning.asked import look, question, study

Z = norm.ppf(0.975)
MCSES = 4
QUANTILES = 0.01  # share by which an interval of 2,000 draws is too narrow, at most
WORLD = {"mu": 1.0, "tau": 1.0, "sigma": 2.0}


def mean_error(groups, size):
    """Return the standard error of the mean of the groups, with known scales."""
    return math.sqrt((WORLD["tau"] ** 2 + WORLD["sigma"] ** 2 / size) / groups)


def test_width_of_a_groups_own_mean(tmp_path):
    point = look(study(structure="none", **WORLD), tmp_path, (4, 9), 200, width=("theta", 1.0))
    assert point.value == pytest.approx(2 * Z * 2 / math.sqrt(9), rel=QUANTILES)


def test_width_of_the_mean_of_the_groups(tmp_path):
    point = look(study(**WORLD), tmp_path, (6, 4), 200, width=("mu", 1.0))
    assert point.value == pytest.approx(2 * Z * mean_error(6, 4), rel=QUANTILES)


def test_width_at_another_level(tmp_path):
    point = look(study(**WORLD), tmp_path, (6, 4), 200, width=("mu", 1.0), level=0.8)
    assert point.value == pytest.approx(2 * norm.ppf(0.9) * mean_error(6, 4), rel=QUANTILES)


@pytest.mark.parametrize(("claim", "effect"), [("mu > 0", 1.0), ("mu < 2", 1.0), ("mu > 0.5", 0.5)])
def test_power_of_a_claim_on_the_mean(tmp_path, claim, effect):
    point = look(study(**WORLD), tmp_path, (8, 5), 600, power=claim)
    assert abs(point.value - norm.cdf(effect / mean_error(8, 5) - Z)) < MCSES * point.mcse + 0.005


@pytest.mark.statistical
def test_power_is_right_to_one_percentage_point(tmp_path):
    point = look(study(**WORLD), tmp_path, (12, 5), 12_000, power="mu > 0")
    assert abs(point.value - norm.cdf(1 / mean_error(12, 5) - Z)) < 0.01


@pytest.mark.parametrize(("groups", "size"), [(3, 2), (8, 5), (20, 3)])
def test_power_of_the_f_test_under_random_effects(tmp_path, groups, size):
    """The ratio of mean squares is (1 + n tau^2 / sigma^2) times an F (Searle, Casella & McCulloch 1992, 3.6)."""
    point = look(study(**WORLD), tmp_path, (groups, size), 4000, power="tau > 0")
    between, within = groups - 1, groups * (size - 1)
    ratio = 1 + size * WORLD["tau"] ** 2 / WORLD["sigma"] ** 2
    expected = f.sf(f.ppf(0.95, between, within) / ratio, between, within)
    assert abs(point.value - expected) < MCSES * point.mcse


@pytest.mark.parametrize("likelihood", ["normal", "normal_known_se", "binomial"])
def test_tests_of_homogeneity_hold_their_size_without_differences(tmp_path, likelihood):
    scale = {"normal": {"sigma": 2.0}, "normal_known_se": {"standard_error": 0.5}, "binomial": {}}[likelihood]
    contents = study(likelihood=likelihood, mu=0.3, tau=0.0, **scale, priors={})
    size = None if likelihood == "normal_known_se" else 60
    point = look(contents, tmp_path, (6, size), 4000, power="tau > 0")
    assert abs(point.value - 0.05) < MCSES * point.mcse


def test_the_limit_of_a_width_is_that_of_known_groups(tmp_path):
    """With the groups' own means all but known, the interval of mu is 2 z tau / sqrt(J), as the limit says."""
    contents = study(**WORLD, groups=9, group_size="?")
    goal = read_goal(width=("mu", 0.1))
    said = limit(question(contents, goal), goal)
    assert "0.333, an interval of 1.31" in said
    point = look(contents, tmp_path, (9, 10_000), 64, width=("mu", 0.1))
    assert point.value == pytest.approx(2 * Z / 3, rel=QUANTILES)


@pytest.mark.statistical
def test_the_smallest_number_of_groups_lies_in_the_stated_range():
    """2 z sqrt((tau^2 + sigma^2 / n) / J) is at most 1.5 from J = 13 on."""
    answer = plan(study(**WORLD, group_size=4), width=("mu", 1.5), workers=0, replicates=300)
    needed = math.ceil((2 * Z / 1.5) ** 2 * 2)
    assert answer.found.first <= needed + 1
    assert needed <= answer.found.answer <= needed + 1


O_HAGAN_STEVENS = {
    "mu": "Normal(28.8, 28.6356)",
    "tau": 0.0,
    "sigma": 114.9291,
}
"""Net benefit K (mu_2 - mu_1) - (gamma_2 - gamma_1) of a patient pair, in thousands, at K = 20,000.

Design prior: mean 20 * 1.5 - 1.2, variance 20^2 (4 + 4 - 2 * 3) + 10 + 10. Data: variance 2 (20^2 4.04^2 + 8.7^2).
O'Hagan & Stevens 2001, Medical Decision Making 21:219: 285 patients in each arm give an assurance of 0.70 that the
97.5 % interval lies above 0 (inputs as restated by Pan & Banerjee, R package bayesassurance, vignette 2).
"""


def o_hagan_stevens(**numbers):
    priors = {"mu": "Normal(0, 100000)", "sigma": O_HAGAN_STEVENS["sigma"]}
    return study(structure="complete", priors=priors, **O_HAGAN_STEVENS, **numbers)


def test_the_inputs_of_the_published_sample_size():
    """The numbers above are those of the source, which states them by arm."""
    k = 20.0
    assert k * 1.5 - 1.2 == pytest.approx(28.8)
    assert math.sqrt(k**2 * (4 + 4 - 2 * 3) + 10 + 10) == pytest.approx(28.6356, rel=1e-5)
    assert math.sqrt(2 * (k**2 * 4.04**2 + 8.7**2)) == pytest.approx(114.9291, rel=1e-5)


def test_assurance_of_a_published_sample_size(tmp_path):
    contents = o_hagan_stevens(groups=1, group_size="?")
    point = look(contents, tmp_path, (1, 285), 1500, assurance=True, power="mu > 0", at_least=0.7)
    assert abs(point.value - 0.70) < MCSES * point.mcse


@pytest.mark.statistical
def test_the_published_sample_size_lies_in_the_stated_range():
    contents = o_hagan_stevens(groups=1, group_size="?")
    answer = plan(contents, power="mu > 0", at_least=0.7, assurance=True, replicates=20_000)
    assert answer.found.first <= 285 <= answer.found.answer
    assert answer.found.answer / answer.found.first < 1.5
