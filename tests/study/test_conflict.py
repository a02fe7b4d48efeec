"""Prior-data conflict: closed forms of the prior predictive, what is told and where, and what is no conflict."""

import numpy as np
import pytest
from scipy import stats

from simstudy.models.estimands import MU, SIGMA, TAU, THETA
from simstudy.models.hierarchical import HierarchicalModel
from simstudy.models.likelihoods import Binomial, Normal, NormalKnownSE
from simstudy.models.priors import parse_prior
from simstudy.models.structures import Complete, Independent, Partial
from simstudy.study.conflict import prior_conflicts
from simstudy.study.predictive import LEVEL
from simstudy.study.study import Study
from simstudy.types import GroupedData

PARAMETERS = {p.name: p for p in (MU, TAU, SIGMA, THETA)}
Z = stats.norm.isf(LEVEL / 2)  # 3.29: a two-sided p-value of 0.001


def model(structure, likelihood, **priors) -> HierarchicalModel:
    parsed = {name: parse_prior(text, PARAMETERS[name]) for name, text in priors.items()}
    return HierarchicalModel(structure=structure, likelihood=likelihood, priors=tuple(parsed.items()))


def estimates(y, se) -> GroupedData:
    y = np.asarray(y, float)
    return GroupedData(n_obs=np.ones(len(y), int), y_mean=y, y_ss=np.zeros(len(y)), known_se=np.full(len(y), se), y=y)


def observations(means, sd, n) -> GroupedData:
    means = np.asarray(means, float)
    return GroupedData(n_obs=np.full(len(means), n), y_mean=means, y_ss=np.full(len(means), (n - 1) * sd**2))


def named(found) -> list[str]:
    return [conflict.parameter for conflict in found]


@pytest.mark.parametrize(("z", "expected"), [(-0.9 * Z, []), (0.9 * Z, []), (1.1 * Z, ["mu"]), (-1.1 * Z, ["mu"])])
@pytest.mark.parametrize("structure", ["complete", "partial"])
def test_the_mean_of_the_groups_against_its_normal_distribution(z, expected, structure):
    """With numbers for the spreads, the mean of J estimates is Normal(m, sqrt(b^2 + (tau^2 + se^2) / J))."""
    n, tau = 25, 2.0 if structure == "partial" else 0.0
    sd = np.sqrt(10**2 + (tau**2 + 1) / n)
    # The groups' own spread is that which they are expected to have.
    spread = np.sqrt(tau**2 + 1) * stats.norm.ppf((np.arange(n) + 0.5) / n)
    data = estimates(3 + z * sd + spread, 1.0)
    built = Partial() if structure == "partial" else Complete()
    priors = {"mu": "Normal(3, 10)", **({"tau": tau} if tau else {})}
    assert named(prior_conflicts(model(built, NormalKnownSE(), **priors), data)) == expected


@pytest.mark.parametrize(("factor", "expected"), [(0.9, []), (1.1, ["tau"])])
def test_the_spread_of_the_groups_against_its_chi_distribution(factor, expected):
    """With numbers for mu and tau, (J - 1) s^2 / (tau^2 + se^2) is chi-squared: both tails are conflicts of tau."""
    n = 12
    for tail in (stats.chi2.isf(LEVEL / 2, n - 1), stats.chi2.ppf(LEVEL / 2, n - 1)):
        away = factor if tail > n else 1 / factor
        pattern = stats.norm.ppf((np.arange(n) + 0.5) / n)
        y = pattern / pattern.std(ddof=1) * np.sqrt(5 * tail / (n - 1)) * away
        built = model(Partial(), NormalKnownSE(), mu="Normal(0, 9)", tau=2.0)
        assert named(prior_conflicts(built, estimates(y, 1.0))) == expected


