"""One goal is read, with its bounds, and every other text is refused in a sentence."""

import pytest

from simstudy.errors import StudyError
from simstudy.planning.goal import read_goal


@pytest.mark.parametrize(
    ("claim", "estimand", "side", "null"),
    [("mu > 0", "mu", ">", 0.0), ("mu<-2.5", "mu", "<", -2.5), (" tau > 1e2 ", "tau", ">", 100.0)],
)
def test_a_claim_is_read(claim, estimand, side, null):
    goal = read_goal(power=claim)
    assert (goal.estimand, goal.side, goal.null, goal.target) == (estimand, side, null, 0.8)


@pytest.mark.parametrize(("given", "share"), [("5%", 0.05), (0.05, 0.05), ("12.5 %", 0.125)])
def test_a_share_is_read(given, share):
    assert read_goal(regret=given).target == pytest.approx(share)


def test_only_tau_above_zero_needs_a_test():
    assert read_goal(power="tau > 0").is_homogeneity
    assert not read_goal(power="tau > 1").is_homogeneity
    assert not read_goal(power="mu > 0").is_homogeneity
    assert not read_goal(width=("tau", 1.0)).is_homogeneity


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "exactly one goal"),
        ({"rank_best": 0.8, "regret": "5%"}, "exactly one goal"),
        ({"width": ("theta", 0.0)}, "a width above 0, got 0"),
        ({"width": ("theta", float("nan"))}, "a width above 0"),
        ({"power": "mu"}, 'a claim such as "mu > 0"'),
        ({"power": "mu > zero"}, 'a claim such as "mu > 0"'),
        ({"power": "mu = 0"}, 'a claim such as "mu > 0"'),
        ({"power": "tau < 0"}, "tau is never below 0"),
        ({"power": "tau > -1"}, "tau is never below 0"),
        ({"power": "sigma > 0"}, "sigma is never below 0"),
        ({"power": "mu > 0", "at_least": 1.0}, "--at-least: expected a probability between 0 and 1"),
        ({"rank_best": 80}, "--rank-best: expected a probability between 0 and 1"),
        ({"rank_best": 0.8, "at_least": 0.9}, "--at-least belongs to --power"),
        ({"regret": "much"}, "--regret: expected a share above 0"),
        ({"regret": "-5%"}, "--regret: expected a share above 0"),
        ({"width": ("mu", 1.0), "level": 95}, "--level: expected a number between 0 and 1"),
    ],
)
def test_what_cannot_be_a_goal_is_refused(given, message):
    with pytest.raises(StudyError, match=message.replace("(", r"\(")):
        read_goal(**given)
