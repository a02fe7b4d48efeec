"""Measures of the effects of factors: of their own levels, never of the groups or cells of the same number."""

import numpy as np
import pandas as pd
import pytest

from simstudy.measures import performance
from simstudy.measures.rows.context import Context
from simstudy.measures.rows.effects import read_effects
from simstudy.measures.rows.labels import Labels
from simstudy.measures.rows.rows import read_estimates
from simstudy.measures.rows.slices import slices
from tests.fake_terms import fake_terms_run, lattice_neighbors, level_rows
from tests.fakes import fake_run

NESTED = {"school": [0, 0, 0, 1, 1, 1, 2, 2, 2], "class": list(range(9))}
PARENT = [0, 0, 0, 1, 1, 1, 2, 2, 2]


@pytest.fixture(scope="module")
def nested():
    """Nine classes in three schools."""
    factors = [
        level_rows("school", "levels", 3),
        level_rows("class", "levels", 9, within=["school"] * 9, parent=PARENT),
    ]
    return fake_terms_run(factors, NESTED)


@pytest.fixture(scope="module")
def lattice():
    """Nine areas of a lattice, a cell each."""
    return fake_terms_run([level_rows("area", "graph", 9, neighbors=lattice_neighbors(3, 3))], {"area": list(range(9))})


def effects_of(run):
    labels = Labels.of(run)
    part = next(iter(slices(labels, most_rows=10**6)))
    rows = read_effects(run, Context.of(run, labels), read_estimates(run, labels, part))
    names = labels.estimands.to_numpy()[rows.keys.estimand]
    return pd.DataFrame({**rows.columns, "estimand": names, "group": rows.keys.group, "fit": rows.keys.fit})


def value_of(table, measure, estimand, method):
    rows = table[(table["measure"] == measure) & (table["estimand"] == estimand) & (table["method"] == method)]
    return rows[rows["bin"].isna()].iloc[0]


def test_effects_of_a_factor_take_nothing_of_cells(nested):
    """Size and mean of a cell stand beside the cell's predictor alone, whatever numbers the levels have."""
    rows = effects_of(nested)
    own = rows[rows["estimand"] == "theta"]
    assert own["n_obs"].notna().all()
    of_factors = rows[rows["estimand"] != "theta"]
    assert of_factors[["n_obs", "y_mean", "none_error", "complete_error", "oracle_error"]].isna().all(axis=None)


def test_effects_of_a_factor_lie_around_zero(nested):
    """Their deviation is the effect itself."""
    rows = effects_of(nested)
    school = rows[rows["estimand"] == "effect[school]"]
    np.testing.assert_array_equal(school["deviation"], school["truth"])
    np.testing.assert_allclose(school["distance"], school["truth"].abs(), rtol=1e-12)  # tau is 1


def test_the_pooling_factor_is_that_of_each_factor(nested):
    """lambda = 1 - Var_j(E u_j) / E(Var_j u_j), the latter from the posterior of the sd at hand, mean^2 + sd^2."""
    table = performance(nested)
    for name in ("school", "class"):
        rows = nested.estimates[nested.estimates["method"] == "none"]
        mean = rows[rows["estimand"] == f"effect[{name}]"].groupby("replicate")["mean"].var(ddof=1)
        sd = rows[rows["estimand"] == f"sd[{name}]"].set_index("replicate")
        expected = 1 - mean / (sd["mean"] ** 2 + sd["sd"] ** 2)
        found = value_of(table, "pooling_factor", f"effect[{name}]", "none")
        assert found["value"] == pytest.approx(expected.mean())
        assert found["mcse"] == pytest.approx(expected.std(ddof=1) / np.sqrt(len(expected)))


def test_local_bias_is_the_slope_on_what_neighbors_leave(lattice):
    """Least squares through the origin, of centered errors on truth minus the neighbors' mean, over all replicates."""
    table = performance(lattice)
    near = lattice_neighbors(3, 3)
    rows = lattice.estimates
    rows = rows[(rows["estimand"] == "effect[area]") & (rows["method"] == "none")].sort_values(["replicate", "group"])
    truth, mean = (rows[name].to_numpy().reshape(-1, 9) for name in ("truth", "mean"))
    local = np.stack([truth[:, j] - truth[:, near[j]].mean(1) for j in range(9)], 1)
    error = mean - truth - (mean - truth).mean(1, keepdims=True)
    slope = np.linalg.lstsq(local.reshape(-1, 1), error.ravel(), rcond=None)[0][0]
    assert value_of(table, "local_bias", "effect[area]", "none")["value"] == pytest.approx(slope)


