"""Measures of goals agree with the performance table of the same run."""

import numpy as np
import pytest

from simstudy.measures import performance
from simstudy.planning.experiment import Experiment
from simstudy.planning.goal import read_goal
from simstudy.planning.points import Design, Point
from simstudy.planning.scoring import scores
from simstudy.running.runner import run
from simstudy.study.study import Study
from tests.planning.asked import question, study

WORLD = {"mu": 0.8, "tau": 1.0, "sigma": 2.0}
DESIGN = Design(5, 4)


@pytest.fixture(scope="module")
def looked(tmp_path_factory):
    """Return the run of one design, looked at twice."""
    goal = read_goal(width=("theta", 1.0))
    asked = question(study(**WORLD, priors={}, group_size=4), goal)
    with Experiment(asked, goal, tmp_path_factory.mktemp("looked") / "run", workers=0) as experiment:
        experiment.look([DESIGN, Design(3, 4)], 40)
        experiment.look([DESIGN], 90)
        yield experiment.run


def of(looked, **goal):
    """Return the measure of a goal at the design."""
    names = dict(zip(looked.scenarios["groups"], looked.scenarios["scenario"], strict=True))
    return scores(looked, read_goal(**goal), [str(names[DESIGN.groups])])[str(names[DESIGN.groups])]


def measured(looked, measure, estimand, **options):
    table = performance(looked, **options)
    names = dict(zip(looked.scenarios["groups"], looked.scenarios["scenario"], strict=True))
    here = (table["scenario"] == names[DESIGN.groups]) & (table["measure"] == measure) & table["bin"].isna()
    return table[here & (table["estimand"] == estimand)].iloc[0]


@pytest.mark.parametrize("estimand", ["theta", "mu", "tau", "theta_new"])
def test_widths_are_those_of_the_table(looked, estimand):
    row, point = measured(looked, "width", estimand), of(looked, width=(estimand, 1.0))
    assert (point.value, point.mcse, point.n) == (row["value"], row["mcse"], 90)


def test_naming_the_best_is_that_of_the_table(looked):
    row, point = measured(looked, "prob_best", "theta"), of(looked, rank_best=0.5)
    assert (point.value, point.mcse) == (row["value"], row["mcse"])
    assert point.ends == (row["lower"], row["upper"])


def test_both_sides_together_are_the_rejections(looked):
    sides = [of(looked, power=f"mu {side} 0.5").value for side in "><"]
    assert sum(sides) == pytest.approx(measured(looked, "rejection", "mu", null=0.5)["value"])
    assert sides[0] > 0


def test_relative_regret_is_the_regret_over_the_mse_of_the_best(looked):
    regret, mse = (measured(looked, name, "theta") for name in ("regret", "mse"))
    point = of(looked, regret="5%")
    best = mse["value"] - regret["value"]
    assert point.value == pytest.approx(regret["value"] / best)
    assert point.mcse == pytest.approx(regret["mcse"] / best, rel=0.5)


def test_a_design_that_was_looked_at_twice_is_that_of_a_run_made_at_once(looked, tmp_path):
    """Growing changes no bit: the same replicates, made in one run of an ordinary study."""
    asked = question(study(**WORLD, priors={}, group_size=4), read_goal(width=("theta", 1.0)))
    method = asked.template.methods[0]
    contents = {
        "study": {"name": "asked", "seed": 5, "replicates": 90},
        "mechanism": asked.mechanism(DESIGN),
        "method": [{"name": method.name, "structure": "partial"}],
        "sampler": method.sampler.options,
        "summary": {"levels": [0.95]},
    }
    at_once = run(Study.from_dict(contents), out=tmp_path / "run", workers=0, quiet=True)
    keys = ["scenario", "replicate", "estimand", "group"]
    both = at_once.estimates.merge(looked.estimates, on=keys, suffixes=("", "_grown"))
    assert len(both) == len(at_once.estimates)
    np.testing.assert_array_equal(both["mean"], both["mean_grown"])


@pytest.mark.parametrize(
    ("point", "verdict"),
    [
        (Point(value=0.9, mcse=0.01, n=100), "reached"),
        (Point(value=0.7, mcse=0.01, n=100), "missed"),
        (Point(value=0.81, mcse=0.01, n=100), "open"),
        (Point(value=1.0, mcse=0.0, n=10, lower=0.72, upper=1.0), "open"),
        (Point(value=float("nan"), mcse=float("nan"), n=0), "open"),
    ],
)
def test_nothing_is_claimed_below_two_errors(point, verdict):
    assert point.verdict(read_goal(rank_best=0.8)) == verdict
