"""The whole of ``plan``: data and studies in, sentences and a page out; what cannot be is said in one."""

import json
import re

import numpy as np
import pandas as pd
import pytest

from simstudy.errors import RunError, StudyError
from simstudy.planning.plan import plan
from simstudy.store import Run
from tests.planning.asked import study

QUICK = {"workers": 0, "replicates": 200}
KNOWN = {"mu": 1.0, "tau": 1.0, "sigma": 2.0}


@pytest.fixture(scope="module")
def scores():
    """Return 40 scores around 500 in 8 schools with text labels."""
    rng = np.random.default_rng(4)
    names = ["Nord", "Süd", "001", "01", "St. Anna", "NA", "West, alt", "Ost"]
    means = 500 + 40 * rng.standard_normal(8)
    rows = [(name, m + 60 * rng.standard_normal()) for name, m in zip(names, means, strict=True) for _ in range(5)]
    return pd.DataFrame(rows, columns=["school", "score"])


@pytest.fixture(scope="module")
def answer(scores):
    return plan(scores, group="school", value="score", width=("theta", 60.0), **QUICK)


def test_data_give_the_values_of_the_new_groups(answer, scores):
    """Posterior medians lie near the moments of data that say enough."""
    values = answer.question.hyperparameters
    within = scores.groupby("school", sort=False)["score"]
    assert values["mu"] == pytest.approx(scores["score"].mean(), abs=5)
    assert values["sigma"] == pytest.approx(np.sqrt(within.var().mean()), rel=0.1)
    assert 0 < values["tau"] < 2 * within.mean().std()


def test_priors_of_the_analysis_fit_the_data(answer):
    priors = dict(answer.question.template.methods[0].options)["priors"]
    location = float(re.match(r"Normal\(([\d.]+),", priors["mu"])[1])
    assert 440 < location < 560


def test_the_number_of_groups_is_that_of_the_data(answer):
    assert answer.design.groups == 8
    assert answer.question.opens == ("group_size",)


def test_the_sentences_say_the_answer_its_range_and_its_world(answer):
    first, second, third = answer.sentences
    n = answer.found.answer
    assert first.startswith(f"8 groups with {n} observations each are enough: the 95 % interval of θ is then ")
    assert str(n) in second
    assert third.startswith("This is for new groups like those of ")
    assert third.endswith("(posterior medians).")


def test_the_table_has_every_design(answer):
    table = answer.table
    assert set(table["group_size"]) == set(answer.found.points)
    at = table.set_index("group_size").loc[answer.found.answer]
    assert (at["verdict"], at["observations"]) == ("reached", 8 * answer.found.answer)
    assert (table.loc[table["verdict"] == "reached", "upper"] <= 60).all()


def test_the_page_says_the_answer(answer, tmp_path):
    text = answer.report(tmp_path / "plan.html").read_text()
    assert "observations each are" in text
    assert "Every design that was looked at" in text
    assert "the sd between groups τ" in text
    assert "http" not in text.replace("http://www.w3.org", "")


@pytest.mark.statistical
def test_the_same_seed_gives_the_same_answer(scores, answer):
    again = plan(scores, group="school", value="score", width=("theta", 60.0), **QUICK)
    pd.testing.assert_frame_equal(again.table, answer.table)


@pytest.mark.statistical
def test_another_unit_and_origin_give_the_same_design(scores, answer):
    """Scores in thousandths around a million need the same numbers for a width in that unit."""
    moved = scores.assign(score=1e6 + scores["score"] / 1000)
    again = plan(moved, group="school", value="score", width=("theta", 0.06), **QUICK)
    assert abs(again.found.answer - answer.found.answer) <= 1
    (first, last), (others_first, others_last) = (
        plan(each, group="school", value="score", power="tau > 0", **QUICK).range for each in (scores, moved)
    )
    assert first <= others_last
    assert others_first <= last