def test_estimates_that_stay_at_the_local_mean_have_lost_it_all(lattice):
    """An estimate that is the neighbors' mean has a local bias of about -1; one that is the truth has 0."""
    near, rows = lattice_neighbors(3, 3), lattice.estimates.copy()
    mine = (rows["estimand"] == "effect[area]") & (rows["method"] == "none")
    part = rows[mine].sort_values(["replicate", "group"])
    truth = part["truth"].to_numpy().reshape(-1, 9)
    smooth = np.stack([truth[:, near[j]].mean(1) for j in range(9)], 1)
    for estimate, expected in ((smooth, -1.0), (truth + 7.0, 0.0)):
        rows.loc[part.index, "mean"] = estimate.ravel()
        run = type(lattice)(**{**vars(lattice), "estimates": rows})
        found = value_of(performance(run), "local_bias", "effect[area]", "none")["value"]
        assert found == pytest.approx(expected, abs=0.12 if expected else 1e-9)


def test_ranks_and_spreads_are_of_exchangeable_levels_alone(nested, lattice):
    """Of an area that has neighbors no rank is taken and no distance from the mean of all; of schools both are."""
    of_areas, of_schools = performance(lattice), performance(nested)
    populations = {"rank_correlation", "prob_best", "conditional_bias", "regret", "shrinkage_slope"}
    assert not populations & set(of_areas["measure"])
    assert {"rank_correlation", "conditional_bias"} <= set(
        of_schools.loc[of_schools["estimand"] == "effect[school]", "measure"]
    )
    assert "local_bias" not in set(of_schools["measure"])


def test_cells_that_a_covariate_sets_apart_are_not_ranked():
    """Their order is that of the covariate."""
    run = fake_terms_run(
        [level_rows("subject", "levels", 3)],
        {"subject": [0, 0, 0, 1, 1, 1, 2, 2, 2]},
        covariates={"day": [0.0, 1.0, 2.0] * 3},
    )
    ranked = performance(run).query("measure == 'rank_correlation'")["estimand"].unique()
    assert list(ranked) == ["effect[subject]"]


def test_regret_is_against_the_methods_of_the_trio(lattice):
    """MSE less the smallest of the three mean MSEs, and 0 for the best itself; paired by replicate."""
    table, rows = performance(lattice), lattice.estimates
    theta = rows[rows["estimand"] == "theta"]
    square = (theta["mean"] - theta["truth"]) ** 2
    by_method = square.groupby([theta["method"], theta["replicate"]], observed=True).mean()
    mse = by_method.unstack(0)  # noqa: PD010
    best = mse.mean().idxmin()
    for method in mse:
        found = value_of(table, "regret_of_parts", "theta", method)
        lost = mse[method] - mse[best]
        assert found["value"] == pytest.approx(lost.mean(), abs=1e-15)
        assert found["mcse"] == pytest.approx(lost.std(ddof=1) / np.sqrt(len(lost)), abs=1e-15)
        assert found["reference"] == best.split(",")[0]
    assert (table["measure"] == "regret").sum() == 0


def test_two_of_the_trio_are_enough_for_effects_that_the_third_lacks(lattice):
    """Complete pooling has no effects of areas; the regret of theirs is against the other two."""
    table = performance(lattice)
    found = {
        m: value_of(table, "regret_of_parts", "effect[area]", m)["value"] for m in ("none", "partial, noncentered")
    }
    assert min(found.values()) == 0 < max(found.values())


def test_an_empty_cell_says_nothing():
    """A cell without observations has no mean: its rivals' errors are not known, those of other cells as before."""
    run = fake_run(groups=(4,), group_size=(3,), tau=(1.0,), replicates=6, failure_rate=0.0)
    groups = run.groups.copy()
    empty = (groups["replicate"] == 2) & (groups["group"] == 1)
    groups.loc[empty, ["n_obs", "y_mean"]] = [0, 0.0]
    rows = effects_of(type(run)(**{**vars(run), "groups": groups})).query("estimand == 'theta'")
    whole = effects_of(run).query("estimand == 'theta'")
    assert rows["none_error"].isna().sum() == (whole["fit"].nunique() // 6)
    left = groups[(groups["replicate"] == 2) & ~empty]
    mine = rows[rows["complete_error"].notna() & rows["none_error"].isna()].iloc[0]
    assert mine["complete_error"] + mine["truth"] == pytest.approx(left["y_mean"].mean())  # equal sizes, equal weights


def test_one_grouping_has_none_of_these_measures():
    """A run without levels keeps its measures and its numbers."""
    table = performance(fake_run(groups=(4,), group_size=(3,), tau=(1.0,), replicates=6))
    assert not {"local_bias", "regret_of_parts"} & set(table["measure"])
    assert {"regret", "rank_correlation"} <= set(table["measure"])
