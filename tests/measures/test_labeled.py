"""Performance with labels and factors is the performance table, and says which scenario is which."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import simstudy
from simstudy.measures import performance
from simstudy.measures.labeled import labeled
from simstudy.report.publishing import table
from tests.fakes import fake_run


@pytest.fixture(scope="module")
def run():
    """Two group counts and two taus, one of them no whole number."""
    return fake_run(groups=(4, 8), group_size=(2,), tau=(0.5, 2.0), replicates=5, methods=("none", "complete"))


def test_it_is_the_table_with_more_columns(run):
    """Every number stands where it stood; whole factors are integers."""
    told, plain = simstudy.performance(run), performance(run)
    pd.testing.assert_frame_equal(told[plain.columns], plain)
    assert list(told)[:3] == ["scenario", "label", "method"]
    by_scenario = run.scenarios.assign(scenario=run.scenarios["scenario"].astype(str)).set_index("scenario")
    rows = told[told["scenario"].notna()]
    for name in ("label", "groups", "tau"):
        expected = by_scenario.loc[rows["scenario"], name].to_numpy()
        assert (rows[name].to_numpy() == expected).all()
    assert str(told["groups"].dtype) == "Int64"
    assert set(told["tau"].dropna()) == {0.5, 2.0}


def test_speeds_of_programs_have_no_scenario(run):
    """Nor a label, nor a level of a factor."""
    rows = simstudy.performance(run).query("scenario.isna()")
    assert len(rows) > 0
    assert rows[["label", "groups", "tau"]].isna().all().all()


def test_a_factor_that_is_called_like_a_column(run):
    """It is told apart, and the column stays what it is."""
    scenarios = run.scenarios.assign(level=np.arange(len(run.scenarios)), empty=None)
    told = labeled(performance(run), replace(run, scenarios=scenarios))
    assert set(told["level (factor)"].dropna()) == {0, 1, 2, 3}
    assert set(told["level"].dropna()) <= set(run.study["summary"]["levels"])
    assert "empty" not in told


def test_what_takes_a_performance_table_takes_this_one(run):
    """A table for a paper is the same."""
    pd.testing.assert_frame_equal(
        table(run, performance=simstudy.performance(run)), table(run, performance=performance(run))
    )
