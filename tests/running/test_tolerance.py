"""A run is stopped for its failures only when they are sure to be too many."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import binom

from simstudy.running.tolerance import Tolerance, lower_bound


@pytest.mark.parametrize(("n_bad", "n_fits"), [(1, 10), (10, 64), (64, 64), (3, 2000)])
def test_the_bound_is_where_the_evidence_begins(n_bad, n_fits):
    """At the bound the mixed likelihood ratio, integrated by quadrature, is 1 / alpha."""
    bound = lower_bound(np.array([n_bad]), np.array([n_fits]), alpha=0.01)[0]
    peak = binom.pmf(n_bad, n_fits, n_bad / n_fits)

    def likelihood(chance):
        return binom.pmf(n_bad, n_fits, chance) / peak

    mixed = quad(likelihood, bound, 1, points=[n_bad / n_fits], epsabs=1e-13)[0] / (1 - bound)
    assert mixed / likelihood(bound) == pytest.approx(100, rel=1e-6)


def test_the_bound_holds_at_all_times_at_once():
    """Looked at after every fit, it is above the true chance at any time in at most alpha of the runs (3 MCSE)."""
    alpha, chance, n_runs = 0.1, 0.05, 1_000
    bad = (np.random.default_rng(7).random((n_runs, 300)) < chance).cumsum(1)
    looks = np.stack([bad, np.broadcast_to(np.arange(1, 301), bad.shape)]).reshape(2, -1)
    pairs, place = np.unique(looks, axis=1, return_inverse=True)
    ever = (lower_bound(*pairs, alpha=alpha) > chance)[place].reshape(bad.shape).any(1)
    assert ever.mean() < alpha + 3 * np.sqrt(alpha * (1 - alpha) / n_runs)
    assert ever.any()


def counted(tolerance, cell, n_fits, n_bad):
    for i in range(n_fits):
        tolerance.count(cell, bad=i < n_bad)
    return tolerance.is_exceeded()


def test_failures_of_one_cell_speak_of_no_other():
    """The first 40 fits all fail, but they belong to one cell in fifty: the run goes on."""
    cells = {(f"s{i}", "m"): 100 for i in range(50)}
    assert not counted(Tolerance(0.05, cells), ("s0", "m"), 40, 40)
    assert counted(Tolerance(0.01, cells), ("s0", "m"), 40, 40)


def test_failures_that_are_there_are_certain():
    """Of 20 planned fits 3 are 15 %: with all of their cell finished, 3 bad ones are above 14 % and not above 15 %."""
    cells = {("s", "m"): 3, ("t", "m"): 17}
    assert counted(Tolerance(0.14, cells), ("s", "m"), 3, 3)
    assert not counted(Tolerance(0.15, cells), ("s", "m"), 3, 3)


def test_a_run_without_failures_or_limits_goes_on():
    """No failures never stop a run, whatever the limit, and a limit of 1 never stops."""
    assert not counted(Tolerance(0.0, {("s", "m"): 100}), ("s", "m"), 100, 0)
    assert not counted(Tolerance(1.0, {("s", "m"): 100}), ("s", "m"), 100, 100)