def test_without_pooling_a_wide_prior_is_no_claim():
    """Groups that are nearer to each other than their prior says are no conflict; groups that are farther are."""
    near, far = np.linspace(-0.01, 0.01, 20), 5 * stats.norm.ppf((np.arange(20) + 0.5) / 20)
    built = model(Independent(), NormalKnownSE(), theta="Normal(0, 1)")
    assert not prior_conflicts(built, estimates(near, 0.1))
    (conflict,) = {c.parameter: c for c in prior_conflicts(built, estimates(far, 0.1))}.values()
    assert conflict.parameter == "theta"


def test_one_group_far_away_is_told_by_its_name():
    """A group more than four prior sds away is named as the data name it, and its distance is right."""
    y = np.zeros(9)
    y[4] = 5 * np.sqrt(2)
    built = model(Partial(), NormalKnownSE(), mu=0.0, tau=1.0)
    found = prior_conflicts(built, estimates(y, 1.0), [f"School {c}" for c in "ABCDEFGHI"])
    (place,) = [conflict for conflict in found if "School E" in conflict.words]
    assert place.parameter == "mu"
    assert "group 'School E' (7.071) is " in place.words
    assert float(place.words.split(" is ")[1].split()[0]) == pytest.approx(5, abs=0.1)


def test_groups_far_apart_are_no_outliers_where_tau_is_open():
    """A tau of 12 is no wonder under HalfNormal(5) (p = .016): its farthest group, at 5 prior sds, is none either."""
    built = model(Partial(), NormalKnownSE(), mu="Normal(0, 1)", tau="HalfNormal(5)")
    y = 12 * stats.norm.ppf((np.arange(30) + 0.5) / 30)
    assert np.abs(y).max() > 4.5 * np.hypot(np.hypot(1, 5), 1)
    assert not prior_conflicts(built, estimates(y, 1.0))


def test_a_group_farther_than_tau_could_be_is_an_outlier():
    """The same prior, one group at 60 and the others about 0."""
    built = model(Partial(), NormalKnownSE(), mu="Normal(0, 1)", tau="HalfNormal(5)")
    assert "group '3' (60) is" in prior_conflicts(built, estimates([0.1, -0.4, 60.0, 0.3, -0.2, 0.2], 1.0))[0].words


def test_labels_cannot_act_on_a_terminal():
    """Control characters of a label are written out."""
    built = model(Partial(), NormalKnownSE(), mu=0.0, tau=1.0)
    found = prior_conflicts(built, estimates([0, 0, 99.0], 1.0), ["a", "b", "c\x1b[31m\n"])
    assert all(conflict.text.isprintable() for conflict in found)


@pytest.mark.parametrize("sigma_by", ["shared", "group"])
@pytest.mark.parametrize(("factor", "expected"), [(0.9, []), (1.1, ["sigma"])])
def test_the_spread_within_groups(sigma_by, factor, expected):
    """With a number for sigma the sum of squares within groups is chi-squared."""
    tail = stats.chi2.isf(LEVEL / 2, 20)
    data = observations(np.zeros(5), 2 * np.sqrt(tail / 20) * factor, 5)
    built = model(Independent(), Normal(sigma_by=sigma_by), theta="Normal(0, 1)", sigma=2.0)
    assert named(prior_conflicts(built, data)) == expected


@pytest.mark.parametrize(("prior", "expected"), [("HalfNormal(1)", []), ("LogNormal(0, 0.2)", ["tau"])])
def test_a_small_spread_contradicts_a_prior_that_keeps_from_zero(prior, expected):
    """Groups that are all alike say nothing against a prior with density at 0."""
    built = model(Partial(), NormalKnownSE(), mu="Normal(0, 1)", tau=prior)
    assert named(prior_conflicts(built, estimates(np.full(9, 0.3), 0.01))) == expected


def test_probabilities_are_held_against_priors_on_the_logit():
    """Shares of 0.999 contradict a prior of logits about 0, shares of 0.5 do not."""
    built = model(Partial(), Binomial(), mu="Normal(0, 0.5)", tau="HalfNormal(0.5)")
    n = np.full(6, 1000)
    middle, high = (GroupedData(n_obs=n, y_mean=np.full(6, p), y_ss=np.zeros(6)) for p in (0.5, 0.999))
    assert not prior_conflicts(built, middle)
    assert named(prior_conflicts(built, high)) == ["mu"]
    assert "logits" in prior_conflicts(built, high)[0].words


