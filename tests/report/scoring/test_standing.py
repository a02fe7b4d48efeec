"""Standings rest on differences beyond 2 MCSE, paired where they can be."""

import numpy as np
import pandas as pd
import pytest

from simstudy.measures.score import score
from simstudy.report.scoring.standing import standings


def rows_of(errors):
    """Return rows of one scenario from method -> errors."""
    return pd.concat(
        [
            pd.DataFrame({"scenario": "s", "method": name, "replicate": range(len(e)), "error": e})
            for name, e in errors.items()
        ],
        ignore_index=True,
    )


def test_rmses_are_those_of_the_performance_table():
    """RMSE and MCSE of the beaten and of its rival are the measure's."""
    rng = np.random.default_rng(0)
    rows = rows_of({"a": rng.standard_normal(200), "b": 2 * rng.standard_normal(200)})
    (beaten,) = standings(rows, paired=True).beaten
    known = score(rows, estimate="error", truth=0, method="method").query("measure == 'rmse'").set_index("method")
    assert (beaten.method, beaten.rival) == ("b", "a")
    assert (beaten.rmse, beaten.mcse) == pytest.approx(tuple(known.loc["b", ["value", "mcse"]]))
    assert (beaten.best, beaten.best_mcse) == pytest.approx(tuple(known.loc["a", ["value", "mcse"]]))
    assert beaten.excess == pytest.approx(beaten.rmse / beaten.best - 1)


@pytest.mark.parametrize("paired", [True, False])
def test_equal_methods_beat_each_other_rarely(paired):
    """Over 400 scenarios of two methods alike, 5 % of differences lie beyond 2 MCSE: within 4 standard errors."""
    rng = np.random.default_rng(1)
    parts = [
        rows_of({"a": rng.standard_normal(150), "b": rng.standard_normal(150)}).assign(scenario=f"s{i}")
        for i in range(400)
    ]
    found = standings(pd.concat(parts), paired=paired)
    expected = 0.0455
    assert abs(len(found.beaten) / 400 - expected) < 4 * np.sqrt(expected * (1 - expected) / 400) + 0.005
    assert found.unbeaten("a") + found.unbeaten("b") == 800 - len(found.beaten)


def test_only_shared_replicates_are_compared():
    """A method that lacks the hard replicates is not better for it."""
    error = np.concatenate([np.ones(50), np.full(50, 9.0)]) * np.resize([1.0, -1.0], 100)
    lacking = error.copy()
    lacking[50:] = np.nan
    found = standings(rows_of({"all": error, "easy": lacking}), paired=True)
    assert found.beaten == []
    assert standings(rows_of({"all": error, "easy": lacking}), paired=False).unbeaten("all") == 0


def test_a_method_without_estimates_does_not_stand():
    """It is neither beaten nor unbeaten; alone, nobody is compared."""
    rng = np.random.default_rng(2)
    found = standings(rows_of({"a": rng.standard_normal(50), "b": np.full(50, np.nan)}), paired=True)
    assert found.present == {}
    assert found.beaten == []
