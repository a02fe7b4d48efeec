"""Paired differences in RMSE and their MCSE."""

import numpy as np
import pandas as pd
import pytest

from simstudy.report.reading.pairs import differences, paired_differences, squared_errors


def estimates(errors):
    """Return estimates of one scenario: errors by method, (replicate, group)."""
    parts = []
    for method, e in errors.items():
        replicate, group = np.indices(e.shape)
        keys = {"scenario": "a", "method": method, "estimand": "theta"}
        values = {"replicate": replicate.ravel(), "group": group.ravel(), "truth": 0.0, "mean": e.ravel()}
        parts.append(pd.DataFrame({**keys, **values}))
    return pd.concat(parts, ignore_index=True)


def test_value_is_the_difference_of_the_performance_tables_rmse(evidence, table):
    """RMSEs from the estimates equal those of the performance table where no fit is missing."""
    known = table[(table["measure"] == "rmse") & (table["estimand"] == "theta") & table["bin"].isna()]
    known = known[known["n_excluded"] == 0].set_index(["scenario", "method"])["value"]
    rows = evidence.error_differences("partial, noncentered", "none")
    pairs = [(s, v, r) for s, v, r in zip(rows["scenario"], rows["value"], rows["rival_value"], strict=True)]
    complete = [(s, v, r) for s, v, r in pairs if {(s, "none"), (s, "partial, noncentered")} <= set(known.index)]
    for scenario, value, rival in complete:
        assert value == pytest.approx(known[scenario, "partial, noncentered"], rel=1e-9)
        assert rival == pytest.approx(known[scenario, "none"], rel=1e-9)
    assert len(rows) == 6


def test_mcse_agrees_with_the_spread_over_repeated_studies():
    """Over 400 studies the sd of the paired difference equals its mean MCSE within 4 / sqrt(2 * 400), 14 %."""
    rng = np.random.default_rng(7)
    n_studies, n_replicates, n_groups = 400, 60, 3
    shared = rng.standard_normal((n_studies * n_replicates, n_groups))
    table = estimates({"x": shared, "y": 0.8 * shared + 0.3 * rng.standard_normal(shared.shape)})
    table["scenario"] = "study " + (table["replicate"] // n_replicates).astype(str)
    found = paired_differences(squared_errors(table, "theta"), "y", "x")
    assert len(found) == n_studies
    spread = found["difference"].std(ddof=1)
    assert found["difference_mcse"].mean() == pytest.approx(spread, rel=4 / np.sqrt(2 * n_studies))


def test_pairing_beats_independence(evidence, table):
    """Two parameterizations of one model on the same data: the paired MCSE is far below the unpaired one."""
    rmse = table[(table["measure"] == "rmse") & (table["estimand"] == "theta") & table["bin"].isna()]
    pair = ("partial, noncentered", "partial, centered")
    paired, unpaired = evidence.error_differences(*pair), differences(rmse, *pair)
    assert (paired["difference_mcse"].to_numpy() < 0.3 * unpaired["difference_mcse"].to_numpy()).all()


def test_replicates_of_one_method_alone_are_left_out():
    """A replicate that one of the two methods lacks counts for neither."""
    rng = np.random.default_rng(3)
    errors = {"x": rng.standard_normal((20, 2)), "y": rng.standard_normal((20, 2))}
    table = estimates(errors)
    table.loc[(table["method"] == "x") & (table["replicate"] == 4), "mean"] = np.nan
    row = paired_differences(squared_errors(table, "theta"), "x", "y").iloc[0]
    assert row["rival_value"] == pytest.approx(np.sqrt((np.delete(errors["y"], 4, axis=0) ** 2).mean()))
    assert paired_differences(squared_errors(table, "theta"), "x", "absent").empty