def test_successes_and_trials_are_planned_in_trials():
    frame = pd.DataFrame(
        {"hospital": list("abcdefgh"), "cured": [12, 30, 9, 25, 18, 22, 31, 15], "n": [30, 41, 28, 33, 29, 40, 44, 26]}
    )
    columns = {"group": "hospital", "successes": "cured", "trials": "n"}
    found = plan(frame, **columns, power="tau > 0", **QUICK)
    assert "trials each are enough: the chi-square test of proportions at 5 % finds" in found.sentences[0]
    with pytest.raises(StudyError, match="--regret: the rivals of partial pooling are known for normal means only"):
        plan(frame, **columns, regret="5%", **QUICK)


def test_estimates_with_standard_errors_are_planned_in_groups():
    frame = pd.DataFrame({"trial": ["A", "B", "C", "D"], "d": [0.3, 0.6, 0.1, 0.5], "se": [0.2, 0.3, 0.25, 0.2]})
    columns = {"group": "trial", "value": "d", "standard_error": "se"}
    found = plan(frame, **columns, power="tau > 0", at_least=0.5, most_groups=40, **QUICK)
    assert found.question.opens == ("groups",)
    assert "Cochran’s Q test" in " ".join(found.sentences)
    with pytest.raises(StudyError, match="--group-size: estimates with standard errors have none"):
        plan(frame, **columns, power="mu > 0", group_size="?", **QUICK)
    with pytest.raises(StudyError, match="--groups: nothing is open"):
        plan(frame, **columns, power="mu > 0", groups=9, **QUICK)


def test_one_group_in_the_data_is_refused():
    frame = pd.DataFrame({"g": ["only"] * 5, "y": [1.0, 2.0, 3.0, 4.0, 5.0]})
    with pytest.raises(RunError, match=r"at least two groups, to know how much groups differ, got one \(only\)"):
        plan(frame, group="g", value="y", width=("mu", 1.0), **QUICK)


def test_two_groups_of_one_observation_give_an_answer_or_a_limit():
    frame = pd.DataFrame({"g": ["a", "b"], "y": [1.0, 2.0]})
    found = plan(frame, group="g", value="y", width=("theta", 1.0), most_size=50, **QUICK)
    assert len(found.sentences) >= 2
    assert found.design is None or found.design.groups == 2


def test_tau_of_zero_is_never_found():
    found = plan(study(mu=1.0, tau=0.0, sigma=2.0, priors={}, groups=5, group_size="?"), power="tau > 0", **QUICK)
    assert found.design is None
    assert found.table.empty
    assert found.sentences[0].startswith("No design reaches this goal. τ is 0: the groups do not differ")


def test_a_claim_that_does_not_hold_is_not_planned_for():
    found = plan(study(**KNOWN), power="mu > 1.5", **QUICK)
    assert found.sentences[0].startswith("No design reaches this goal. μ is 1.00 here, so that μ > 1.5 does not hold")


def test_averaged_power_is_bounded_by_how_often_the_claim_holds():
    """Under mu ~ Normal(1, 2) the claim holds in 69.1 %, so that no design brings assurance to 0.8."""
    contents = study(mu="Normal(1, 2)", tau=1.0, sigma=2.0)
    said = plan(contents, power="mu > 0", assurance=True, **QUICK).sentences[0]
    share = float(re.search(r"holds in ([\d.]+) % of what is held possible", said)[1])
    assert abs(share - 69.1) < 2


def test_a_width_that_groups_limit_is_beyond_and_says_the_limit():
    found = plan(study(**KNOWN, groups=4, group_size="?"), width=("mu", 1.0), most_size=500, **QUICK)
    assert found.design is None
    told = " ".join(found.sentences)
    assert "Even 4 groups with 500 observations each, the largest design that was looked at" in told
    assert "4 groups with τ = 1.00 tell their mean no better than τ/√J = 0.500, an interval of 1.96" in told


def test_a_goal_that_the_smallest_design_reaches_is_reached_at_once():
    found = plan(study(**KNOWN, groups=4, group_size="?"), width=("theta", 50.0), **QUICK)
    assert found.found.status == "at_once"
    assert found.sentences[0].startswith("Already the smallest design that was looked at, 4 groups with 1 observation")


