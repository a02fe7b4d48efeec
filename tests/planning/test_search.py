"""The search finds the size that a known curve needs, within the range that it states."""

import numpy as np
import pytest
from scipy.special import ndtr

from simstudy.measures.rows.intervals import wilson
from simstudy.planning.curve import crossing
from simstudy.planning.goal import read_goal
from simstudy.planning.points import Point
from simstudy.planning.search import Effort, Search

POWER = read_goal(power="mu > 0")
Z = 2.801585  # normal quantiles of 0.8 and 0.975 together


def shares(chance, seed=0):
    """Return an evaluator of a size's chance, whose replicates grow and never change."""
    drawn = {}

    def evaluate(sizes, n):
        found = {}
        for size in sizes:
            rng = np.random.default_rng([seed, size])
            holds = drawn.setdefault(size, rng.random(20_000) < chance(size))[:n]
            p = float(holds.mean())
            lower, upper = wilson(np.array([p]), np.array([float(n)]))
            found[size] = Point(
                value=p, mcse=float(np.sqrt(p * (1 - p) / n)), n=n, lower=float(lower[0]), upper=float(upper[0])
            )
        return found

    return evaluate, drawn


def search(evaluate, goal=POWER, **numbers):
    return Search(evaluate=evaluate, goal=goal, **{"low": 1, "high": 10_000, "start": 8, **numbers}).run()


@pytest.mark.parametrize("effect", [1.2, 0.5, 0.2, 0.05])
def test_the_range_holds_the_true_size_and_is_narrow(effect):
    """Over 20 seeds the stated range holds the smallest size in all but the one or two that 2 MCSE allow."""
    needed = int(np.ceil((Z / effect) ** 2))
    found = [search(shares(lambda n: ndtr(effect * np.sqrt(n) - 1.959964), seed)[0]) for seed in range(20)]
    assert {each.status for each in found} == {"reached"}
    assert sum(each.first <= needed <= each.answer for each in found) >= 18
    assert np.median([each.answer / needed for each in found]) < 1.15
    assert np.median([each.first / needed for each in found]) > 0.85


def test_the_crossing_is_nearer_than_the_range():
    needed = (Z / 0.2) ** 2
    found = [search(shares(lambda n: ndtr(0.2 * np.sqrt(n) - 1.959964), seed)[0]) for seed in range(20)]
    errors = np.array([np.log(each.crossing.size / needed) for each in found])
    stated = np.array([each.crossing.mcse for each in found])
    assert abs(errors.mean()) < 0.02
    assert np.sqrt(np.mean((errors / stated) ** 2)) < 2


def test_a_goal_that_no_size_reaches_is_beyond():
    found = search(shares(lambda n: 0.5 * n / (n + 20))[0])
    assert (found.status, found.answer) == ("beyond", None)
    assert max(found.points) == 10_000


def test_a_goal_that_every_size_reaches_is_reached_at_once():
    found = search(shares(lambda n: 0.99)[0])
    assert (found.status, found.answer, found.first) == ("at_once", 1, 1)


def test_a_size_beside_the_target_stays_open():
    """Where the chance is the target itself, no replicates decide, and nothing is claimed."""
    found = search(shares(lambda n: 0.8 if n < 100 else 0.95)[0], effort=Effort(most=1000))
    assert found.first <= 8
    assert found.answer >= 9 or found.status == "at_once"


def test_a_precise_measure_gives_one_size():
    """The mean width 2 z sigma / sqrt(n), known to a thousandth, needs n = (2 z sigma / width)^2."""
    goal = read_goal(width=("theta", 0.5))

    def evaluate(sizes, n):
        return {s: Point(value=2 * 1.959964 * 2 / np.sqrt(s), mcse=1e-3 / np.sqrt(s), n=n) for s in sizes}

    found = search(evaluate, goal)
    assert found.answer >= 246 >= found.first
    assert found.answer <= 246 * 1.04


def test_a_measure_that_is_good_again_far_below_counts_from_where_it_stays_good():
    """Regret is small where groups tell nothing; the answer lies above the hump."""
    goal = read_goal(regret="5%")

    def evaluate(sizes, n):
        return {s: Point(value=0.01 + 0.2 * np.exp(-(np.log(s / 12) ** 2)), mcse=0.004, n=n) for s in sizes}

    found = search(evaluate, goal)
    assert found.status == "reached"
    assert found.first > 12
    assert evaluate([found.answer], 1)[found.answer].value < 0.05


def test_replicates_go_where_the_decision_hangs():
    evaluate, _ = shares(lambda n: ndtr(0.2 * np.sqrt(n) - 1.959964))
    asked = {}

    def counted(sizes, n):
        asked.update(dict.fromkeys(sizes, n))
        return evaluate(sizes, n)

    search(counted)
    near = [n for size, n in asked.items() if abs(np.log(size / 196)) < 0.15]
    far = [n for size, n in asked.items() if abs(np.log(size / 196)) > 1]
    assert max(near) == 1500
    assert max(far) == 200


def test_the_line_finds_the_crossing_of_a_power_law():
    goal = read_goal(width=("mu", 1.0))
    points = {n: Point(value=6 / np.sqrt(n), mcse=0.01, n=100) for n in (16, 25, 36, 49, 64)}
    found = crossing(points, goal, near=40)
    assert found.size == pytest.approx(36, rel=1e-3)
    assert found.slope == pytest.approx(-0.5, rel=1e-3)


def test_no_line_where_the_curve_runs_away_from_the_target():
    points = {n: Point(value=0.9 - n / 1000, mcse=0.01, n=1000) for n in (10, 20, 40)}
    assert crossing(points, POWER, near=20) is None
    assert crossing({10: points[10]}, POWER, near=20) is None
