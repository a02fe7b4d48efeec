"""Measures ask for roles, ranges, centers and spreads: no number depends on what an estimand is called."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from simstudy.measures import MEASURES, performance
from tests.fakes import METHODS, OWN_NAMES, fake_run, with_own_names, without_declarations

KEYS = ["policy", "measure", "scenario", "method", "estimand", "group", "bin", "level"]


@pytest.fixture(scope="module")
def run():
    """An unbalanced and a balanced design, at and off the boundary, with an exact method."""
    return fake_run(
        groups=(4,),
        group_size=(2,),
        sizes=[(1, 2, 5)],
        tau=(0.0, 1.0),
        replicates=20,
        methods=(*METHODS, "partial, exact"),
    )


@pytest.fixture(scope="module")
def table(run):
    """Its performance table, under two policies."""
    return in_one_order(performance(run, policy=["available", "worst_case"]))


def in_one_order(table):
    """Return the rows in an order that does not depend on how names sort."""
    return table.sort_values(KEYS, ignore_index=True)


def test_names_are_nothing_to_measures(run, table):
    """A user's model that declares what theta, mu and tau declare, under other names, has every row of theirs."""
    own = performance(with_own_names(run), policy=["available", "worst_case"])
    old = {new: name for name, new in OWN_NAMES.items()}
    names = own["estimand"].map(
        lambda text: ", ".join(old.get(name, name) for name in text.split(", ")), na_action="ignore"
    )
    pd.testing.assert_frame_equal(in_one_order(own.assign(estimand=names)), table, rtol=1e-12)


def test_a_run_made_before_has_the_same_performance(run, table):
    """Without declarations the names of grouped models are read as they declare themselves, number for number."""
    before = in_one_order(performance(without_declarations(run), policy=["available", "worst_case"]))
    pd.testing.assert_frame_equal(before, table, check_exact=True)


def test_what_is_not_declared_has_no_role(run):
    """Unknown names without declarations have errors and intervals, and no measure that is for a role."""
    own = replace(with_own_names(run), estimands=run.estimands.head(0))
    rows = performance(own)
    named = rows[rows["estimand"].isin(OWN_NAMES.values())]
    for_roles = {name for name, measure in MEASURES.items() if measure.roles or measure.rows == "effects"}
    assert not for_roles & set(named["measure"])
    assert {"rmse", "coverage", "crps"} <= set(named["measure"])


def test_coverage_leaves_out_a_truth_at_the_declared_end(run):
    """An interval cannot cover the end of a range: a spread of 0 has an upper limit and no coverage."""
    rows = performance(with_own_names(run))
    at_end = run.scenarios.loc[run.scenarios["tau"] == 0, "scenario"]
    spread = rows[rows["estimand"] == "sway"]
    assert set(spread.loc[spread["measure"] == "upper_limit", "scenario"]) == set(at_end)
    assert not set(spread.loc[spread["measure"] == "coverage", "scenario"]) & set(at_end)


@pytest.mark.parametrize(
    ("lower", "upper", "covered"), [(-np.inf, np.inf, True), (0.0, np.inf, False), (-1.0, 0.0, False)]
)
def test_both_ends_of_a_range_are_ends(run, lower, upper, covered):
    """Whether a truth of 0 counts for coverage depends on the declared range alone."""
    own = with_own_names(run)
    declared = own.estimands.copy()
    declared.loc[declared["estimand"] == "sway", ["lower", "upper"]] = [lower, upper]
    rows = performance(replace(own, estimands=declared))
    rows = rows[(rows["estimand"] == "sway") & (rows["measure"] == "coverage")]
    at_end = set(run.scenarios.loc[run.scenarios["tau"] == 0, "scenario"])
    assert (set(rows["scenario"]) >= at_end) == covered


def test_effects_without_a_center_have_no_conditional_bias(run):
    """What is not declared is not guessed: no center, no deviation from it; shrinkage is still seen."""
    own = with_own_names(run)
    declared = own.estimands.assign(center=None, spread=None)
    rows = performance(replace(own, estimands=declared))
    measures = set(rows.loc[rows["estimand"] == "tract", "measure"])
    assert "conditional_bias" not in measures
    assert {"shrinkage_slope", "pooling_factor", "rank_correlation"} <= measures


def test_several_kinds_of_effects_stand_side_by_side(run):
    """Each kind has its own center and spread; the means of the groups are estimates of the first kind alone."""
    twin = run.estimates[run.estimates["estimand"] == "theta"].astype({"estimand": object}).assign(estimand="zeta")
    estimates = pd.concat([run.estimates.astype({"estimand": object}), twin]).astype({"estimand": "category"})
    said = {"method": "none", "estimand": "zeta", "role": "effects", "center": "mu", "spread": "tau"}
    estimands = pd.concat([run.estimands, pd.DataFrame([said])], ignore_index=True)
    rows = performance(replace(run, estimates=estimates, estimands=estimands))
    by_size = rows["bin"].astype(str).str.startswith("n_obs")
    of_kind = {name: rows[(rows["estimand"] == name) & ~by_size] for name in ("theta", "zeta")}
    slopes = [part.loc[part["measure"] == "conditional_bias", "value"].to_numpy() for part in of_kind.values()]
    assert len(slopes[0]) == len(slopes[1]) > 0
    np.testing.assert_array_equal(*slopes)
    assert set(of_kind["theta"]["measure"]) - set(of_kind["zeta"]["measure"]) >= {"regret", "shrinkage_slope"}