def test_one_group_of_a_study_has_widths_but_no_best_group():
    contents = study(mu=1.0, tau=1.0, sigma=2.0, groups=1, group_size="?")
    assert plan(contents, width=("theta", 3.0), **QUICK).design.groups == 1
    with pytest.raises(StudyError, match="--rank-best: expected at least two groups"):
        plan(contents, rank_best=0.8, **QUICK)
    with pytest.raises(StudyError, match="it tells nothing of tau"):
        plan(contents, power="tau > 0", **QUICK)


def test_groups_of_one_observation_tell_no_differences():
    with pytest.raises(StudyError, match="with one observation in each group nothing tells"):
        plan(study(**KNOWN, group_size=1), power="tau > 0", **QUICK)


def test_the_best_of_more_groups_is_no_goal_for_their_number():
    with pytest.raises(StudyError, match="the best of more groups is harder to find"):
        plan(study(**KNOWN), rank_best=0.8, **QUICK)


@pytest.mark.statistical
def test_the_best_group_is_found_with_enough_observations():
    found = plan(study(**KNOWN, groups=3, group_size="?"), rank_best=0.7, **QUICK)
    assert found.design.groups == 3
    assert found.found.points[found.found.answer].ends[0] >= 0.7


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"groups": 8}, 'nothing is open: give groups = "?"'),
        ({"groups": "many"}, r"\[mechanism\] groups: expected a whole number up to 200, or \? where it is open"),
        ({"tau": [0.5, 1.0]}, r"\[mechanism\] tau: expected one value for planning, got \[0.5, 1.0\]"),
        ({"mu": "Normal(0, 1)"}, "--power is at fixed values, but the mechanism 'exchangeable' draws"),
        ({"group_size": "?"}, "groups and group_size are both open: give what each costs"),
    ],
)
def test_a_study_that_cannot_be_planned_is_refused(given, message):
    contents = study(**{**KNOWN, **given}, priors={})
    if given == {"groups": "many"}:
        contents["mechanism"]["group_size"] = "?"
    with pytest.raises(StudyError, match=message):
        plan(contents, power="mu > 0", **QUICK)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"assurance": True}, "--assurance averages over what is uncertain, but every hyperparameter"),
        ({"cost_group": 5.0}, "only groups is open, and the smallest is the cheapest"),
        ({"method": "nope"}, "--method: no method 'nope'"),
        ({"value": "y"}, "--value: is of data"),
        ({"power": None, "width": ("rho", 1.0)}, "--width: the method has no estimand 'rho'"),
        ({"replicates": 50}, "--replicates: expected at least 200"),
    ],
)
def test_options_that_do_not_go_together_are_refused(given, message):
    with pytest.raises(StudyError, match=message):
        plan(study(**KNOWN), **{"power": "mu > 0", **QUICK, **given})


def test_what_was_simulated_is_kept_as_a_run(tmp_path):
    """The kept run has a scenario for every design, each with the replicates that the table says."""
    folder = tmp_path / "kept"
    found = plan(study(**KNOWN), width=("mu", 2.0), keep=folder, **QUICK)
    run = Run.open(folder)
    numbers = dict(zip(run.scenarios["scenario"], run.scenarios["groups"], strict=True))
    counted = run.fits["scenario"].astype(str).map(numbers).value_counts()
    assert counted.to_dict() == dict(zip(found.table["groups"], found.table["n_replicates"], strict=True))
    assert json.loads((folder / "study.json").read_text())["mechanism"]["groups"] == sorted(numbers.values())
    with pytest.raises(RunError, match="is there already"):
        plan(study(**KNOWN), width=("mu", 2.0), keep=folder, **QUICK)


@pytest.mark.statistical
def test_the_cheapest_of_both_numbers_is_said_with_its_cost():
    contents = study(**KNOWN, group_size="?")
    found = plan(contents, width=("mu", 2.0), cost_group=10.0, cost_observation=1.0, most_groups=32, **QUICK)
    groups, size = found.design
    assert found.sentences[0].startswith(f"The cheapest design found is {groups} groups with {size} observation")
    assert found.table["cost"].min() > 0
    assert {trial.groups for trial in found.trials} >= set(found.as_cheap)
