"""The cheapest of two numbers: near the best of a known cost surface, and shown to reach the goal."""

import numpy as np
import pytest
from scipy.special import ndtr

from simstudy.measures.rows.intervals import wilson
from simstudy.planning.costs import Costs, CostSearch
from simstudy.planning.goal import read_goal
from simstudy.planning.points import Design, Point

MU, TAU, SIGMA = 0.5, 0.5, 1.5
Z = 1.959964


def chance(groups, size):
    """Return the power of mu > 0 with known scales."""
    return ndtr(MU * np.sqrt(groups) / np.sqrt(TAU**2 + SIGMA**2 / size) - Z)


def needed(groups):
    """Return the size that brings it to 0.8, infinite where none does."""
    rest = (MU * np.sqrt(groups) / (Z + 0.841621)) ** 2 - TAU**2
    return max(1.0, SIGMA**2 / rest) if rest > 0 else np.inf


def search(costs, seed):
    drawn = {}

    def look(designs, n):
        found = {}
        for design in designs:
            rng = np.random.default_rng([seed, *design])
            before, holds = drawn.setdefault(design, (0, rng.random(20_000) < chance(*design)))
            n_now = max(before, n)
            drawn[design] = n_now, holds
            p = float(holds[:n_now].mean())
            lower, upper = wilson(np.array([p]), np.array([float(n_now)]))
            found[design] = Point(
                value=p, mcse=float(np.sqrt(p * (1 - p) / n_now)), n=n_now, lower=float(lower[0]), upper=float(upper[0])
            )
        return found

    numbers = {"low": Design(2, 1), "most": Design(200, 10_000), "start": Design(8, 8)}
    found = CostSearch(look=look, goal=read_goal(power="mu > 0"), costs=costs, **numbers)
    return *found.run(), found, sum(n for n, _ in drawn.values())


@pytest.mark.parametrize(("group", "observation"), [(20.0, 1.0), (1.0, 1.0), (500.0, 1.0)])
def test_the_answer_costs_little_more_than_the_best(group, observation):
    """What is shown costs more than the best by what it takes to show it; nine in ten within a third."""
    costs = Costs(group=group, observation=observation)
    best = min(costs.of(groups, needed(groups)) for groups in range(2, 201))
    ratios, reached = [], []
    for seed in range(10):
        groups, found, _, n = search(costs, seed)
        assert n < 20_000
        ratios.append(costs.of(groups, found.answer) / best)
        reached.append(chance(groups, found.answer) >= 0.8)
    assert np.quantile(ratios, 0.9) < 1.45
    assert sum(reached) >= 9


def test_groups_that_cost_much_are_few():
    dear, cheap = (search(Costs(group=group, observation=1.0), 3)[0] for group in (500.0, 1.0))
    assert dear < cheap


def test_a_design_costs_its_groups_and_all_their_observations():
    assert Costs(group=20.0, observation=3.0).of(4, 5) == 4 * 20 + 4 * 5 * 3
