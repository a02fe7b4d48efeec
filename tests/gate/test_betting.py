"""Wealth that is fair where nothing is wrong, and grows as fast as the best share where something is."""

from itertools import product

import numpy as np
import pytest

from simstudy.testing.gating.betting import SHARES, Evidence, above, below


def test_wealth_of_a_fair_gamble_is_one_on_average():
    """Over all sequences of eight fair coins, and of coins of chance 1/3 that pay 2, the mean wealth is 1."""
    for chance, win in ((0.5, 1.0), (1 / 3, 2.0)):
        total = 0.0
        for tosses in product((False, True), repeat=8):
            gains = np.where(tosses, win, -1.0)[:, None]
            probability = np.prod(np.where(tosses, chance, 1 - chance))
            total += probability * np.exp(Evidence(1).path(gains)[-1])
        assert total == pytest.approx(1, rel=1e-12)


def test_chains_may_come_in_any_rounds():
    """Evidence is the same whether chains come at once or in rounds, and total is the mean of each."""
    gains = np.random.default_rng(1).uniform(-1, 1, (50, 3))
    at_once, in_rounds = Evidence(3), Evidence(3)
    path = at_once.path(gains)
    rounds = np.concatenate([in_rounds.path(part) for part in np.split(gains, [7, 30])])
    np.testing.assert_allclose(rounds, path)
    assert at_once.log_total == pytest.approx(path[-1])
    assert np.exp(at_once.log_total) == pytest.approx(np.exp(at_once.each).mean())


def test_alarms_are_as_rare_as_they_are_said_to_be():
    """Of 4,000 paths of 300 uniform numbers with mean 1/2, at most 5 % ever reach 20 (four standard errors more)."""
    u = np.random.default_rng(2).uniform(size=(300, 4000))
    log = np.log1p(SHARES * above(u, 0.5)[..., None]).cumsum(axis=0)
    best = np.exp(log).mean(axis=2).max(axis=0)
    assert (best >= 20).mean() <= 0.05 + 4 * np.sqrt(0.05 * 0.95 / 4000)
    assert (best >= 2).mean() > 0.05


def test_growth_is_that_of_the_best_share():
    """Against a coin of chance .6, wealth grows by the largest mean log(1 + share gain) of all shares (Kelly)."""
    n = 10_000
    heads = np.arange(n) % 5 < 3
    gains = np.where(heads, 1.0, -1.0)[:, None]
    best = max(0.6 * np.log1p(share) + 0.4 * np.log1p(-share) for share in SHARES)
    assert Evidence(1).path(gains)[-1] / n == pytest.approx(best, abs=1.001 * np.log(len(SHARES)) / n)


def test_gains_are_fair_at_the_limit_and_never_below_minus_one():
    """At the limit the mean gain is 0 on both sides; beyond it, it is positive on one."""
    u = np.linspace(0, 1, 101)
    for bet, beyond in ((above, 0.4), (below, 0.6)):
        assert bet(u, 0.5).mean() == pytest.approx(0, abs=1e-12)
        assert bet(u, beyond).mean() > 0
        assert bet(u, 0.5).min() == -1
