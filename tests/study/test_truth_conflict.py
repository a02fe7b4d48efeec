"""Priors held against the truth of simulated data: tail probabilities in closed form, and what is not compared."""

import pytest
from scipy import stats

from simstudy.study.conflict import told_of
from simstudy.study.predictive import LEVEL
from simstudy.study.study import Study

Z = stats.norm.isf(LEVEL / 2)


def conflicts(structure="partial", *, priors=None, likelihood=None, **mechanism):
    """Return the conflicts of one method of grouped data, by parameter."""
    method = {"name": "only", "structure": structure, **({"priors": priors} if priors else {})}
    method |= {"likelihood": likelihood} if likelihood else {}
    contents = {
        "study": {"name": "made", "replicates": 1},
        "mechanism": {"kind": "exchangeable", "groups": 4, "group_size": 3, **mechanism},
        "method": [method],
        "sampler": {"kind": "nuts"},
    }
    return {one.parameter: one for one in Study.from_dict(contents).conflicts.get("only", [])}


@pytest.mark.parametrize("z", [-1.05 * Z, -0.95 * Z, 0.95 * Z, 1.05 * Z])
def test_the_mean_is_in_a_tail_of_its_prior(z):
    """A mean at m + z s under Normal(m, s) has p = 2 (1 - Phi(|z|)), a conflict below 0.001 on either side."""
    found = conflicts(mu=3 + 10 * z, priors={"mu": "Normal(3, 10)"})
    assert set(found) == ({"mu"} if abs(z) > Z else set())


@pytest.mark.parametrize(("tau", "is_one"), [(0.0, False), (0.95, False), (1.05, True)])
def test_a_spread_is_too_large_for_its_prior(tau, is_one):
    """Under HalfNormal(5) P(tau > t) = 2 (1 - Phi(t / 5)): a conflict above the 0.999 quantile, none at 0."""
    found = conflicts(tau=tau * stats.halfnorm.isf(LEVEL, scale=5), priors={"tau": "HalfNormal(5)"})
    assert set(found) == ({"tau"} if is_one else set())


def test_no_spread_is_none_for_a_prior_that_keeps_from_zero():
    """Few groups can look alike whatever tau is, so that tau = 0 is no conflict of a prior without density there."""
    assert not conflicts(tau=0.0, priors={"tau": "LogNormal(0, 0.5)"})
    assert set(conflicts(sigma=0.01, priors={"sigma": "LogNormal(0, 0.5)"})) == {"sigma"}


def test_without_pooling_groups_are_held_against_their_prior():
    """The prior of each group contradicts a mean far away, and a spread that takes groups far away."""
    assert set(conflicts("none", mu=100.0, tau=1.0)) == {"theta"}
    assert set(conflicts("none", mu=0.0, tau=100.0)) == {"theta"}
    assert not conflicts("none", mu=10.0, tau=10.0)


def test_a_default_prior_is_called_one_and_scenarios_are_counted():
    """Reaction times in milliseconds under defaults: what is to be done, and in how many scenarios."""
    found = conflicts(mu=400, sigma=80, tau=[0, 15, 40, 120])
    assert set(found) == {"mu", "tau", "sigma"}
    assert found["tau"].text.startswith(
        "the truth contradicts the default prior tau ~ HalfNormal(5): tau = 120, where "
    )
    assert found["tau"].text.endswith(" in 2 of 4 scenarios; give priors in the unit of the data")
    assert " in 4 of 4 scenarios" in found["mu"].text
    own = conflicts(mu=400, priors={"mu": "Normal(1, 2)"})["mu"].text
    assert own.startswith("the truth contradicts the prior mu ~ Normal(1, 2): mu = 400, where ")
    assert own.endswith("p < 0.001)")


def test_what_is_drawn_from_a_prior_and_what_is_on_another_scale_is_left_alone():
    """Calibration draws its truth; the mean of logits is no mean of counts' logarithms, and no mean of data."""
    assert not conflicts(mu="Normal(500, 1)")
    assert set(conflicts(likelihood="student_t", mu=500.0)) == {"mu"}
    assert set(conflicts(mu=500.0)) == {"mu"}


def test_terms_are_compared_where_the_structure_is_the_same():
    """The scale of a walk's steps is not that of months without order; a level below another is named by its factor."""
    contents = {
        "study": {"name": "made", "replicates": 1},
        "mechanism": {
            "kind": "multilevel",
            "per_cell": 2,
            "mu": 0.0,
            "terms": {"month": {"structure": "random_walk", "levels": 6, "tau": 90.0}},
        },
        "method": [
            {"name": "walk", "pooling": "partial"},
            {"name": "apart", "terms": {"month": "exchangeable"}},
        ],
        "sampler": {"kind": "nuts"},
    }
    found = Study.from_dict(contents).conflicts
    assert set(found) == {"walk"}
    assert [one.parameter.partition("[")[0] for one in found["walk"]] == ["tau"]


def test_each_is_told_once_with_its_methods():
    """Methods that share a prior share its line; the table of methods has the conflicts of each."""
    contents = {
        "study": {"name": "made", "replicates": 1},
        "mechanism": {"kind": "exchangeable", "groups": 4, "group_size": 3, "mu": 90.0},
        "method": [{"name": name, "structure": name} for name in ("complete", "partial", "none")],
        "sampler": {"kind": "nuts"},
    }
    study = Study.from_dict(contents)
    lines = told_of(study.conflicts)
    assert [line.partition(":")[0] for line in lines] == ["complete, partial", "none"]
    assert all(row["prior_conflict"] in " ".join(lines) for row in study.method_rows())