@pytest.mark.parametrize("name", ["lecture", "eight_schools", "baseball"])
def test_honest_priors_are_no_conflict(name):
    """No method of a built-in study of real data has a prior that the data contradict."""
    study = Study.from_toml(f"studies/{name}.toml")
    assert study.conflicts == {}
    assert {row["prior_conflict"] for row in study.method_rows()} == {None}


@pytest.mark.parametrize(("shift", "scale"), [(0, 1), (500, 100), (1e6, 1e-3), (0, 1e-6), (-1e6, 1e6)])
@pytest.mark.parametrize("ratio", [0.0, 0.3, 30.0])
def test_default_priors_are_no_conflict(shift, scale, ratio):
    """Whatever the origin, the unit and the spread between groups are, defaults do not contradict their data."""
    rng = np.random.default_rng(3)
    means = shift + scale * (ratio * rng.normal(size=15) + 0.5 * rng.normal(size=15))
    data = observations(means, scale, 4)
    unit = Normal().unit_of(data)
    texts = {name: p.default_prior("natural", unit) for name, p in PARAMETERS.items()}
    for structure in (Independent(), Complete(), Partial()):
        own = {p.name: texts[p.name] for p in (*structure.parameters, SIGMA)}
        assert not prior_conflicts(model(structure, Normal(), **own), data)


def test_a_heavy_tail_claims_little():
    """A Cauchy prior has no standard deviation; nothing near its middle half contradicts it."""
    built = model(Partial(), NormalKnownSE(), mu="Cauchy(0, 2)", tau="HalfCauchy(2)")
    assert not prior_conflicts(built, estimates([4.0, 8.0, 2.0, 20.0], 3.0))


def test_simulated_data_have_no_priors_of_data():
    """A study that simulates has no column on them, and none on conflicts where there are none."""
    study = Study.from_toml("studies/pooling.toml")
    assert study.conflicts == {}
    assert study.priors_of_data == {}
    assert not {"prior_conflict", "priors_of_data"} & set(study.method_rows()[0])


def of_terms(priors, *, shift=0.0):
    """Return what a study of two crossed factors says of its priors, as (parameter, words)."""
    rng = np.random.default_rng(6)
    row, item = np.repeat(np.arange(6), 8), np.tile(np.arange(8), 6)
    y = shift + 2 * rng.normal(size=6)[row] + 0.5 * rng.normal(size=8)[item] + rng.normal(size=48)
    rows = {"row": [f"r{i}" for i in row], "item": [f"i{i}" for i in item], "y": y.tolist()}
    study = Study.from_dict(
        {
            "study": {"name": "terms", "replicates": 1},
            "mechanism": {"kind": "dataset", "data": rows, "value": "y", "terms": {"row": {}, "item": {}}},
            "method": [{"name": "both", "pooling": "partial", "priors": priors}],
            "sampler": {"kind": "nuts"},
        }
    )
    return {conflict.parameter: conflict.words for conflict in study.conflicts.get("both", [])}


@pytest.mark.parametrize(
    ("priors", "shift", "expected"),
    [
        ({}, 0.0, set()),
        ({}, 1e6, set()),
        ({"mu": "Normal(0, 1)"}, 20.0, {"mu"}),
        ({"mu": "Normal(0, 100)", "tau[row]": "HalfNormal(0.01)"}, 0.0, {"tau[row]"}),
        ({"mu": "Normal(0, 100)", "tau[item]": "InverseGamma(100, 10000)"}, 0.0, {"tau[item]"}),
        ({"mu": "Normal(0, 100)", "sigma": "HalfNormal(1000)"}, 0.0, set()),
    ],
)
def test_priors_of_terms_are_held_against_the_data(priors, shift, expected):
    """Of the intercept where the cells lie elsewhere, of a term's scale where its levels are farther or less apart."""
    found = of_terms(priors, shift=shift)
    assert set(found) == expected, found
