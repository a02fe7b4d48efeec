"""Rows of estimates: what counts as the end of a range does not depend on the unit of the data."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from simstudy.measures import performance
from simstudy.store.schema import interval_columns
from tests.fakes import fake_run

IN_UNITS = ("theta", "theta_mean", "theta_sd", "mu", "tau", "sigma", "theta_new", "y_new")


@pytest.fixture(scope="module")
def run():
    """Scenarios at and off the boundary of tau."""
    return fake_run(groups=(4,), group_size=(3,), tau=(0.0, 1.0), replicates=12, methods=("none", "partial, centered"))


def in_unit(run, unit):
    """Return the run as data in another unit give it."""
    estimates = run.estimates.copy()
    ends = [column for level in run.study["summary"]["levels"] for column in interval_columns(level)]
    rows = estimates["estimand"].isin(IN_UNITS)
    columns = [c for c in ("truth", "mean", "sd", "mcse_mean", "crps", *ends) if c in estimates]
    estimates.loc[rows, columns] = estimates.loc[rows, columns].astype(float) * unit
    return replace(run, estimates=estimates)


@pytest.mark.parametrize("unit", [1e-12, 1e-9, 1e9])
def test_coverage_is_that_of_the_data_in_any_unit(run, unit):
    """A truth of 1e-9 that is many posterior sds from 0 is not at 0, and one that is 0 is, whatever the unit."""
    first, other = (
        table[table["measure"].isin(["coverage", "upper_limit"])].reset_index(drop=True)
        for table in (performance(run), performance(in_unit(run, unit)))
    )
    assert {"coverage", "upper_limit"} == set(first["measure"])
    columns = ["scenario", "method", "estimand", "group", "measure", "n_used"]
    pd.testing.assert_frame_equal(first[columns], other[columns])
    covered = first["measure"] == "coverage"
    np.testing.assert_array_equal(first.loc[covered, "value"], other.loc[covered, "value"])
